// Drives the clone with a recording, one request at a time.
#include "tools/verify/verify.h"

#include <vector>

#include "allocators/pymalloc/generation.h"
#include "tools/verify/family.h"
#include "tools/verify/fork_relay.h"
#include "tools/verify/lineage.h"
#include "tools/verify/trace_replay.h"
#include "tracer/format/heap_image.h"
#include "tracer/format/trace_reader.h"

namespace arenalab {
namespace {

// Of the served requests, so many must have been compared; one in ten thousand
// is more than any recording loses at its beginning.
constexpr std::uint64_t kMostUncomparedPer = 10'000;

// One event as the tampering has it; false: left out.
bool Tampered(const Tampering& tampering, Event* event) {
  if (event->request != tampering.request || !IsRequest(event->kind)) {
    return true;
  }
  switch (tampering.kind) {
    case Tampering::Kind::kAddress:
      event->address = tampering.address;
      return true;
    case Tampering::Kind::kDropped:
      return false;
    case Tampering::Kind::kNone:
      break;
  }
  return true;
}

// In words; `inherited` is what an ancestor's recording lost.
std::string Lost(const TraceReader& reader, const std::string& inherited) {
  if (!inherited.empty()) return inherited;
  for (const auto& [key, value] : reader.meta()) {
    if (key.starts_with("lost")) return value;
  }
  if (reader.totals().lost == 0) return "";
  return std::to_string(reader.totals().lost) + " events were dropped";
}

// What was found so far is from now on what a child began with.
void Bequeath(const std::string& child, VerifyReport* report) {
  report->file = child;
  report->inherited += report->requests;
  report->inherited_compared = report->compared;
  report->requests = 0;
}

void Judge(VerifyReport* report) {
  const std::string& lost = report->lost;
  report->status = VerifyStatus::kCannot;
  if (!lost.empty()) {
    report->warnings.push_back("the recording lost something: " + lost);
  }
  // A file that begins with a heap is judged by the arenas it gives back, too.
  const bool judged = report->served != 0 || report->seeded_blocks != 0;
  if (report->mismatches != 0 && judged) {
    if (lost.empty()) {
      report->status = VerifyStatus::kMismatch;
      report->reason.clear();
    } else {
      report->reason = "the recording lost something (" + lost +
                       "), so that a mismatch says nothing of the clone";
    }
    return;
  }
  if (!judged) {
    if (report->reason.empty()) {
      report->reason = "pymalloc served no request of this trace";
    }
    return;
  }
  const std::uint64_t uncompared = report->served - report->compared;
  if (uncompared > report->served / kMostUncomparedPer) {
    if (report->reason.empty()) {
      report->reason = "only " + std::to_string(report->compared) + " of " +
                       std::to_string(report->served) +
                       " served requests could be compared";
    }
    return;
  }
  report->reason.clear();
  report->status = VerifyStatus::kEqual;
}

// All that a run's verification shares between its processes.
struct Run {
  Family family;
  ForkRelay relay;
};

template <class G>
void Follow(TraceReplay<G>* replay, const std::string& path, bool begins,
            const Tampering& tampering, Run* run, VerifyReport* report);

// The children that were forked here go on with the heap as it is now, each in
// a process of its own.
template <class G>
void FollowChildren(TraceReplay<G>* replay, const std::string& path,
                    std::uint64_t fork, Run* run, VerifyReport* report) {
  for (const std::string& child : run->family.ForkedAt(path, fork)) {
    if (!run->relay.Split()) continue;
    Bequeath(child, report);
    try {
      const TraceReader reader(child);
      report->python = reader.Meta("python");
      report->reason = ObstacleTo(reader);
      report->lost = Lost(reader, report->lost);
      if (report->reason.empty()) {
        Follow(replay, child, false, {}, run, report);
        Judge(report);
      }
    } catch (const InputError& error) {
      report->status = VerifyStatus::kCannot;
      report->reason = error.what();
    }
    run->relay.Tell(child, VerifyJson(*report));
    run->relay.End();
  }
}

// From the first event of a file to its last. `begins`: nothing was replayed
// before it.
template <class G>
void Follow(TraceReplay<G>* replay, const std::string& path, bool begins,
            const Tampering& tampering, Run* run, VerifyReport* report) {
  TraceReader reader(path);
  replay->BeginFile(path);
  if (begins && !replay->Seed(reader.Heaps())) return;
  Event event;
  while (reader.Next(&event)) {
    report->requests += IsRequest(event.kind);
    if (tampering.kind != Tampering::Kind::kNone &&
        !Tampered(tampering, &event)) {
      continue;
    }
    replay->Apply(event);
    if (run != nullptr && event.kind == EventKind::kFork) {
      FollowChildren(replay, path, event.number, run, report);
    }
  }
  if (!reader.complete()) {
    report->warnings.push_back(
        "the trace is incomplete (no end mark): its prefix was verified");
  }
  replay->Finish(reader.complete());
}

template <class G>
bool Replay(const std::vector<Ancestor>& lineage, const Tampering& tampering,
            Run* run, VerifyReport* report) {
  TraceReplay<G> replay(report);
  Event event;
  for (std::size_t i = 0; i + 1 < lineage.size(); ++i) {
    TraceReader parent(lineage[i].path);
    replay.BeginFile(lineage[i].path);
    if (i == 0 && !replay.Seed(parent.Heaps())) return false;
    const std::uint64_t fork = lineage[i].fork;
    bool reached = false;
    while (!reached && parent.Next(&event)) {
      report->requests += IsRequest(event.kind);
      reached = event.kind == EventKind::kFork && event.number == fork;
      replay.Apply(event);
    }
    report->lost = Lost(parent, report->lost);
    Bequeath(lineage[i + 1].path, report);
    if (!reached) {
      report->file = lineage.back().path;
      report->reason = "the parent's trace " + lineage[i].path +
                       " ends before fork " + std::to_string(fork);
      return false;
    }
  }
  Follow(&replay, lineage.back().path, lineage.size() == 1, tampering, run,
         report);
  return true;
}

VerifyReport VerifyWith(const std::string& path, const VerifyOptions& options,
                        Run* run) {
  VerifyReport report;
  report.file = path;
  std::string geometry;
  {
    TraceReader reader(path);
    report.python = reader.Meta("python");
    geometry =
        options.geometry.empty() ? reader.Meta("geometry") : options.geometry;
    report.reason = ObstacleTo(reader);
    report.lost = Lost(reader, "");
  }
  if (!report.reason.empty()) return report;
  if (geometry.empty()) {
    report.reason =
        "the trace does not say which pymalloc made it; name it with "
        "--geometry cpython-X.Y.Z";
    return report;
  }
  const std::optional<std::string_view> canonical = ResolveGeometry(geometry);
  if (!canonical.has_value()) {
    report.reason = "no clone of `" + geometry +
                    "`; --geometry takes classic or cpython-X.Y[.Z]";
    return report;
  }
  report.geometry = *canonical;
  const std::vector<Ancestor> lineage = LineageOf(path);
  bool replayed = false;
  ForEachGeneration([&]<class G>() {
    if (G::kName == *canonical) {
      replayed = Replay<G>(lineage, options.tampering, run, &report);
    }
  });
  if (replayed) Judge(&report);
  return report;
}

}  // namespace

std::string ObstacleTo(const TraceReader& reader) {
  const std::string allocator = reader.Meta("allocator", "pymalloc");
  if (allocator != "pymalloc") {
    return "pymalloc was not beneath the hooks but `" + allocator +
           "` (PYTHONMALLOC or a debug build?); record again without it";
  }
  if (reader.Meta("addresses", "recorded") == "none") {
    return "the trace has no addresses: it was written by hand";
  }
  if (reader.Meta("pointer-bits", "64") != "64") {
    return "the trace is of a " + reader.Meta("pointer-bits") +
           "-bit interpreter; the clone is 64-bit";
  }
  return "";
}

VerifyReport Verify(const std::string& path, const VerifyOptions& options) {
  return VerifyWith(path, options, nullptr);
}

std::vector<std::string> VerifyRun(const std::string& path,
                                   const VerifyOptions& options) {
  Run run{.family = Family(path), .relay = {}};
  const auto tell = [&](const std::string& member, Run* with) {
    VerifyReport report;
    try {
      report = VerifyWith(member, options, with);
    } catch (const InputError& error) {
      report.file = member;
      report.reason = error.what();
    }
    run.relay.Tell(member, VerifyJson(report));
  };
  for (const std::string& member : run.family.members()) {
    if (!run.family.IsForked(member)) tell(member, &run);
  }
  std::vector<std::string> reports;
  for (const std::string& member : run.family.members()) {
    // A fork that the parent's trace does not reach, for one.
    if (!run.relay.told().contains(member)) tell(member, nullptr);
    reports.push_back(run.relay.told().at(member));
  }
  return reports;
}

}  // namespace arenalab
