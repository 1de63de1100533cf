// One function a line; a line that has nothing to say is left out.
#include "tools/replay/verdict.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <utility>

#include "tools/replay/prediction_error.h"
#include "tools/replay/readable.h"
#include "tools/replay/whose_line.h"

namespace arenalab {
namespace {

using Json = nlohmann::ordered_json;

// What is committed is compared only if it differs by more than this.
constexpr double kSameWithin = 0.02;

double Number(const Json& value) { return value.get<double>(); }

// The first allocator whose inside is known.
const Json* Reference(const Json& results) {
  for (const Json& allocator : results.at("allocators")) {
    if (!allocator.at("waterfall").is_null()) return &allocator;
  }
  return nullptr;
}

std::string Percent(double part, double whole) {
  char text[16];
  std::snprintf(text, sizeof(text), "%.0f %%", 100 * part / whole);
  return text;
}

// "holds 11.0 MiB in 11 arenas for 9.8 MiB of small requests: 1.12x"
std::string HoldsAt(const Json& results, const Json& allocator,
                    std::size_t sample) {
  const double small =
      Number(allocator.at("waterfall").at("bytes").at(sample).at(0));
  const double held = Number(allocator.at("held_bytes").at(sample));
  std::string line =
      "holds " + ReadableBytes(held) + " in " +
      ReadableCount(
          allocator.at("arenas").at("live").at(sample).get<std::uint64_t>()) +
      " arenas for " + ReadableBytes(small) + " of small requests";
  if (small > 0) line += ": " + ReadableRatio(held / small);
  const double repack =
      Number(results.at("limits").at("class_repack").at(sample));
  if (small > 0 && repack > 0) {
    line += " (one that compacts each class: " + ReadableRatio(repack / small) +
            ")";
  }
  return line;
}

// Whether the clone is the interpreter's allocator, where that was checked.
std::string ProofLine(const Json& results) {
  const Json& verify = results.at("verify");
  if (verify.is_null()) return "";
  if (verify.at("status") == "cannot") {
    return "Proof: none. " + verify.at("reason").get<std::string>();
  }
  return "Proof: " + ReadableCount(verify.at("compared").get<std::uint64_t>()) +
         " addresses compared with Python " +
         verify.at("python").get<std::string>() + "'s, " +
         ReadableCount(verify.at("mismatches").get<std::uint64_t>()) +
         " mismatches.";
}

std::string PeakLine(const Json& results, const Json& allocator) {
  const auto peak = results.at("moments").at("peak").get<std::size_t>();
  return "Peak: " + NameInTables(allocator) + " " +
         HoldsAt(results, allocator, peak) + ".";
}

std::string LargeLine(const Json& results) {
  const auto peak = results.at("moments").at("peak").get<std::size_t>();
  const double all =
      Number(results.at("timeline").at("requested_bytes").at(peak));
  const double small =
      Number(results.at("timeline").at("requested_small_bytes").at(peak));
  if (all == 0) return "";
  return "Whose: of " + ReadableBytes(all) + " requested at the peak " +
         Percent(small, all) + " are small requests, pymalloc's; " +
         ReadableBytes(all - small) + " are the C library's.";
}

std::string ValleyLine(const Json& results, const Json& allocator) {
  const Json& valley = results.at("moments").at("last_valley");
  if (valley.is_null()) {
    return "Valley: none. Small requests never fall by a fifth of their peak "
           "and stay down, so nothing is retained that was given up.";
  }
  return "Last valley: it " +
         HoldsAt(results, allocator, valley.get<std::size_t>()) + ".";
}

// What the bytes that are not live blocks are, largest first.
std::string CauseLine(const Json& results, const Json& allocator) {
  const Json& valley = results.at("moments").at("last_valley");
  const std::size_t sample =
      (valley.is_null() ? results.at("moments").at("peak") : valley)
          .get<std::size_t>();
  const Json& parts = allocator.at("waterfall").at("parts");
  const Json& bytes = allocator.at("waterfall").at("bytes").at(sample);
  std::vector<std::pair<double, std::string>> waste;
  double held = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    held += Number(bytes[i]);
    if (i == 0) continue;
    std::string name = parts[i].get<std::string>();
    std::replace(name.begin(), name.end(), '_', ' ');
    waste.emplace_back(Number(bytes[i]), name);
  }
  if (held == 0) return "";
  std::sort(waste.begin(), waste.end(), std::greater<>());
  std::string line = "Why: of what is held ";
  line += valley.is_null() ? "at the peak " : "at the last valley ";
  line += Percent(Number(bytes[0]), held) + " is live";
  for (std::size_t i = 0; i < 3 && waste[i].first > 0; ++i) {
    line += ", " + Percent(waste[i].first, held) + " " + waste[i].second;
  }
  return line + ".";
}

std::string HoldersLine(const Json& allocator) {
  const Json& arenas = allocator.at("arenas");
  const Json& counts = arenas.at("live_blocks").at("last_valley");
  if (counts.is_null() || counts.size() < 2) return "";
  const std::size_t half = counts.size() / 2;
  const auto blocks = std::accumulate(
      counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(half),
      std::uint64_t{0}, [](std::uint64_t sum, const Json& count) {
        return sum + count.get<std::uint64_t>();
      });
  return "Holders: " + ReadableCount(half) + " of its " +
         ReadableCount(counts.size()) + " arenas (" +
         ReadableBytes(static_cast<double>(half) *
                       Number(arenas.at("arena_bytes"))) +
         ") are held by " + ReadableCount(blocks) + " blocks there; " +
         ReadableCount(arenas.at("released").get<std::uint64_t>()) + " of " +
         ReadableCount(arenas.at("created").get<std::uint64_t>()) +
         " arenas were released over the run.";
}

bool DifferAt(const Json& recorded, const Json& allocator, std::size_t sample) {
  const double stopped = Number(allocator.at("rss_bytes").at(sample));
  return std::abs(Number(recorded[sample]) - stopped) > kSameWithin * stopped;
}

bool IsPriceTag(const Json& allocator) {
  const auto name = allocator.at("name").get<std::string>();
  return name == "null" || name == "bump";
}

// "pymalloc 263 MiB (4.6x) [250 MiB with the program's idle time]"
std::string ResidentOf(const Json& allocator, std::size_t sample,
                       double limit) {
  const double rss = Number(allocator.at("rss_bytes").at(sample));
  std::string text = NameInTables(allocator) + " " + ReadableBytes(rss);
  if (limit > 0) text += " (" + ReadableRatio(rss / limit) + ")";
  const Json& recorded = allocator.at("rss_recorded_bytes");
  if (!recorded.is_null() && DifferAt(recorded, allocator, sample)) {
    text += " [" + ReadableBytes(Number(recorded[sample])) +
            " with the program's idle time]";
  }
  return text;
}

// Who holds least, and how far each is from the limit. Resident bytes of all
// requests, every allocator alike.
std::string ResidentLine(const Json& results, const char* title,
                         std::size_t sample) {
  std::vector<const Json*> measured;
  for (const Json& allocator : results.at("allocators")) {
    if (!allocator.at("rss_bytes").is_null() && !IsPriceTag(allocator))
      measured.push_back(&allocator);
  }
  if (measured.empty()) return "";
  const auto rss = [&](const Json* allocator) {
    return Number(allocator->at("rss_bytes").at(sample));
  };
  std::ranges::stable_sort(measured, {}, rss);
  const double limit = Number(results.at("limits").at("page_load").at(sample));
  const double least = rss(measured[0]);
  std::string line = std::string(title) + ": ";
  std::size_t alike = 1;
  while (alike < measured.size() &&
         rss(measured[alike]) <= least * (1 + kSameWithin)) {
    ++alike;
  }
  if (measured.size() > 1) {
    line += alike == measured.size() ? "all alike within 2 %: "
            : alike > 1              ? "least, alike within 2 %: "
                                     : "least ";
  }
  for (std::size_t i = 0; i < measured.size(); ++i) {
    if (i > 0) line += i == alike ? "; then " : ", ";
    line += ResidentOf(*measured[i], sample, limit);
  }
  if (limit > 0) {
    line += ". Nothing holds less than " + ReadableBytes(limit) + " (1.00x)";
  }
  return line + ".";
}

struct Timed {
  std::string name;
  double net;
  double median;
  double low;
  double high;
  std::string verdict;
};

std::string IntervalOf(const Timed& timed) {
  char text[80];
  std::snprintf(text, sizeof(text), "%.2fx the time [%.2f, %.2f]", timed.median,
                timed.low, timed.high);
  return text;
}

// Who is fastest, by how much, and whether that is more than noise.
std::string TimeLine(const Json& results) {
  std::vector<Timed> all;
  for (const Json& allocator : results.at("allocators")) {
    const Json& time = allocator.at("time");
    if (time.is_null() || IsPriceTag(allocator)) continue;
    const Json& net = time.at("net_median");
    const Json& ratio = time.at("ratio_to_pymalloc");
    all.push_back({NameInTables(allocator),
                   Number(net.is_null() ? time.at("gross_median") : net),
                   Number(ratio.at("median")), Number(ratio.at("low")),
                   Number(ratio.at("high")),
                   ratio.at("verdict").get<std::string>()});
  }
  if (all.empty()) return "";
  const Timed base = all[0];
  char text[200];
  std::snprintf(
      text, sizeof(text), "%s %.1f ns an event%s", base.name.c_str(), base.net,
      results.at("allocators")[0].at("time").is_null() ||
              results.at("allocators")[0].at("time").at("net_median").is_null()
          ? ""
          : " net of the replay loop");
  if (all.size() == 1) return std::string("Time: ") + text + ".";
  std::string line = "Time: ";
  std::ranges::stable_sort(all, {}, &Timed::median);
  const auto fastest = std::ranges::find(all, "faster", &Timed::verdict);
  if (base.verdict == "too few rounds") {
    line += "too few rounds to tell a difference; ";
  } else if (fastest == all.end()) {
    line += "nobody is measurably faster than " + base.name + "; ";
  } else {
    line += "fastest is " + fastest->name + ", " + IntervalOf(*fastest) +
            " of " + base.name + ", more than noise; ";
  }
  line += text;
  std::snprintf(text, sizeof(text), " (itself again: [%.2f, %.2f])", base.low,
                base.high);
  line += text;
  for (const Timed& other : all) {
    if (other.name == base.name ||
        (fastest != all.end() && other.name == fastest->name)) {
      continue;
    }
    line += ", " + other.name + " " + IntervalOf(other);
    line += other.verdict == "too few rounds" ? "" : ": " + other.verdict;
  }
  return line + ".";
}

// How far such predictions were from real runs, for the allocators of this
// replay; "" where none was held against any.
std::string ErrorBand(const Json& results) {
  double median = 0;
  std::vector<std::pair<double, std::string>> worst;
  for (const PredictionError& error : kPredictionErrors) {
    for (const Json& allocator : results.at("allocators")) {
      if (allocator.at("name") != error.allocator ||
          allocator.at("rss_bytes").is_null()) {
        continue;
      }
      median = std::max(median, error.median_percent);
      worst.emplace_back(error.worst_percent, error.allocator);
      break;
    }
  }
  if (worst.empty()) return "";
  std::ranges::sort(worst, std::greater<>());
  char text[96];
  std::snprintf(text, sizeof(text),
                "resident bytes in last valleys were off by up to %.1f %% "
                "in the median, at worst by ",
                median);
  std::string line = text;
  for (const auto& [percent, allocator] : worst) {
    std::snprintf(text, sizeof(text), "%s%.0f %% (%s)",
                  percent == worst.front().first ? "" : ", ", percent,
                  allocator.c_str());
    line += text;
  }
  return "Error: held against Python really running on them, " + line + ". ";
}

std::string LimitsLine(const Json& results) {
  return ErrorBand(results) +
         "Not told: what Python itself would do with the time and memory "
         "saved; blocks are filled, as asked for, and nothing else runs.";
}

}  // namespace

