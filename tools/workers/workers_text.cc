// The table and its chart, and the JSON.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tools/replay/readable.h"
#include "tools/workers/workers.h"

namespace arenalab {
namespace {

constexpr int kBarWidth = 30;

std::string Bar(double part, double whole) {
  const int length =
      whole <= 0 ? 0 : static_cast<int>(part / whole * kBarWidth + 0.5);
  return std::string(static_cast<std::size_t>(std::max(length, 1)), '#');
}

}  // namespace

std::string WorkersText(const WorkersResult& result) {
  double most = 0;
  for (const WorkersRow& row : result.rows)
    if (row.error.empty()) most = std::max(most, row.peak_pss_bytes);
  char line[240];
  std::string text = result.command + " on Python " + result.python + ", " +
                     std::to_string(result.rounds) +
                     (result.rounds == 1 ? " round" : " rounds (medians)") +
                     (result.pinned ? ", pinned to cores" : "") + "\n\n";
  std::snprintf(line, sizeof(line),
                "%-13s %3s %9s %9s %10s %10s %10s %5s  %s\n", "model", "n",
                "start-up", "work", "runs/s", "peak Pss", "at end", "proc",
                "peak Pss");
  text += line;
  const std::string* before = nullptr;
  for (const WorkersRow& row : result.rows) {
    if (before != nullptr && *before != row.model) text += "\n";
    before = &row.model;
    if (!row.error.empty()) {
      text +=
          row.model +
          std::string(14 - std::min<std::size_t>(row.model.size(), 13), ' ') +
          std::to_string(row.workers) + "  n/a: " + row.error + "\n";
      continue;
    }
    std::snprintf(line, sizeof(line),
                  "%-13s %3d %7.0f ms %7.2f s %10.2f %10s %10s %5.0f  %s\n",
                  row.model.c_str(), row.workers, 1000 * row.start_up_seconds,
                  row.work_seconds, row.runs_per_second(),
                  ReadableBytes(row.peak_pss_bytes).c_str(),
                  ReadableBytes(row.end_pss_bytes).c_str(), row.processes,
                  Bar(row.peak_pss_bytes, most).c_str());
    text += line;
  }
  return text;
}

nlohmann::ordered_json WorkersJson(const WorkersResult& result) {
  using Json = nlohmann::ordered_json;
  Json json;
  json["schema"] = "arenalab.workers/1";
  json["command"] = result.command;
  json["python"] = result.python;
  json["rounds"] = result.rounds;
  json["pinned"] = result.pinned;
  json["rows"] = Json::array();
  for (const WorkersRow& row : result.rows) {
    Json out = {{"model", row.model}, {"workers", row.workers}};
    if (!row.error.empty()) {
      out["error"] = row.error;
    } else {
      out["start_up_seconds"] = row.start_up_seconds;
      out["work_seconds"] = row.work_seconds;
      out["runs_per_second"] = row.runs_per_second();
      out["peak_pss_bytes"] = row.peak_pss_bytes;
      out["end_pss_bytes"] = row.end_pss_bytes;
      out["end_private_bytes"] = row.end_private_bytes;
      out["processes"] = row.processes;
    }
    json["rows"].push_back(std::move(out));
  }
  return json;
}

}  // namespace arenalab
