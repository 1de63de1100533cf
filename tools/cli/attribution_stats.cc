// Few rows each: --json has all.
#include "tools/cli/attribution_stats.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "tools/replay/compile.h"
#include "tools/replay/moments.h"
#include "tools/replay/readable.h"
#include "tracer/call_site.h"

namespace arenalab {
namespace {

constexpr std::size_t kMostRows = 6;

std::string Cells(const std::string& name, const AttributedRow& row) {
  char line[80];
  std::snprintf(line, sizeof line, "  %12s%12s%12s  ",
                ReadableCount(row.objects).c_str(),
                ReadableBytes(static_cast<double>(row.bytes)).c_str(),
                ReadableCount(row.pinners).c_str());
  return line + name + "\n";
}

// The callers nearest to it, of the stack with most bytes.
std::string Callers(std::string_view stack) {
  constexpr int kShown = 3;
  if (!IsStack(stack)) return "";
  std::string_view left = stack.substr(LeafOf(stack).size() + kCaller.size());
  std::string text(38, ' ');
  text += "from ";
  for (int i = 0; i < kShown && !left.empty(); ++i) {
    const std::string_view caller = LeafOf(left);
    text += (i == 0 ? "" : std::string(kCaller)) + std::string(caller);
    left.remove_prefix(std::min(left.size(), caller.size() + kCaller.size()));
  }
  return text + (left.empty() ? "\n" : " < …\n");
}

// Nothing where nothing is known.
std::string Rows(const std::vector<AttributedRow>& rows, const char* unknown) {
  if (rows.empty() || (rows.size() == 1 && rows[0].name.empty())) return "";
  std::string text;
  const std::size_t shown = std::min(rows.size(), kMostRows);
  for (std::size_t i = 0; i < shown; ++i) {
    text += Cells(rows[i].name.empty() ? unknown : rows[i].name, rows[i]);
    text += Callers(rows[i].stack);
  }
  if (shown < rows.size()) {
    text += "  and " + ReadableCount(rows.size() - shown) +
            " more (--json has all)\n";
  }
  return text;
}

}  // namespace

std::vector<AttributedMoment> AttributeMoments(TraceReader& reader,
                                               const GeometryValues& geometry) {
  std::vector<AttributedMoment> moments;
  {
    const CompiledTrace trace = Compile(reader, Scope::kPython, {});
    if (trace.steps == 0) return moments;
    const Samples samples =
        ChooseSamples(trace, geometry.max_small_bytes, /*count=*/2);
    const auto add = [&](const char* name, std::size_t sample) {
      AttributedMoment moment;
      moment.name = name;
      moment.request = samples.timeline.request[sample];
      moments.push_back(moment);
    };
    add("peak", samples.moments.peak);
    if (const auto valley = samples.moments.last_valley()) {
      add("last_valley", *valley);
    }
    add("end", samples.moments.end);
  }
  std::stable_sort(moments.begin(), moments.end(),
                   [](const AttributedMoment& a, const AttributedMoment& b) {
                     return a.request < b.request;
                   });
  return Attribute(reader, geometry, std::move(moments));
}

std::string AttributionText(const std::vector<AttributedMoment>& moments) {
  std::string text;
  for (const AttributedMoment& moment : moments) {
    const std::string types = Rows(moment.types, "no type known");
    const std::string sites = Rows(moment.sites, "no Python line known");
    if (types.empty() && sites.empty()) continue;
    std::string name = moment.name;
    std::replace(name.begin(), name.end(), '_', ' ');
    char head[80];
    std::snprintf(head, sizeof head, "\n  %12s%12s%12s  ", "objects", "bytes",
                  "pinners");
    text += head + ("live at the " + name + ", EVENT ") +
            ReadableCount(moment.request) + "\n";
    text += Cells("in all; pinners hold " +
                      ReadableCount(moment.pinned_arenas) + " arenas",
                  moment.all);
    text += types;
    if (!types.empty() && !sites.empty()) text += "\n";
    text += sites;
  }
  return text;
}

}  // namespace arenalab
