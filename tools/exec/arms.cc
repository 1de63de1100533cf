// Rounds, medians and the table; contract in arms.h.
#include "tools/exec/arms.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>

#include "tools/replay/measure_ratio.h"

namespace arenalab {
namespace {

template <typename Number>
double MedianOf(const std::vector<MeasuredRun>& runs,
                Number MeasuredRun::*member) {
  std::vector<double> values;
  for (const MeasuredRun& run : runs) {
    values.push_back(static_cast<double>(run.*member));
  }
  return Median(std::move(values));
}

MeasuredRun MedianRun(const std::vector<MeasuredRun>& runs) {
  const auto bytes = [](double value) {
    return static_cast<std::uint64_t>(value);
  };
  MeasuredRun median;
  std::vector<double> valleys;
  for (const MeasuredRun& run : runs) {
    median.status = std::max(median.status, run.status);
    median.forked = median.forked || run.forked;
    if (run.valley_bytes) {
      valleys.push_back(static_cast<double>(*run.valley_bytes));
    }
  }
  median.wall_s = MedianOf(runs, &MeasuredRun::wall_s);
  median.cpu_s = MedianOf(runs, &MeasuredRun::cpu_s);
  median.minor_faults = bytes(MedianOf(runs, &MeasuredRun::minor_faults));
  median.peak_bytes = bytes(MedianOf(runs, &MeasuredRun::peak_bytes));
  median.end_bytes = bytes(MedianOf(runs, &MeasuredRun::end_bytes));
  // Of a valley that only some of the runs have, nothing is said.
  if (!valleys.empty() && valleys.size() == runs.size()) {
    median.valley_bytes = bytes(Median(std::move(valleys)));
  }
  return median;
}

std::vector<double> CpuOf(const std::vector<MeasuredRun>& runs) {
  std::vector<double> times;
  // Never 0: it is divided by.
  for (const MeasuredRun& run : runs) {
    times.push_back(std::max(run.cpu_s, 1e-6));
  }
  return times;
}

std::string Mib(std::uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f",
                static_cast<double>(bytes) / (1024 * 1024));
  return text;
}

std::string OrDash(const std::optional<std::uint64_t>& bytes) {
  return bytes ? Mib(*bytes) : "-";
}

std::string RatioText(const TimeRatio& ratio, int rounds) {
  char text[64];
  if (rounds < 3) {
    std::snprintf(text, sizeof(text), "%.3f", ratio.median);
  } else {
    std::snprintf(text, sizeof(text), "%.3f [%.3f-%.3f]", ratio.median,
                  ratio.low, ratio.high);
  }
  return text;
}

std::string Line(const std::string& name, const MeasuredRun& run,
                 const std::string& ratio, std::size_t name_columns) {
  char text[256];
  std::snprintf(
      text, sizeof(text), "%-*s %9.2f  %-21s %9.2f %10s %10s %10s %11llu%s\n",
      static_cast<int>(name_columns), name.c_str(), run.cpu_s, ratio.c_str(),
      run.wall_s, Mib(run.peak_bytes).c_str(), OrDash(run.valley_bytes).c_str(),
      Mib(run.end_bytes).c_str(),
      static_cast<unsigned long long>(run.minor_faults),
      run.status == 0 ? "" : ("  exit " + std::to_string(run.status)).c_str());
  return text;
}

std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '"' || c == '\\') escaped += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) escaped += c;
  }
  return escaped;
}

std::string JsonOf(const MeasuredRun& run) {
  char text[320];
  std::snprintf(
      text, sizeof(text),
      "{\"status\": %d, \"cpu_s\": %.6f, \"wall_s\": %.6f, "
      "\"peak_bytes\": %llu, \"last_valley_bytes\": %s, "
      "\"end_bytes\": %llu, \"minor_faults\": %llu, \"forked\": %s}",
      run.status, run.cpu_s, run.wall_s,
      static_cast<unsigned long long>(run.peak_bytes),
      run.valley_bytes ? std::to_string(*run.valley_bytes).c_str() : "null",
      static_cast<unsigned long long>(run.end_bytes),
      static_cast<unsigned long long>(run.minor_faults),
      run.forked ? "true" : "false");
  return text;
}

}  // namespace

