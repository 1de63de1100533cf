// Which lines pin arenas and what each mark held, out of a results object.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tools/ci/outcome.h"

namespace arenalab {
namespace {

using nlohmann::json;

const json* FirstPymalloc(const json& results) {
  for (const json& allocator : results.at("allocators")) {
    if (allocator.value("name", "") == "pymalloc") return &allocator;
  }
  return nullptr;
}

// `file.py:88`, or `file.py:88 function`.
void SplitSite(Pinner* pinner) {
  const std::string& site = pinner->site;
  for (std::size_t colon = site.rfind(':');
       colon != std::string::npos && colon > 0;
       colon = site.rfind(':', colon - 1)) {
    char* end = nullptr;
    const long line = std::strtol(site.c_str() + colon + 1, &end, 10);
    if (end == site.c_str() + colon + 1 || line <= 0) continue;
    pinner->line = static_cast<int>(line);
    pinner->file = site.substr(0, colon);
    // A function's name may stand before the file: "fill (app/cache.py:88)".
    const std::size_t open = pinner->file.rfind('(');
    if (open != std::string::npos) pinner->file.erase(0, open + 1);
    return;
  }
}

}  // namespace

std::vector<Pinner> PinnersOf(const json& results) {
  const json* pymalloc = FirstPymalloc(results);
  if (pymalloc == nullptr) return {};
  // Where a service idles; a run without a valley is asked at its end.
  json end =
      pymalloc->value("/arenas/retention/last_valley"_json_pointer, json());
  if (!end.is_object()) {
    end = pymalloc->value("/arenas/retention/end"_json_pointer, json());
  }
  if (!end.is_object() || !end.contains("pinned")) return {};
  std::map<std::string, Pinner> by_site;
  for (const json& arena : end["pinned"]) {
    std::set<std::string> sites;
    for (const json& block : arena.value("pinners", json::array())) {
      const json site = block.value("site", json());
      if (!site.is_string() || site.get<std::string>().empty()) continue;
      Pinner& pinner = by_site[site.get<std::string>()];
      pinner.site = site.get<std::string>();
      ++pinner.blocks;
      if (sites.insert(pinner.site).second) ++pinner.arenas;
    }
  }
  std::vector<Pinner> pinners;
  for (auto& [site, pinner] : by_site) {
    SplitSite(&pinner);
    pinners.push_back(pinner);
  }
  std::ranges::stable_sort(pinners, [](const Pinner& a, const Pinner& b) {
    return a.arenas > b.arenas;
  });
  return pinners;
}

std::vector<MarkedHeld> MarksOf(const json& results) {
  const json* pymalloc = FirstPymalloc(results);
  if (pymalloc == nullptr || !results.contains("marks")) return {};
  const json held = pymalloc->value("held_bytes", json());
  if (!held.is_array()) return {};
  std::vector<MarkedHeld> marks;
  double before = 0;
  for (const json& mark : results["marks"]) {
    const std::size_t sample = mark.value("sample", std::size_t{0});
    if (sample >= held.size() || !held[sample].is_number()) continue;
    const double bytes = held[sample].get<double>();
    marks.push_back({mark.value("name", "?"), bytes, bytes - before});
    before = bytes;
  }
  return marks;
}

std::vector<MarkedHeld> WorstMarks(const std::vector<MarkedHeld>& marks) {
  std::vector<MarkedHeld> worst = marks;
  std::ranges::stable_sort(worst, [](const MarkedHeld& a, const MarkedHeld& b) {
    return a.growth_bytes > b.growth_bytes;
  });
  if (worst.size() > kWorstMarks) worst.resize(kWorstMarks);
  return worst;
}

}  // namespace arenalab
