// Makes three wrong recordings of a right one and verifies each.
#include "tools/verify/self_test.h"

#include <nlohmann/json.hpp>
#include <unordered_map>

#include "allocators/pymalloc/generation.h"
#include "tracer/format/trace_reader.h"

namespace arenalab {
namespace {

// Frees watched for their address to come back.
constexpr std::size_t kWatchedFrees = 4096;
// A size that every generation serves, and none a class that 2.3 lacks.
constexpr std::uint64_t kSurelySmallBytes = 256;

struct Victims {
  bool found = false;
  std::uint64_t changed = 0;          // a request whose address is changed
  std::uint64_t changed_address = 0;  // to this
  std::uint64_t dropped = 0;          // a free that is left out
  std::uint64_t reused = 0;           // the request that reuses its address
};

bool IsPython(const Event& event) {
  return IsRequest(event.kind) && event.depth == 0 &&
         (event.layer == Layer::kMem || event.layer == Layer::kObject);
}

// From the middle on: frees of small blocks (known by the malloc seen before)
// until the address of one of them is handed out again.
Victims ChooseVictims(const std::string& path) {
  TraceReader reader(path);
  const std::uint64_t middle = reader.totals().requests / 2;
  std::unordered_map<std::uint64_t, std::uint64_t> freed;  // address -> request
  std::unordered_map<std::uint64_t, bool> small;           // live address
  Victims victims;
  Event event;
  while (reader.Next(&event)) {
    if (!IsPython(event)) continue;
    const bool is_small =
        event.size_bytes != 0 && event.size_bytes <= kSurelySmallBytes;
    if (event.kind == EventKind::kFree) {
      const auto it = small.find(event.address);
      if (it != small.end() && it->second && event.request >= middle &&
          freed.size() < kWatchedFrees) {
        freed.emplace(event.address, event.request);
      }
      if (it != small.end()) small.erase(it);
      continue;
    }
    if (event.kind == EventKind::kRealloc) small.erase(event.old_address);
    small[event.address] = is_small;
    const auto reused = freed.find(event.address);
    if (reused == freed.end()) continue;
    if (is_small && event.kind == EventKind::kAlloc) {
      victims = {.found = true,
                 .changed = event.request,
                 .changed_address = event.address ^ 0x10,
                 .dropped = reused->second,
                 .reused = event.request};
      break;
    }
    freed.erase(reused);
  }
  return victims;
}

// The nearest older generation whose arenas, pools or classes are others; the
// nearest newer one where there is none.
std::string OtherGeneration(std::string_view canonical) {
  GeometryValues own{};
  ForEachGeneration([&]<class G>() {
    if (G::kName == canonical) own = G::kGeometry;
  });
  std::string_view other;
  bool passed = false;
  ForEachGeneration([&]<class G>() {
    passed = passed || G::kName == canonical;
    if (G::kGeometry == own) return;
    if (!passed || other.empty()) other = G::kName;
  });
  return std::string(other);
}

SelfTestCase Run(const std::string& path, std::string name, std::uint64_t at,
                 const VerifyOptions& options) {
  SelfTestCase result{.name = std::move(name),
                      .at = at,
                      .report = Verify(path, options),
                      .caught = false};
  result.caught = result.report.status == VerifyStatus::kMismatch &&
                  (at == kAnyRequest || result.report.first->event == at);
  return result;
}

}  // namespace

SelfTestReport SelfTest(const std::string& path, const VerifyOptions& options) {
  SelfTestReport report;
  report.untouched = Verify(path, options);
  if (report.untouched.status != VerifyStatus::kEqual) {
    report.skipped = "the untouched trace is not equal";
    return report;
  }
  const Victims victims = ChooseVictims(path);
  VerifyOptions wrong = options;
  wrong.geometry = OtherGeneration(report.untouched.geometry);
  report.cases.push_back(Run(path, "on " + wrong.geometry, kAnyRequest, wrong));
  if (report.untouched.seeded_blocks != 0) {
    // Whose heap it begins with shows before the first request.
    SelfTestCase& other = report.cases.back();
    other.caught = other.report.status == VerifyStatus::kCannot;
  }
  if (!victims.found) {
    report.skipped =
        "no block of the trace's second half reuses another's address, so "
        "there is nothing to change";
    return report;
  }
  wrong = options;
  wrong.tampering = {.kind = Tampering::Kind::kAddress,
                     .request = victims.changed,
                     .address = victims.changed_address};
  report.cases.push_back(Run(
      path, "address of EVENT " + std::to_string(victims.changed) + " changed",
      victims.changed, wrong));
  wrong.tampering = {.kind = Tampering::Kind::kDropped,
                     .request = victims.dropped,
                     .address = 0};
  // The order of its pool's free list may show before the block itself is due.
  report.cases.push_back(Run(
      path, "free of EVENT " + std::to_string(victims.dropped) + " left out",
      kAnyRequest, wrong));
  report.passed = true;
  for (const SelfTestCase& c : report.cases) {
    report.passed = report.passed && c.caught;
  }
  return report;
}

std::string SelfTestText(const SelfTestReport& report) {
  std::string text = VerifyText(report.untouched) + "self-test\n";
  for (const SelfTestCase& c : report.cases) {
    text += c.caught ? "  caught      " : "  NOT CAUGHT  ";
    text += c.name;
    if (c.report.first.has_value()) {
      text += ": " + std::to_string(c.report.mismatches) +
              " mismatches, the first at EVENT " +
              std::to_string(c.report.first->event) + " (" +
              std::string(NameOf(c.report.first->what)) + ")";
    } else if (!c.report.reason.empty()) {
      text += ": " + c.report.reason;
    }
    text += "\n";
  }
  if (!report.skipped.empty()) text += "  not run: " + report.skipped + "\n";
  return text + (report.passed ? "self-test passed\n" : "self-test FAILED\n");
}

std::string SelfTestJson(const SelfTestReport& report) {
  using nlohmann::ordered_json;
  ordered_json json;
  json["schema"] = "arenalab.verify-self-test/1";
  json["passed"] = report.passed;
  json["skipped"] = report.skipped.empty() ? ordered_json(nullptr)
                                           : ordered_json(report.skipped);
  json["untouched"] = ordered_json::parse(VerifyJson(report.untouched));
  json["cases"] = ordered_json::array();
  for (const SelfTestCase& c : report.cases) {
    json["cases"].push_back(
        {{"name", c.name},
         {"caught", c.caught},
         {"report", ordered_json::parse(VerifyJson(c.report))}});
  }
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) +
         "\n";
}

}  // namespace arenalab
