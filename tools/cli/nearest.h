// Which known word was probably meant.
#pragma once

#include <string>
#include <vector>

namespace arenalab {

// "" where none is near. Near is up to two letters inserted, left out or
// exchanged.
std::string Nearest(const std::string& word,
                    const std::vector<std::string>& known);

// "; did you mean `verify`?", or `otherwise` where none is near.
std::string DidYouMean(const std::string& word,
                       const std::vector<std::string>& known,
                       const std::string& otherwise);

}  // namespace arenalab
