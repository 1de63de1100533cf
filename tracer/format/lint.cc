// Two object tables: the program's requests, and those made inside them.
#include "tracer/format/lint.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>
#include <numeric>
#include <utility>

#include "tracer/format/heap_image.h"
#include "tracer/format/input_error.h"
#include "tracer/format/object_table.h"
#include "tracer/format/text_word.h"

namespace arenalab {
namespace {

// In the order of LintRule.
constexpr std::string_view kRuleNames[] = {"double-allocation",
                                           "unknown-free",
                                           "unknown-realloc",
                                           "foreign",
                                           "nested-free",
                                           "null-address",
                                           "misaligned",
                                           "size",
                                           "alignment",
                                           "lag",
                                           "arena",
                                           "fork-order",
                                           "lost"};
static_assert(std::size(kRuleNames) == kLintRules);

// A pointer has 47 bits for user space on x86-64, 48 at most elsewhere.
constexpr std::uint64_t kMaxSizeBytes = std::uint64_t{1} << 48;
constexpr std::uint64_t kMaxAlignBytes = std::uint64_t{1} << 30;
// Python guarantees 8 before 3.7 and 16 since, C libraries 16; a trace does
// not always say which Python, so the weakest is demanded.
constexpr std::uint64_t kMinAlignBytes = 8;

std::string Format(const char* format, auto... values) {
  char text[200];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

unsigned long long Wide(std::uint64_t value) { return value; }

const char* VerbOf(EventKind kind) {
  switch (kind) {
    case EventKind::kAlloc:
      return "malloc";
    case EventKind::kZeroed:
      return "calloc";
    case EventKind::kAligned:
      return "aligned";
    case EventKind::kRealloc:
      return "realloc";
    default:
      return "free";
  }
}

std::string Describe(const Event& event) {
  const std::string at =
      Format(" at 0x%llx (%s, thread %u)", Wide(event.address),
             LayerWord(event.layer).data(), event.thread);
  if (event.kind == EventKind::kFree) return "free" + at;
  return Format("%s(%llu)", VerbOf(event.kind), Wide(event.size_bytes)) + at;
}

// How the process came into being.
enum class Birth { kStarted, kForked, kUnknown, kWindow };

class Linter {
 public:
  Linter(const TraceReader& reader, bool trimmed, Birth birth)
      : addresses_(reader.Meta("addresses") != "none"),
        above_(!reader.Meta("above").empty()),
        debug_(!reader.Meta("lost.debug").empty()),
        birth_(birth),
        first_fork_known_(!trimmed) {}

  // The heap with which a trace begins that begins in the middle.
  void Remember(const HeapImage& heap) {
    Event block;
    block.kind = EventKind::kAlloc;
    block.layer = Layer::kObject;
    heap.VisitLiveBlocks([&](std::uint64_t address, std::size_t) {
      block.address = address;
      objects_.Identify(block);
    });
    for (const ArenaImage& arena : heap.arenas) {
      arenas_.insert({arena.base, heap.arena_bytes});
    }
  }

  // An event of an ancestor.
  void Remember(const Event& event) {
    if (IsRequest(event.kind)) {
      (event.depth == 0 ? objects_ : nested_).Identify(event);
      inherited_unexplained_ = objects_.unexplained();
    } else if (event.kind == EventKind::kArenaAcquire) {
      arenas_.insert({event.address, event.size_bytes});
    } else if (event.kind == EventKind::kArenaRelease) {
      arenas_.erase(event.address);
    }
  }

  void Take(const Event& event) {
    if (!IsRequest(event.kind)) return TakeOther(event);
    ++report_.requests;
    if (event.depth != 0) {
      nested_.Identify(event);
      return;
    }
    ++report_.judged;
    if (event.lag > event.request) {
      Find(LintRule::kLag, event,
           Describe(event) +
               Format(": began %llu requests ago", Wide(event.lag)));
    }
    if (event.kind != EventKind::kFree) TakeServed(event);
    TakeOwner(event);
  }

  LintReport Finish(const TraceReader& reader) {
    const std::size_t found_else = report_.first.size();
    // What no realloc has explained until now was a double allocation.
    for (const auto& [request, what] : displaced_) {
      if (report_.first.size() == found_else + LintReport::kFindings) break;
      report_.first.push_back({LintRule::kDoubleAllocation, request, what});
    }
    // A realloc that was under way at the fork may explain one of an
    // ancestor's.
    Count(LintRule::kDoubleAllocation) =
        objects_.unexplained() -
        std::min(objects_.unexplained(), inherited_unexplained_ + unseen_);
    report_.live_at_end = objects_.live();
    report_.complete = reader.complete();
    if (reader.totals().lost != 0) {
      Event end;
      end.request = report_.requests;
      Find(LintRule::kLost, end,
           Format("%llu events were not recorded", Wide(reader.totals().lost)));
    }
    std::stable_sort(report_.first.begin(), report_.first.end(),
                     [](const LintFinding& a, const LintFinding& b) {
                       return a.request < b.request;
                     });
    return std::move(report_);
  }

 private:
  void TakeServed(const Event& event) {
    if (event.size_bytes > kMaxSizeBytes) {
      Find(LintRule::kSize, event, Describe(event));
    }
    const bool aligned = event.kind == EventKind::kAligned;
    if (aligned && event.align_bytes > kMaxAlignBytes) {
      Find(LintRule::kAlignment, event,
           Describe(event) +
               Format(", aligned to %llu", Wide(event.align_bytes)));
    }
    if (!addresses_) return;
    const std::uint64_t align = aligned ? event.align_bytes : kMinAlignBytes;
    if (event.address == 0) {
      Find(LintRule::kNullAddress, event, Describe(event));
    } else if (event.address % align != 0) {
      Find(LintRule::kMisaligned, event,
           Describe(event) + Format(", not a multiple of %llu", Wide(align)));
    }
  }

  void TakeOwner(const Event& event) {
    const Identified identified = objects_.Identify(event);
    if (identified.displaced && above_ &&
        (event.layer == Layer::kRaw || event.layer == Layer::kLibc)) {
      // That tool gave it up while it served a request, unseen.
      Find(LintRule::kForeign, event, Describe(event) + ", given up unseen");
      ++unseen_;
    } else if (identified.displaced) {
      // Kept for a realloc to take away; the earliest few are enough to tell.
      if (displaced_.size() < kPending) {
        displaced_[event.request] = Describe(event) + ", which is live";
      }
    }
    if (identified.explains != kNoRequest) {
      displaced_.erase(identified.explains);
      ++report_.explained;
    }
    if (identified.unknown_old) {
      FindUnknown(event, event.old_address, LintRule::kUnknownRealloc);
    } else if (event.kind == EventKind::kFree &&
               identified.object == kNoObject) {
      FindUnknown(event, event.address, LintRule::kUnknownFree);
    }
  }

  // A block that is not live was given up.
  void FindUnknown(const Event& event, std::uint64_t address, LintRule rule) {
    Event gone = event;
    gone.kind = EventKind::kFree;
    gone.address = address;
    const bool nested = nested_.Identify(gone).object != kNoObject;
    if (debug_ && event.layer == Layer::kRaw) {
      // The debug layer's address is two words above what malloc gave it.
      gone.layer = Layer::kLibc;
      gone.address = address - 16;
      if (objects_.Identify(gone).object != kNoObject) {
        return Find(LintRule::kForeign, event,
                    Describe(event) + ": the C library's, 16 bytes lower");
      }
    }
    if (nested) {
      rule = LintRule::kNestedFree;
    } else if (event.layer == Layer::kLibc || birth_ == Birth::kUnknown ||
               (event.layer == Layer::kRaw && birth_ == Birth::kForked) ||
               (birth_ == Birth::kWindow && !InArena(address))) {
      rule = LintRule::kForeign;
    }
    Find(rule, event,
         Describe(event) + Format(": 0x%llx is ", Wide(address)) +
             (nested ? "allocated inside another request"
              : birth_ == Birth::kWindow && rule == LintRule::kForeign
                  ? "from before the window"
                  : "not live"));
  }

  // All blocks of the heap's arenas are known.
  bool InArena(std::uint64_t address) const {
    auto above = arenas_.upper_bound(address);
    if (above == arenas_.begin()) return false;
    --above;
    return address - above->first < above->second;
  }

  void TakeOther(const Event& event) {
    switch (event.kind) {
      case EventKind::kArenaAcquire:
        if (event.size_bytes == 0 || event.address == 0 ||
            !arenas_.insert({event.address, event.size_bytes}).second) {
          FindArena(event, "acquired");
        }
        break;
      case EventKind::kArenaRelease: {
        const auto found = arenas_.find(event.address);
        if (found == arenas_.end() && birth_ == Birth::kWindow) {
          // A piece of the interpreter's frame stack, from before the window.
          ++Count(LintRule::kForeign);
        } else if (found == arenas_.end() ||
                   found->second != event.size_bytes) {
          FindArena(event, "released, but no such arena is held");
        } else {
          arenas_.erase(found);
        }
        break;
      }
      case EventKind::kFork:
        if (event.number != forks_ && first_fork_known_) {
          Find(LintRule::kForkOrder, event,
               Format("fork %llu, expected %llu", Wide(event.number),
                      Wide(forks_)));
        }
        forks_ = event.number + 1;
        first_fork_known_ = true;
        break;
      default:
        break;
    }
  }

  void FindArena(const Event& event, const char* what) {
    Find(
        LintRule::kArena, event,
        Format("arena 0x%llx of %llu bytes ", Wide(event.address),
               Wide(event.size_bytes)) +
            what +
            (event.kind == EventKind::kArenaAcquire ? ": empty, or held already"
                                                    : ""));
  }

  std::uint64_t& Count(LintRule rule) {
    return report_.counts[static_cast<std::size_t>(rule)];
  }
  void Find(LintRule rule, const Event& event, std::string what) {
    if (Count(rule)++ < LintReport::kFindings) {
      report_.first.push_back({rule, event.request, std::move(what)});
    }
  }

  static constexpr std::size_t kPending = 4096;
  const bool addresses_;
  const bool above_;  // another tool's allocators stood above the hooks
  const bool debug_;  // a debug layer made blocks before the hooks were on it
  const Birth birth_;
  std::uint64_t inherited_unexplained_ = 0;
  std::uint64_t unseen_ = 0;
  ObjectTable objects_;
  ObjectTable nested_;
  std::map<std::uint64_t, std::string> displaced_;  // by request
  std::map<std::uint64_t, std::uint64_t> arenas_;   // base, size
  std::uint64_t forks_ = 0;                         // the next one's number
  bool first_fork_known_;
  LintReport report_;
};

}  // namespace

std::string_view LintRuleName(LintRule rule) {
  return kRuleNames[static_cast<std::size_t>(rule)];
}

bool LintReport::legal() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}) ==
         counts[static_cast<std::size_t>(LintRule::kForeign)];
}