std::string NameInTables(const Json& allocator) {
  const auto spelled = allocator.at("spelled").get<std::string>();
  if (spelled != "pymalloc") return spelled;
  return spelled + " (" +
         allocator.at("settings").at("geometry").get<std::string>() + ")";
}

std::vector<std::string> VerdictLines(const Json& results) {
  std::vector<std::string> lines;
  const auto add = [&](std::string line) {
    if (!line.empty() && lines.size() < kMostVerdictLines) {
      lines.push_back(std::move(line));
    }
  };
  if (!results.at("complete").get<bool>()) {
    add("The trace is incomplete: all of this is about the part that is "
        "there.");
  }
  if (results.at("trace").at("replayed").get<std::uint64_t>() == 0) {
    add("Nothing was replayed: the trace holds no request in scope " +
        results.at("options").at("scope").get<std::string>() + ".");
    return lines;
  }
  std::string whose = WhoseLine(results, Reference(results));
  add(whose.empty() ? LargeLine(results) : std::move(whose));
  add(ProofLine(results));
  if (const Json* reference = Reference(results)) {
    add(PeakLine(results, *reference));
    add(ValleyLine(results, *reference));
    add(CauseLine(results, *reference));
    add(HoldersLine(*reference));
  }
  const Json& moments = results.at("moments");
  add(ResidentLine(results, "Resident at the peak, all requests",
                   moments.at("peak").get<std::size_t>()));
  if (!moments.at("last_valley").is_null()) {
    add(ResidentLine(results, "Resident at the last valley",
                     moments.at("last_valley").get<std::size_t>()));
  }
  add(TimeLine(results));
  add(LimitsLine(results));
  return lines;
}

}  // namespace arenalab
