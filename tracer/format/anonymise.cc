// What is kept is listed; a key that nobody thought of is removed.
#include "tracer/format/anonymise.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <unordered_map>

namespace arenalab {
namespace {

constexpr std::string_view kKept[] = {"python",       "geometry",   "allocator",
                                      "pointer-bits", "page-bytes", "addresses",
                                      "layers",       "tool"};

}  // namespace

void Anonymise(TraceReader& reader, TraceWriter& writer) {
  for (const auto& [key, value] : reader.meta()) {
    if (std::find(std::begin(kKept), std::end(kKept), key) != std::end(kKept)) {
      writer.Meta(key, value);
    } else if (key == "parent") {
      // `FILE FORK`. Without it a child would pass for a process of its own.
      writer.Meta(key, "removed" + value.substr(std::min(value.rfind(' '),
                                                         value.size())));
    }
  }
  std::unordered_map<std::string, std::string> marks;
  std::string name;
  reader.Rewind();
  for (Event event; reader.Next(&event);) {
    if (event.kind == EventKind::kMark && event.name != kFinaliseMark) {
      const auto number = std::to_string(marks.size() + 1);
      event.name = marks.emplace(event.name, "mark-" + number).first->second;
    } else if (event.kind == EventKind::kFork) {
      name = "child-" + std::to_string(event.number);
      event.name = name;
    }
    writer.Append(event);
  }
  if (reader.complete()) {
    writer.Finish(reader.totals().lost, reader.totals().waited_ns);
  } else {
    writer.Flush();
  }
  if (!writer.ok()) throw InputError(writer.error());
}

}  // namespace arenalab
