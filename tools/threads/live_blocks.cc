// One sort, one walk; contract in live_blocks.h.
#include "tools/threads/live_blocks.h"

#include <algorithm>

namespace arenalab {

LiveLines CountLines(LiveBlock* blocks, std::uint64_t count) {
  std::sort(blocks, blocks + count, [](const LiveBlock& a, const LiveBlock& b) {
    return a.begin < b.begin;
  });
  LiveLines found;
  std::uint64_t line = ~std::uint64_t{0};  // the last one counted
  std::uint64_t line_stream = 0;           // who was on it first
  bool counted_shared = false;
  const auto touch = [&](std::uint64_t number, std::uint64_t stream) {
    if (number != line) {
      line = number;
      line_stream = stream;
      counted_shared = false;
      ++found.lines;
    } else if (stream != line_stream && !counted_shared) {
      counted_shared = true;
      ++found.shared_lines;
    }
  };
  std::uint64_t end = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const LiveBlock& block = blocks[i];
    found.overlaps += block.begin < end;
    end = std::max(end, block.begin + block.bytes);
    touch(block.begin / kLineBytes, block.stream);
    const std::uint64_t last = (block.begin + block.bytes - 1) / kLineBytes;
    if (last != block.begin / kLineBytes) touch(last, block.stream);
  }
  return found;
}

}  // namespace arenalab
