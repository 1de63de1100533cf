// What a caller may know of a request beyond its size, for heaps whose policy
// looks at it (pymalloc/lane.h). Plain numbers without a meaning of their own
// here: whoever fills them says what they count. All others ignore them.
#pragma once

#include <cstdint>

namespace arenalab {

// A block that is never given up.
inline constexpr std::uint8_t kImmortalLog2 = 63;

struct RequestHint {
  std::uint32_t thread = 0;  // dense, from 0
  std::uint32_t domain = 0;  // 0 raw, 1 mem, 2 object, as CPython numbers them
  std::uint32_t state = 0;   // which interpreter, from 0
  std::uint32_t type = 0;    // of the object it becomes, dense; 0: not known
  std::uint32_t site = 0;    // the call site that asks, dense; 0: not known
  // An oracle's: floor(log2) of the bytes that will be asked for between this
  // request and the one that gives its block up, itself not counted; 0 for
  // less than two.
  std::uint8_t lifetime_log2 = 0;
};

}  // namespace arenalab
