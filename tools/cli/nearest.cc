// Levenshtein's distance.
#include "tools/cli/nearest.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace arenalab {

std::string Nearest(const std::string& word,
                    const std::vector<std::string>& known) {
  std::size_t best = 3;
  std::string nearest;
  for (const std::string& candidate : known) {
    // Row by row.
    std::vector<std::size_t> row(candidate.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < word.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i + 1;
      for (std::size_t j = 0; j < candidate.size(); ++j) {
        const std::size_t replaced =
            diagonal + (word[i] == candidate[j] ? 0 : 1);
        diagonal = row[j + 1];
        row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
      }
    }
    // Not everything is near to a word of three letters.
    if (row.back() < best && row.back() * 2 <= word.size()) {
      best = row.back();
      nearest = candidate;
    }
  }
  return nearest;
}

std::string DidYouMean(const std::string& word,
                       const std::vector<std::string>& known,
                       const std::string& otherwise) {
  const std::string nearest = Nearest(word, known);
  return nearest.empty() ? otherwise : "; did you mean `" + nearest + "`?";
}

}  // namespace arenalab