ArmComparison CompareArms(
    const std::vector<Arm>& arms, const std::vector<std::string>& command,
    int rounds, const std::function<void(const std::string&, int, int)>& told) {
  ArmComparison comparison;
  comparison.rounds = rounds;
  for (const Arm& arm : arms) {
    comparison.arms.push_back({arm, {}, {}, {}});
  }
  std::vector<MeasuredRun> again;
  const std::size_t places = arms.size() + 1;  // the last: the first once more
  const int total = rounds * static_cast<int>(places);
  int done = 0;
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < places; ++i) {
      // Each round begins elsewhere, every second one runs backwards.
      const std::size_t turn = (static_cast<std::size_t>(round) + i) % places;
      const std::size_t place = round % 2 == 0 ? turn : places - 1 - turn;
      const bool is_again = place == arms.size();
      const Arm& arm = arms[is_again ? 0 : place];
      told(arm.name, done++, total);
      MeasuredRun run = RunMeasured(arm, command, false);
      (is_again ? again : comparison.arms[place].runs)
          .push_back(std::move(run));
    }
  }
  const std::vector<double> reference = CpuOf(comparison.arms[0].runs);
  std::uint64_t seed = 1;
  comparison.again = RatioOf(CpuOf(again), reference, seed);
  for (ArmResult& result : comparison.arms) {
    result.median = MedianRun(result.runs);
    result.cpu = RatioOf(CpuOf(result.runs), reference, ++seed);
    result.cpu.verdict = Judge(result.cpu, comparison.again, rounds);
  }
  return comparison;
}

std::string ArmTable(const ArmComparison& comparison) {
  std::size_t columns = 9;
  for (const ArmResult& result : comparison.arms) {
    columns = std::max(columns, result.arm.name.size());
  }
  char head[256];
  std::snprintf(head, sizeof(head), "%-*s %9s  %-21s %9s %10s %10s %10s %11s\n",
                static_cast<int>(columns), "", "CPU s", "ratio", "wall s",
                "peak MiB", "valley MiB", "end MiB", "faults");
  std::string table = head;
  for (const ArmResult& result : comparison.arms) {
    const bool first = &result == &comparison.arms.front();
    table +=
        Line(result.arm.name, result.median,
             first ? "1" : RatioText(result.cpu, comparison.rounds), columns);
  }
  table += "A/A: " + comparison.arms.front().arm.name +
           " against itself, CPU " +
           RatioText(comparison.again, comparison.rounds) + "; " +
           std::to_string(comparison.rounds) +
           (comparison.rounds == 1 ? " round" : " rounds, interleaved") + "\n";
  return table;
}

std::string ArmJson(const ArmComparison& comparison,
                    const std::vector<std::string>& command) {
  std::string words;
  for (const std::string& word : command) {
    words += (words.empty() ? "\"" : ", \"") + Escaped(word) + "\"";
  }
  std::string text = "{\"rounds\": " + std::to_string(comparison.rounds) +
                     ", \"command\": [" + words + "], \"again_cpu_ratio\": " +
                     std::to_string(comparison.again.median) + ", \"arms\": [";
  for (const ArmResult& result : comparison.arms) {
    text += &result == &comparison.arms.front() ? "\n" : ",\n";
    text += " {\"name\": \"" + Escaped(result.arm.name) + "\", \"line\": \"" +
            Escaped(LineOf(result.arm, command)) + "\", \"cpu_ratio\": [" +
            std::to_string(result.cpu.median) + ", " +
            std::to_string(result.cpu.low) + ", " +
            std::to_string(result.cpu.high) +
            "], \"median\": " + JsonOf(result.median) + ", \"runs\": [";
    for (const MeasuredRun& run : result.runs) {
      text += (&run == &result.runs.front() ? "" : ", ") + JsonOf(run);
    }
    text += "]}";
  }
  return text + "\n]}\n";
}

}  // namespace arenalab
