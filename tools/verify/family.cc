// Finds a run's traces beside one of them.
#include "tools/verify/family.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "tracer/format/trace_reader.h"

namespace arenalab {
namespace {

namespace fs = std::filesystem;

}  // namespace

Family::Family(const std::string& path) {
  const TraceReader first(path);
  const std::string run = first.Meta("run");
  Add(path, first.Meta("parent"));
  if (run.empty()) return;
  const fs::path folder = fs::path(path).parent_path();
  std::vector<fs::path> others;
  for (const auto& entry :
       fs::directory_iterator(folder.empty() ? "." : folder)) {
    const fs::path other = folder / entry.path().filename();
    if (other.extension() == ".trace" && other != fs::path(path)) {
      others.push_back(other);
    }
  }
  std::sort(others.begin(), others.end());
  for (const fs::path& other : others) {
    try {
      const TraceReader reader(other);
      if (reader.Meta("run") == run) Add(other, reader.Meta("parent"));
    } catch (const InputError&) {
      // Not a trace of this run that anyone could name.
    }
  }
}

void Family::Add(const std::string& member, const std::string& parent) {
  members_.push_back(member);
  const std::size_t space = parent.rfind(' ');
  if (space == std::string::npos) return;
  std::uint64_t fork = 0;
  std::from_chars(parent.data() + space + 1, parent.data() + parent.size(),
                  fork);
  const fs::path file =
      fs::path(member).parent_path() / parent.substr(0, space);
  forked_[{file, fork}].push_back(member);
}

const std::vector<std::string>& Family::ForkedAt(const std::string& member,
                                                 std::uint64_t fork) const {
  static const std::vector<std::string> kNone;
  const auto found = forked_.find({member, fork});
  return found == forked_.end() ? kNone : found->second;
}

bool Family::IsForked(const std::string& member) const {
  return std::any_of(forked_.begin(), forked_.end(), [&](const auto& entry) {
    const auto& [place, children] = entry;
    return std::find(members_.begin(), members_.end(), place.first) !=
               members_.end() &&
           std::find(children.begin(), children.end(), member) !=
               children.end();
  });
}

}  // namespace arenalab
