// The table of a replay for a terminal; contract in verdict.h.
#include <algorithm>
#include <cstdio>

#include "tools/replay/readable.h"
#include "tools/replay/verdict.h"

namespace arenalab {

using Json = nlohmann::ordered_json;

namespace {

double Number(const Json& value) { return value.get<double>(); }

// Named where it is not fresh.
std::string AgeIn(const Json& results) {
  const Json& options = results.at("options");
  if (!options.contains("aged") || options.at("aged").is_null())
    return "; fresh heap";
  const Json& aged = options.at("aged");
  char text[96];
  std::snprintf(
      text, sizeof(text),
      "; aged heap: %.3g x the peak objects, %.3g stay, seed %llu",
      Number(aged.at("multiplier")), Number(aged.at("occupancy")),
      static_cast<unsigned long long>(aged.at("seed").get<std::uint64_t>()));
  return text;
}

}  // namespace

std::string SummaryTable(const Json& results) {
  const std::vector<std::string> heads = {
      "allocator", "held peak",   "held valley", "committed peak",
      "peak",      "as recorded", "last valley", "as recorded",
      "end",       "as recorded", "ns/event",    "x time"};
  std::vector<std::vector<std::string>> rows = {heads};
  for (const Json& allocator : results.at("allocators")) {
    const Json& summary = allocator.at("summary");
    const auto bytes = [&](const char* key) -> std::string {
      const Json& value = summary.at(key);
      return value.is_null() ? "n/a" : ReadableBytes(Number(value));
    };
    std::string gross = "n/a";
    std::string ratio = "n/a";
    if (const Json& time = allocator.at("time"); !time.is_null()) {
      char text[32];
      std::snprintf(text, sizeof(text), "%.1f",
                    Number(time.at("gross_median")));
      gross = text;
      ratio = ReadableRatio(Number(time.at("ratio_to_pymalloc").at("median")));
    }
    const bool model = !allocator.at("waterfall").is_null();
    rows.push_back(
        {NameInTables(allocator), bytes("peak_held_bytes"),
         bytes("last_valley_held_bytes"),
         model ? bytes("peak_committed_bytes") : "n/a", bytes("peak_rss_bytes"),
         bytes("peak_rss_recorded_bytes"), bytes("last_valley_rss_bytes"),
         bytes("last_valley_rss_recorded_bytes"), bytes("end_rss_bytes"),
         bytes("end_rss_recorded_bytes"), gross, ratio});
  }
  std::vector<std::size_t> widths(heads.size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  }
  // Held and committed are computed, or the library's word; from `peak` on it
  // is what was resident with the clock stopped and with the recorded one.
  std::string table =
      "scope " + results.at("options").at("scope").get<std::string>() +
      "; memory: filled, resident bytes with the clock stopped | as recorded; "
      "time: touch " +
      results.at("options").at("touch").get<std::string>() + AgeIn(results) +
      "\n";
  for (const auto& row : rows) {
    std::string line = row[0];
    line.resize(widths[0], ' ');
    for (std::size_t i = 1; i < row.size(); ++i) {
      line += "  " + std::string(widths[i] - row[i].size(), ' ') + row[i];
    }
    table += line + "\n";
  }
  return table;
}

std::string LatencyTable(const Json& results) {
  std::string table;
  for (const Json& allocator : results.at("allocators")) {
    if (!allocator.contains("latency") || allocator.at("latency").is_null())
      continue;
    const Json& latency = allocator.at("latency");
    char line[200];
    if (table.empty()) {
      std::snprintf(line, sizeof(line),
                    "\nlatency, ns; one request in %llu timed by itself, %.0f "
                    "ns of it the clock's\n%-36s %-8s %10s %8s %8s %8s %10s\n",
                    static_cast<unsigned long long>(
                        latency.at("one_in").get<std::uint64_t>()),
                    Number(latency.at("clock_ns")), "allocator", "request",
                    "timed", "p50", "p99", "p99.9", "max");
      table += line;
    }
    for (const auto& [kind, figures] : latency.at("kinds").items()) {
      std::snprintf(
          line, sizeof(line), "%-36s %-8s %10llu %8.0f %8.0f %8.0f %10.0f\n",
          NameInTables(allocator).c_str(), kind.c_str(),
          static_cast<unsigned long long>(
              figures.at("timed").get<std::uint64_t>()),
          Number(figures.at("p50_ns")), Number(figures.at("p99_ns")),
          Number(figures.at("p999_ns")), Number(figures.at("max_ns")));
      table += line;
    }
  }
  return table;
}

}  // namespace arenalab
