// An inspection as JSON, and the difference of two.
#include <algorithm>
#include <fstream>

#include "allocators/pymalloc/size_class.h"
#include "tools/inspect/inspection.h"
#include "tools/replay/readable.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

using Json = nlohmann::ordered_json;
constexpr const char* kSchema = "arenalab.inspect/1";
constexpr std::size_t kRowsShown = 20;

Json HeapJson(const HeapInspection& heap) {
  const HeapReading& reading = heap.reading;
  const Statistics& s = reading.statistics;
  Json json;
  json["geometry"] = {{"arena_bytes", reading.geometry.arena_bytes},
                      {"pool_bytes", reading.geometry.pool_bytes},
                      {"alignment", reading.geometry.alignment},
                      {"classes", reading.geometry.classes}};
  json["arenas"] = {{"live", s.arenas_live},
                    {"created", s.arenas_created},
                    {"released", s.arenas_released},
                    {"high_water", s.arenas_high_water}};
  json["waterfall"] = {
      {"live_blocks", s.allocated_bytes},
      {"pool_headers", s.pool_header_bytes},
      {"pool_tails", s.quantization_bytes},
      {"free_blocks", s.available_bytes},
      {"free_pools", s.unused_pools * reading.geometry.pool_bytes},
      {"arena_rest", s.alignment_bytes},
      {"held", s.arenas_live * reading.geometry.arena_bytes}};
  json["classes"] = Json::array();
  for (std::size_t i = 0; i < reading.geometry.classes; ++i)
    if (s.classes[i].pools > 0)
      json["classes"].push_back(
          {{"block_bytes", BlockSize(reading.geometry, i)},
           {"pools", s.classes[i].pools},
           {"live_blocks", s.classes[i].used_blocks},
           {"free_blocks", s.classes[i].available_blocks}});
  json["types"] = Json::array();
  for (const TypeRow& row : heap.census.types)
    json["types"].push_back({{"name", row.name},
                             {"is_object", row.is_object},
                             {"is_part", row.is_part},
                             {"blocks", row.blocks},
                             {"bytes", row.bytes},
                             {"pinners", row.pinners}});
  json["owners"] = Json::array();
  for (std::size_t i = 0; i < kOwners; ++i)
    json["owners"].push_back(
        {{"name", NameOf(static_cast<Owner>(i))},
         {"blocks", heap.census.owners[i].blocks},
         {"bytes", heap.census.owners[i].bytes},
         {"pinners", heap.census.owners[i].pinners},
         {"only_arenas", heap.census.owners[i].only_arenas}});
  json["blocks_away"] = Json::array();
  for (const AwayRow& row : heap.census.away)
    json["blocks_away"].push_back({{"least", row.least},
                                   {"most", row.most},
                                   {"arenas", row.arenas},
                                   {"blocks", row.blocks}});
  json["arena_list"] = Json::array();
  for (const ArenaReading& arena : reading.arenas)
    json["arena_list"].push_back({{"base", arena.base},
                                  {"live_blocks", arena.live_blocks},
                                  {"live_bytes", arena.live_bytes},
                                  {"used_pools", arena.used_pools},
                                  {"free_pools", arena.free_pools},
                                  {"pages_in_memory", arena.present_pages},
                                  {"idle_pages", arena.idle_pages},
                                  {"pages_swapped", arena.swapped_pages}});
  json["torn_pools"] = reading.torn_pools;
  json["pools_read_again"] = reading.pools_read_again;
  return json;
}

void AddWhose(const WhoseMemory& whose, Json* out) {
  Json& json = *out;
  json["whose"] = {{"sentence", WhoseSentence(whose)},
                   {"rss_bytes", whose.totals.rss_bytes},
                   {"pss_bytes", whose.totals.pss_bytes},
                   {"swap_bytes", whose.totals.swap_bytes}};
  json["whose"]["rows"] = Json::array();
  for (const WhoseRow& row : whose.rows)
    json["whose"]["rows"].push_back(
        {{"key", row.key}, {"label", row.label}, {"rss_bytes", row.rss_bytes}});
  json["c_heaps"] = Json::array();
  for (const CHeap& heap : whose.c_heaps)
    json["c_heaps"].push_back({{"base", heap.begin},
                               {"bytes", heap.end - heap.begin},
                               {"main", heap.is_main},
                               {"walked", heap.walked},
                               {"live_bytes", heap.present_live_bytes},
                               {"free_bytes", heap.present_free_bytes}});
  json["c_arenas"] = Json::array();
  for (const CArena& arena : ArenasOf(whose.c_heaps))
    json["c_arenas"].push_back({{"record", arena.arena},
                                {"heaps", arena.heaps},
                                {"bytes", arena.held_bytes},
                                {"live_bytes", arena.live_bytes},
                                {"free_bytes", arena.free_bytes},
                                {"trimmable_bytes", arena.trimmable_bytes}});
}

