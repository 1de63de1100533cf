// One pass: before the piece, only who is live is kept.
#include "tracer/format/trim.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "tracer/format/heap_image.h"
#include "tracer/format/name_copy.h"
#include "tracer/format/object_table.h"

namespace arenalab {
namespace {

// The requests before the piece, as what they left behind.
class Past {
 public:
  void Take(const Event& event) {
    if (event.kind == EventKind::kArenaAcquire) {
      arenas_[event.address] = event;
    } else if (event.kind == EventKind::kArenaRelease) {
      arenas_.erase(event.address);
    }
    const std::uint32_t object = table_.Identify(event).object;
    if (object == kNoObject) return;
    if (object >= births_.size()) births_.resize(std::size_t{object} + 1);
    Birth& birth = births_[object];
    if (event.kind == EventKind::kFree) {
      birth.live = false;
      return;
    }
    const bool moved = event.kind == EventKind::kRealloc && birth.live;
    const std::uint64_t request = moved ? birth.event.request : event.request;
    birth = {true, event};
    birth.event.request = request;
    birth.event.old_address = birth.event.lag = 0;
    if (event.kind == EventKind::kRealloc) birth.event.kind = EventKind::kAlloc;
  }

  // What is live, at the time the piece begins.
  void WriteTo(TraceWriter& writer, NameCopy& names, std::uint64_t time_ns) {
    for (auto& [base, arena] : arenas_) {
      arena.time_ns = time_ns;
      writer.Append(arena);
    }
    std::erase_if(births_, [](const Birth& birth) { return !birth.live; });
    std::sort(births_.begin(), births_.end(),
              [](const Birth& a, const Birth& b) {
                return a.event.request < b.event.request;
              });
    for (Birth& birth : births_) {
      birth.event.time_ns = time_ns;
      names.Translate(&birth.event);
      writer.Append(birth.event);
    }
    births_.clear();
  }

 private:
  struct Birth {
    bool live = false;
    Event event;
  };
  ObjectTable table_;
  std::vector<Birth> births_;  // by object
  std::map<std::uint64_t, Event> arenas_;
};

}  // namespace

void Trim(TraceReader& reader, std::uint64_t from, std::uint64_t to,
          TraceWriter& writer) {
  if (from >= to || from >= reader.totals().requests) {
    throw InputError(reader.path() + ": requests " + std::to_string(from) +
                     " to " + std::to_string(to) + " of " +
                     std::to_string(reader.totals().requests) + " are none");
  }
  for (const auto& [key, value] : reader.meta()) writer.Meta(key, value);
  writer.Meta("trimmed", std::to_string(from) + " to " + std::to_string(to) +
                             " of " + reader.ContentHash());
  if (from != 0) writer.Meta("addresses", "none");
  const std::vector<HeapImage> heaps = reader.Heaps();
  if (from == 0 && !heaps.empty()) writer.Heaps(heaps, reader.Types(heaps));
  Past past;
  NameCopy names(reader, writer);
  bool inside = false;
  bool to_the_end = true;
  reader.Rewind();
  for (Event event; reader.Next(&event);) {
    if (event.request >= to) {
      to_the_end = false;
      break;
    }
    if (event.request < from) {
      past.Take(event);
      continue;
    }
    if (!inside) past.WriteTo(writer, names, event.time_ns);
    inside = true;
    // Not before the first request of the piece.
    event.lag = std::min(event.lag, writer.requests());
    names.Translate(&event);
    writer.Append(event);
  }
  if (to_the_end && !reader.complete()) {
    writer.Flush();
  } else {
    writer.Finish(reader.totals().lost, reader.totals().waited_ns);
  }
  if (!writer.ok()) throw InputError(writer.error());
}

}  // namespace arenalab
