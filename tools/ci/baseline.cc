// Reading, writing and trimming; contract in baseline.h.
#include "tools/ci/baseline.h"

#include <filesystem>
#include <fstream>

#include "tools/output/output_file.h"
#include "tools/version.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

using nlohmann::json;

constexpr char kSchema[] = "arenalab.baseline/1";

void Copy(const json& from, json* to, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    if (from.contains(key)) (*to)[key] = from[key];
  }
}

}  // namespace

std::optional<Baseline> ReadBaseline(const std::string& path) {
  std::ifstream in(path);
  if (!in) {
    if (std::filesystem::exists(path)) {
      throw InputError(path + ": cannot be read");
    }
    return std::nullopt;
  }
  const json file = json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (!file.is_object() || file.value("schema", "") != kSchema ||
      !file.contains("subjects") || !file["subjects"].is_object()) {
    throw InputError(path + ": is no " + kSchema +
                     "; `arenalab ci --save-baseline` writes one");
  }
  Baseline baseline;
  for (const auto& [name, recordings] : file["subjects"].items()) {
    for (const json& recording : recordings) {
      if (!recording.is_object() || !recording.contains("allocators")) {
        throw InputError(path + ": '" + name + "' holds what is no results");
      }
      baseline[name].push_back(recording);
    }
  }
  return baseline;
}

void WriteBaseline(const std::string& path, const Baseline& baseline) {
  const std::filesystem::path folder =
      std::filesystem::path(path).parent_path();
  std::error_code ignored;
  if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
  json file = {{"schema", kSchema}, {"tool", kVersion}, {"subjects", baseline}};
  WriteWholeFile(path, /*force=*/true, file.dump(1) + "\n");
}

json Comparable(const json& results) {
  json out;
  Copy(results, &out, {"schema", "tool", "complete", "machine"});
  const json empty = json::object();
  Copy(results.value("trace", empty), &out["trace"],
       {"hash", "program", "python", "geometry", "requests", "replayed"});
  Copy(results.value("options", empty), &out["options"], {"scope", "touch"});
  out["verify"] = nullptr;
  if (results.contains("verify") && results["verify"].is_object()) {
    out["verify"] = json::object();
    Copy(results["verify"], &out["verify"],
         {"status", "compared", "mismatches"});
  }
  out["allocators"] = json::array();
  for (const json& allocator : results.at("allocators")) {
    json kept;
    Copy(allocator, &kept,
         {"name", "spelled", "label", "version", "sha256", "summary"});
    const auto arenas = allocator.find("arenas");
    if (arenas != allocator.end() && arenas->is_object()) {
      Copy(*arenas, &kept["arenas"],
           {"arena_bytes", "pool_bytes", "created", "released", "high_water",
            "live_at_end"});
    }
    const auto time = allocator.find("time");
    if (time != allocator.end() && time->is_object()) {
      Copy(*time, &kept["time"],
           {"gross_ns_per_event", "again_ns_per_event", "ratio_to_pymalloc"});
    }
    out["allocators"].push_back(std::move(kept));
  }
  return out;
}

}  // namespace arenalab