LintReport Lint(TraceReader& reader,
                const std::vector<LintAncestor>& ancestors) {
  const bool window =
      !reader.Meta("window").empty() ||
      (!ancestors.empty() && !ancestors.front().trace->Meta("window").empty());
  const Birth birth = window                               ? Birth::kWindow
                      : !ancestors.empty()                 ? Birth::kForked
                      : reader.Meta("lost.parent").empty() ? Birth::kStarted
                                                           : Birth::kUnknown;
  Linter linter(reader, window || !reader.Meta("trimmed").empty(), birth);
  for (const HeapImage& heap :
       (ancestors.empty() ? reader : *ancestors.front().trace).Heaps()) {
    linter.Remember(heap);
  }
  for (const LintAncestor& ancestor : ancestors) {
    ancestor.trace->Rewind();
    Event event;
    do {
      if (!ancestor.trace->Next(&event)) {
        throw InputError(ancestor.trace->path() + ": ends before its fork " +
                         std::to_string(ancestor.fork) +
                         ", in which the judged process began");
      }
      linter.Remember(event);
    } while (event.kind != EventKind::kFork || event.number != ancestor.fork);
  }
  reader.Rewind();
  for (Event event; reader.Next(&event);) linter.Take(event);
  return linter.Finish(reader);
}

}  // namespace arenalab
