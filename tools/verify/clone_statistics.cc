// Replays up to the point and formats what the clone has then.
#include "tools/verify/clone_statistics.h"

#include <bit>
#include <charconv>
#include <optional>
#include <vector>

#include "allocators/pymalloc/arena_map.h"
#include "allocators/pymalloc/debug_malloc_stats.h"
#include "allocators/pymalloc/generation.h"
#include "tools/verify/lineage.h"
#include "tools/verify/trace_replay.h"
#include "tracer/format/heap_image.h"
#include "tracer/format/input_error.h"
#include "tracer/format/trace_reader.h"

namespace arenalab {
namespace {

bool IsStateRequest(const Event& event) {
  return IsRequest(event.kind) && event.depth == 0 && event.state == 0 &&
         (event.layer == Layer::kMem || event.layer == Layer::kObject);
}

template <class G>
class ReplayToPoint {
 public:
  explicit ReplayToPoint(CloneStatistics* result)
      : result_(result), replay_(&report_) {}
  ~ReplayToPoint() { map_.Destroy(Shape(), LibcRawSource()); }

  void BeginFile(const std::string& path) { replay_.BeginFile(path); }

  void Seed(const std::string& path, const std::vector<HeapImage>& heaps) {
    if (!replay_.Seed(heaps)) throw InputError(path + ": " + report_.reason);
    for (const HeapImage& heap : heaps) {
      for (const ArenaImage& arena : heap.arenas) {
        if (heap.state == 0) MarkArena(arena.base);
      }
    }
  }

  void Apply(const Event& event) {
    replay_.Apply(event);
    if (event.kind == EventKind::kArenaAcquire && event.state == 0 &&
        event.address != 0 && event.size_bytes == G::kGeometry.arena_bytes) {
      MarkArena(event.address);
    }
  }

  // False where pymalloc has not been asked yet.
  bool Finish() {
    const Heap<G>* heap = replay_.HeapOf(0);
    if (heap == nullptr) return false;
    Statistics statistics = heap->ComputeStatistics();
    statistics.map_mid_nodes = map_.mid_nodes();
    statistics.map_mid_bytes = map_.mid_nodes() * Shape().mid_bytes();
    statistics.map_bottom_nodes = map_.bottom_nodes();
    statistics.map_bottom_bytes = map_.bottom_nodes() * Shape().bottom_bytes();
    result_->text =
        FormatDebugMallocStats(statistics, G::kGeometry, G::kPolicy);
    result_->mismatches = report_.mismatches;
    return true;
  }

 private:
  void MarkArena(std::uint64_t base) {
    if (G::kPolicy.address_test != AddressTest::kRadixTree) return;
    map_.Mark(Shape(), base, LibcRawSource());
  }
  static constexpr RadixShape Shape() {
    return GenerationValues<G>::radix_shape();
  }

  CloneStatistics* result_;
  VerifyReport report_;
  TraceReplay<G> replay_;
  ArenaMap map_;  // of the recorded addresses
};

// Whether `event` is the last that counts; `state_requests`: those so far.
bool Reaches(const TracePoint& point, const Event& event,
             std::uint64_t state_requests) {
  switch (point.kind) {
    case TracePoint::Kind::kEnd:
      return false;
    case TracePoint::Kind::kRequest:
      return IsRequest(event.kind) && event.request == point.number;
    case TracePoint::Kind::kStateRequest:
      return IsStateRequest(event) && state_requests == point.number + 1;
    case TracePoint::Kind::kMark:
      return event.kind == EventKind::kMark && event.name == point.mark;
  }
  return false;
}

template <class G>
void Replay(const std::vector<Ancestor>& lineage, const TracePoint& point,
            CloneStatistics* result) {
  ReplayToPoint<G> replay(result);
  Event event;
  for (const Ancestor& ancestor : lineage) {
    TraceReader reader(ancestor.path);
    replay.BeginFile(ancestor.path);
    if (&ancestor == &lineage.front())
      replay.Seed(ancestor.path, reader.Heaps());
    const bool own = &ancestor == &lineage.back();
    bool reached = own && point.kind == TracePoint::Kind::kEnd;
    std::uint64_t state_requests = 0;
    while (reader.Next(&event)) {
      state_requests += IsStateRequest(event);
      replay.Apply(event);
      if (own ? Reaches(point, event, state_requests)
              : event.kind == EventKind::kFork &&
                    event.number == ancestor.fork) {
        reached = true;
        break;
      }
    }
    if (!reached) {
      throw InputError(
          ancestor.path +
          (own ? ": --at: the trace has no such request or mark"
               : ": ends before fork " + std::to_string(ancestor.fork)));
    }
    // Where it was read to its end.
    if (own && point.kind == TracePoint::Kind::kEnd)
      result->complete = reader.complete();
  }
  if (!replay.Finish()) {
    throw InputError(lineage.back().path +
                     ": pymalloc served no request up to there");
  }
}

}  // namespace

TracePoint ParseTracePoint(const std::string& text) {
  constexpr std::string_view kState = "state:";
  TracePoint point;
  if (text.empty()) return point;
  const bool of_state = text.starts_with(kState);
  const char* const begin = text.data() + (of_state ? kState.size() : 0);
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(begin, end, point.number);
  if (error == std::errc{} && stop == end) {
    point.kind =
        of_state ? TracePoint::Kind::kStateRequest : TracePoint::Kind::kRequest;
  } else if (of_state) {
    throw InputError("--at " + text + ": state:N wants a number");
  } else {
    point.kind = TracePoint::Kind::kMark;
    point.mark = text;
  }
  return point;
}

CloneStatistics StatisticsAt(const std::string& path, const TracePoint& point) {
  CloneStatistics result;
  std::string geometry;
  {
    TraceReader reader(path);
    const std::string obstacle = ObstacleTo(reader);
    if (!obstacle.empty()) throw InputError(path + ": " + obstacle);
    geometry = reader.Meta("geometry");
  }
  const std::optional<std::string_view> canonical = ResolveGeometry(geometry);
  if (!canonical) {
    throw InputError(path + ": the trace does not say which pymalloc made it");
  }
  result.geometry = *canonical;
  const std::vector<Ancestor> lineage = LineageOf(path);
  ForEachGeneration([&]<class G>() {
    if (G::kName == *canonical) Replay<G>(lineage, point, &result);
  });
  return result;
}

}  // namespace arenalab