nlohmann::json ReadInspection(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw InputError(path + ": cannot be read");
  nlohmann::json json = nlohmann::json::parse(file, nullptr, false);
  if (!json.is_object() || json.value("schema", "") != kSchema)
    throw InputError(path + ": is not what `arenalab inspect --json` writes");
  return json;
}

// Bytes and blocks by name, summed over the heaps.
struct Sum {
  std::int64_t blocks = 0;
  std::int64_t bytes = 0;
};
using Sums = std::map<std::string, Sum>;

void AddTo(Sums* sums, const nlohmann::json& inspection, int sign) {
  for (const auto& heap : inspection.at("heaps")) {
    for (const auto& row : heap.at("types")) {
      Sum& sum = (*sums)["type   " + row.at("name").get<std::string>()];
      sum.blocks += sign * row.at("blocks").get<std::int64_t>();
      sum.bytes += sign * row.at("bytes").get<std::int64_t>();
    }
    for (const auto& row : heap.at("classes")) {
      const auto block = row.at("block_bytes").get<std::int64_t>();
      const auto live = row.at("live_blocks").get<std::int64_t>();
      Sum& sum = (*sums)["class  " + std::to_string(block) + " B"];
      sum.blocks += sign * live;
      sum.bytes += sign * live * block;
    }
  }
  if (!inspection.contains("whose")) return;  // of a core
  for (const auto& row : inspection.at("whose").at("rows"))
    (*sums)["memory " + row.at("label").get<std::string>()].bytes +=
        sign * row.at("rss_bytes").get<std::int64_t>();
}

std::string Signed(std::int64_t n) {
  return (n < 0 ? "-" : "+") +
         ReadableCount(static_cast<std::uint64_t>(n < 0 ? -n : n));
}

}  // namespace

Json InspectionJson(const Inspection& inspection) {
  Json json;
  json["schema"] = kSchema;
  json["target"] = inspection.target;
  json["python"] = inspection.python;
  json["verdict"] = VerdictSentences(inspection);
  json["by_headers"] = inspection.by_headers;
  if (const auto& stop = inspection.standstill)
    json["standstill"] = {{"milliseconds", stop->stopped_ms},
                          {"bytes", stop->bytes},
                          {"bytes_late", stop->bytes_late}};
  if (inspection.whose) AddWhose(*inspection.whose, &json);
  json["thread_states"] = nullptr;
  if (inspection.thread_states) {
    json["thread_states"] = Json::array();
    for (const ThreadState& state : *inspection.thread_states)
      json["thread_states"].push_back({{"interpreter", state.interpreter},
                                       {"native_id", state.native_id},
                                       {"runs_python", state.runs_python}});
  }
  json["heaps"] = Json::array();
  for (const HeapInspection& heap : inspection.heaps)
    json["heaps"].push_back(HeapJson(heap));
  return json;
}

std::string DifferenceText(const std::string& before_path,
                           const std::string& after_path) {
  Sums sums;
  try {
    AddTo(&sums, ReadInspection(before_path), -1);
    AddTo(&sums, ReadInspection(after_path), +1);
  } catch (const nlohmann::json::exception& error) {
    throw InputError(before_path + ", " + after_path +
                     ": not as inspect writes them: " + error.what());
  }
  std::vector<std::pair<std::string, Sum>> grown;
  for (const auto& entry : sums)
    if (entry.second.bytes > 0) grown.push_back(entry);
  std::stable_sort(grown.begin(), grown.end(),
                   [](const auto& a, const auto& b) {
                     return a.second.bytes > b.second.bytes;
                   });
  if (grown.empty()) return "Nothing grew.\n";
  char line[160];
  std::string text = "What grew\n";
  for (std::size_t i = 0; i < std::min(kRowsShown, grown.size()); ++i) {
    const auto& [name, sum] = grown[i];
    std::snprintf(line, sizeof(line), "  %-54.54s %14s bytes %14s blocks\n",
                  name.c_str(), Signed(sum.bytes).c_str(),
                  sum.blocks == 0 ? "" : Signed(sum.blocks).c_str());
    text += line;
  }
  return text;
}

}  // namespace arenalab
