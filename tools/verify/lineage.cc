// Follows a trace back to the traces that it was forked from.
#include "tools/verify/lineage.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "tracer/format/trace_reader.h"

namespace arenalab {
namespace {

// Deeper than any program forks in a chain; a cycle of files ends here.
constexpr std::size_t kMostGenerations = 1000;

}  // namespace

std::vector<Ancestor> LineageOf(const std::string& path) {
  std::vector<Ancestor> lineage{{path, 0}};
  for (std::string child = path;;) {
    const std::string parent = TraceReader(child).Meta("parent");
    if (parent.empty()) break;
    const std::size_t space = parent.rfind(' ');
    std::uint64_t fork = 0;
    const char* end = parent.data() + parent.size();
    if (space == std::string::npos ||
        std::from_chars(parent.data() + space + 1, end, fork).ptr != end) {
      throw InputError(child + ": `meta parent " + parent +
                       "` is not FILE FORK");
    }
    if (lineage.size() == kMostGenerations) {
      throw InputError(path +
                       ": its line of parents does not end; is a trace "
                       "its own ancestor?");
    }
    child =
        (std::filesystem::path(child).parent_path() / parent.substr(0, space))
            .string();
    if (!std::filesystem::exists(child)) {
      throw InputError(lineage.back().path + ": its parent's trace " + child +
                       " is missing; put it beside the child's");
    }
    lineage.push_back({child, fork});
  }
  std::reverse(lineage.begin(), lineage.end());
  return lineage;
}

}  // namespace arenalab
