// Numbers as people read them, one way for terminal, verdict and table.
#pragma once

#include <cstdint>
#include <string>

namespace arenalab {

// "0 B", "912 B", "12.3 KiB", "1.50 GiB": three significant digits or so.
std::string ReadableBytes(double bytes);
// "1,234,567".
std::string ReadableCount(std::uint64_t count);
// "16.0x", "1.05x".
std::string ReadableRatio(double ratio);

}  // namespace arenalab
