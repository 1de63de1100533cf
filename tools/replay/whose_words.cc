// Puts shares in order and into words.
#include "tools/replay/whose_words.h"

#include <algorithm>
#include <cmath>

#include "tools/replay/readable.h"

namespace arenalab {

std::string WhoseWords(std::uint64_t resident_bytes,
                       std::vector<WhoseShare> shares) {
  const double all =
      static_cast<double>(std::max<std::uint64_t>(1, resident_bytes));
  std::stable_sort(shares.begin(), shares.end(),
                   [](const WhoseShare& a, const WhoseShare& b) {
                     return a.bytes > b.bytes;
                   });
  std::string text =
      "Of " + ReadableBytes(static_cast<double>(resident_bytes)) + " resident";
  for (const WhoseShare& share : shares) {
    if (share.bytes < 0) {
      text += "; " + ReadableBytes(static_cast<double>(-share.bytes)) +
              " of these came or went between two looks";
      continue;
    }
    text += ", " +
            std::to_string(
                std::lround(100 * static_cast<double>(share.bytes) / all)) +
            " % (" + ReadableBytes(static_cast<double>(share.bytes)) + ") is " +
            share.name;
    if (share.free_bytes > 0)
      text += ", " + ReadableBytes(static_cast<double>(share.free_bytes)) +
              " of it free";
  }
  return text + ".";
}

}  // namespace arenalab
