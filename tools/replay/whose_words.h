// Whose memory the resident set is, in one sentence: the words of `inspect`, of
// `stats` and of every verdict.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace arenalab {

struct WhoseShare {
  std::string name;  // "pymalloc's"
  std::int64_t bytes = 0;
  std::int64_t free_bytes = 0;  // of these
};

// "Of 69.2 MiB resident, 80 % (55.0 MiB) is pymalloc's, 50.5 MiB of it free,
// 20 % (14.2 MiB) is NAME." Largest first. The last of `shares` is what remains
// of the whole, so that they sum to it; it is less than nothing where the
// others were counted at another moment than the whole, which is said.
std::string WhoseWords(std::uint64_t resident_bytes,
                       std::vector<WhoseShare> shares);

}  // namespace arenalab
