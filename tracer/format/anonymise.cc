// What is kept is listed; a key that nobody thought of is removed.
#include "tracer/format/anonymise.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tracer/format/heap_image.h"

namespace arenalab {
namespace {

constexpr std::string_view kKept[] = {"python",       "geometry",   "allocator",
                                      "pointer-bits", "page-bytes", "addresses",
                                      "layers",       "tool",       "above",
                                      "lost.debug",   "readings"};

// Types of the interpreter's own, which tell nothing of the program.
constexpr std::string_view kKeptTypes[] = {
    "bool",      "bytearray", "bytes",     "cell",   "classmethod",
    "code",      "complex",   "coroutine", "dict",   "dict_keys",
    "ellipsis",  "filter",    "float",     "frame",  "frozenset",
    "function",  "generator", "int",       "list",   "map",
    "method",    "module",    "NoneType",  "object", "property",
    "range",     "set",       "slice",     "str",    "staticmethod",
    "tuple",     "type",      "weakref",   "zip",    "enumerate",
    "memoryview"};

// Names that are not kept, numbered from 1.
class Renamed {
 public:
  Renamed(const TraceReader& reader, TraceWriter& writer)
      : reader_(reader), writer_(writer) {}

  std::uint32_t Number(NameSpace space, std::uint32_t number) {
    if (number == 0) return 0;
    auto& numbers = numbers_[static_cast<std::size_t>(space)];
    if (number >= numbers.size()) numbers.resize(number + std::size_t{1});
    if (numbers[number] != 0) return numbers[number];
    const bool type = space == NameSpace::kType;
    std::string name(reader_.Name(space, number));
    if (!type || std::find(std::begin(kKeptTypes), std::end(kKeptTypes),
                           name) == std::end(kKeptTypes)) {
      name = (type ? "type-" : "site-") +
             std::to_string(++given_[static_cast<std::size_t>(space)]);
    }
    return numbers[number] = writer_.Intern(space, name);
  }

 private:
  const TraceReader& reader_;
  TraceWriter& writer_;
  std::array<std::vector<std::uint32_t>, 2> numbers_;
  std::array<std::uint32_t, 2> given_{};
};

}  // namespace

void Anonymise(TraceReader& reader, TraceWriter& writer) {
  for (const auto& [key, value] : reader.meta()) {
    if (std::find(std::begin(kKept), std::end(kKept), key) != std::end(kKept)) {
      writer.Meta(key, value);
    } else if (key == "window") {
      // `N WHY`
      writer.Meta(key, value.substr(0, value.find(' ')) + " removed");
    } else if (key == "parent") {
      // `FILE FORK`. Without it a child would pass for a process of its own.
      writer.Meta(key, "removed" + value.substr(std::min(value.rfind(' '),
                                                         value.size())));
    }
  }
  const std::vector<HeapImage> heaps = reader.Heaps();
  if (!heaps.empty()) writer.Heaps(heaps, {});
  std::unordered_map<std::string, std::string> marks;
  std::string name;
  Renamed renamed(reader, writer);
  reader.Rewind();
  for (Event event; reader.Next(&event);) {
    if (event.kind == EventKind::kMark && event.name != kFinaliseMark) {
      const auto number = std::to_string(marks.size() + 1);
      event.name = marks.emplace(event.name, "mark-" + number).first->second;
    } else if (event.kind == EventKind::kFork) {
      name = "child-" + std::to_string(event.number);
      event.name = name;
    }
    event.type = renamed.Number(NameSpace::kType, event.type);
    event.site = renamed.Number(NameSpace::kSite, event.site);
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
