// The version that every result, trace and page names.
#pragma once

namespace arenalab {
inline constexpr char kVersion[] = "0.1.0";
}  // namespace arenalab
