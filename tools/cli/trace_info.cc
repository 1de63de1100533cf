// Text and JSON are two spellings of one struct.
#include "tools/cli/trace_info.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "tools/version.h"
#include "tracer/format/object_table.h"

namespace arenalab {
namespace {

constexpr const char* kKinds[] = {
    "alloc",         "zeroed", "aligned", "realloc", "free", "arena_acquire",
    "arena_release", "mark",   "fork",    "memory",  "held"};
constexpr std::size_t kKindCount = std::size(kKinds);
static_assert(kKindCount == static_cast<std::size_t>(EventKind::kHeld) + 1);
constexpr const char* kLayers[] = {"raw", "mem", "obj", "libc"};

struct Info {
  std::array<std::uint64_t, kKindCount> by_kind{};
  std::array<std::uint64_t, 4> by_layer{};  // requests
  std::uint64_t nested = 0;                 // requests at depth over 0
  std::uint64_t allocated_bytes = 0;        // asked for at depth 0
  std::uint64_t duration_ns = 0;
  std::uint64_t peak_objects = 0;
  std::uint64_t file_bytes = 0;  // 0: not a regular file
  std::set<std::uint32_t> threads;
  std::set<std::uint32_t> states;
  std::vector<std::pair<std::string, std::uint64_t>> marks;  // name, request
};

Info Count(TraceReader& reader) {
  // More marks than anybody reads would only fill memory.
  constexpr std::size_t kMarks = 1000;
  Info info;
  ObjectTable objects;
  reader.Rewind();
  for (Event event; reader.Next(&event);) {
    ++info.by_kind[static_cast<std::size_t>(event.kind)];
    info.threads.insert(event.thread);
    info.states.insert(event.state);
    info.duration_ns = event.time_ns;
    if (event.kind == EventKind::kMark && info.marks.size() < kMarks) {
      info.marks.emplace_back(event.name, event.request);
    }
    if (!IsRequest(event.kind)) continue;
    ++info.by_layer[static_cast<std::size_t>(event.layer)];
    if (event.depth != 0) {
      ++info.nested;
      continue;
    }
    info.allocated_bytes += event.size_bytes;
    objects.Identify(event);
  }
  info.peak_objects = objects.high_water();
  struct stat status;
  if (stat(reader.path().c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
    info.file_bytes = static_cast<std::uint64_t>(status.st_size);
  }
  return info;
}

double BytesPerEvent(const Info& info, const TraceTotals& totals) {
  return totals.events == 0 ? 0
                            : static_cast<double>(info.file_bytes) /
                                  static_cast<double>(totals.events);
}

void Line(std::string* text, const std::string& key, const std::string& value) {
  char start[24];
  std::snprintf(start, sizeof start, "%-15s ", key.c_str());
  *text += start + value + "\n";
}

// 1234567 as 1,234,567.
std::string Grouped(std::uint64_t value) {
  std::string digits = std::to_string(value);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

}  // namespace

std::string TraceInfoText(TraceReader& reader) {
  const Info info = Count(reader);
  const TraceTotals& totals = reader.totals();
  std::string text;
  char number[64];
  Line(&text, "trace", reader.path());
  if (info.file_bytes != 0) {
    std::snprintf(number, sizeof number, " (%.2f an event)",
                  BytesPerEvent(info, totals));
    Line(&text, "bytes", Grouped(info.file_bytes) + number);
  }
  Line(&text, "hash", reader.ContentHash());
  Line(&text, "complete", reader.complete() ? "yes" : "no: it has no END mark");
  Line(&text, "requests",
       Grouped(totals.requests) + " (" + Grouped(info.nested) +
           " inside others)");
  Line(&text, "events", Grouped(totals.events));
  for (std::size_t i = 0; i < kKindCount; ++i) {
    if (info.by_kind[i] != 0) {
      Line(&text, std::string("  ") + kKinds[i], Grouped(info.by_kind[i]));
    }
  }
  for (std::size_t i = 0; i < info.by_layer.size(); ++i) {
    if (info.by_layer[i] != 0) {
      Line(&text, std::string("  in ") + kLayers[i], Grouped(info.by_layer[i]));
    }
  }
  Line(&text, "lost", Grouped(totals.lost));
  std::snprintf(number, sizeof number, "%.3f s",
                static_cast<double>(totals.waited_ns) / 1e9);
  Line(&text, "waited", number);
  std::snprintf(number, sizeof number, "%.3f s",
                static_cast<double>(info.duration_ns) / 1e9);
  Line(&text, "duration", number);
  Line(&text, "threads", Grouped(info.threads.size()));
  Line(&text, "states", Grouped(info.states.size()));
  Line(&text, "allocated", Grouped(info.allocated_bytes) + " bytes asked for");
  Line(&text, "peak objects", Grouped(info.peak_objects));
  for (const auto& [name, request] : info.marks) {
    Line(&text, "mark", name + " at request " + Grouped(request));
  }
  for (const auto& [key, value] : reader.meta()) {
    if (key == "readings") continue;  // thousands of numbers; --json has them
    std::string pair = key;
    pair += ' ';
    pair += value;
    Line(&text, "meta", pair);
  }
  return text;
}

std::string TraceInfoJson(TraceReader& reader) {
  const Info info = Count(reader);
  const TraceTotals& totals = reader.totals();
  nlohmann::ordered_json by_kind = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < kKindCount; ++i) {
    by_kind[kKinds[i]] = info.by_kind[i];
  }
  nlohmann::ordered_json by_layer = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < info.by_layer.size(); ++i) {
    by_layer[kLayers[i]] = info.by_layer[i];
  }
  nlohmann::ordered_json marks = nlohmann::ordered_json::array();
  for (const auto& [name, request] : info.marks) {
    marks.push_back({{"name", name}, {"request", request}});
  }
  const nlohmann::ordered_json json = {
      {"schema", "arenalab.trace-info/1"},
      {"tool", kVersion},
      {"file", reader.path()},
      {"file_bytes", info.file_bytes},
      {"hash", reader.ContentHash()},
      {"complete", reader.complete()},
      {"requests", totals.requests},
      {"events", totals.events},
      {"lost", totals.lost},
      {"waited_ns", totals.waited_ns},
      {"duration_ns", info.duration_ns},
      {"nested_requests", info.nested},
      {"allocated_bytes", info.allocated_bytes},
      {"peak_objects", info.peak_objects},
      {"threads", info.threads.size()},
      {"states", info.states.size()},
      {"by_kind", by_kind},
      {"by_layer", by_layer},
      {"marks", marks},
      {"meta", reader.meta()}};
  // Names and metadata are bytes; what is no UTF-8 is replaced.
  return json.dump(2, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace) +
         "\n";
}

}  // namespace arenalab
