// Checks the results and fills the page's template.
#include "visualizer/report.h"

#include <ctime>
#include <map>
#include <string_view>
#include <utility>

#include "tracer/format/input_error.h"
#include "visualizer/page_assets.h"
#include "visualizer/quantity.h"
#include "visualizer/sections.h"

namespace arenalab {
namespace {

constexpr std::string_view kSchema = "arenalab.results/1";

void RequireArray(const nlohmann::json& value, const std::string& path) {
  if (!value.is_array() || value.empty()) {
    throw InputError("the results lack " + path +
                     " (an array): write them anew with arenalab replay");
  }
}

// What both the sections and the script rely on without looking again.
void CheckSchema(const nlohmann::json& results) {
  const std::string schema = TextOf(At(results, "schema"));
  if (schema != kSchema) {
    throw InputError("not a results file: schema is '" + schema +
                     "', this report reads '" + std::string(kSchema) +
                     "' (arenalab replay TRACE -o FILE writes it)");
  }
  const nlohmann::json& timeline = At(results, "timeline");
  for (const char* key :
       {"request", "allocated_bytes", "time_ns", "requested_bytes"}) {
    RequireArray(At(timeline, key), std::string("timeline.") + key);
    if (timeline[key].size() != timeline["request"].size()) {
      throw InputError(std::string("timeline.") + key +
                       " has another length than timeline.request");
    }
  }
  RequireArray(At(results, "allocators"), "allocators");
  if (!At(At(results, "moments"), "peak").is_number()) {
    throw InputError("the results lack moments.peak");
  }
}

// JSON inside a script element must not hold "</script" or "<!--".
std::string ScriptSafe(const nlohmann::json& value) {
  const std::string text =
      value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

// Only the characters of base64, whatever the file says.
std::string Base64Only(const std::string& text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool good = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                      (c >= '0' && c <= '9') || c == '+' || c == '/' ||
                      c == '=';
    out += good ? c : '!';
  }
  return out;
}

constexpr const char* kPayloads[] = {"map", "objects", "places"};

// The payloads stand in blocks of their own, so that the page is interactive
// before the first of them is decoded.
std::string PayloadBlocks(const nlohmann::json& results) {
  std::string out;
  std::size_t number = 0;
  if (const nlohmann::json& data = At(At(results, "live"), "data");
      data.is_string()) {
    out += "<script type=\"application/octet-stream\" id=\"live\">" +
           Base64Only(data.get<std::string>()) + "</script>\n";
  }
  for (const nlohmann::json& allocator : results["allocators"]) {
    for (const char* kind : kPayloads) {
      const nlohmann::json& data = At(At(allocator, kind), "data");
      if (!data.is_string()) continue;
      out += "<script type=\"application/octet-stream\" id=\"" +
             std::string(kind) + "-" + std::to_string(number) + "\">" +
             Base64Only(data.get<std::string>()) + "</script>\n";
    }
    ++number;
  }
  return out;
}

nlohmann::json WithoutPayloads(nlohmann::json results) {
  if (At(results, "live").is_object()) results["live"].erase("data");
  for (nlohmann::json& allocator : results["allocators"]) {
    for (const char* kind : kPayloads) {
      if (At(allocator, kind).is_object()) allocator[kind].erase("data");
    }
  }
  return results;
}

// Without what would make the page larger than it may be; each is told.
nlohmann::json WithinLimit(nlohmann::json results, std::size_t most_bytes) {
  const auto size = [&results](const std::string& kind) {
    std::size_t bytes = 0;
    if (const nlohmann::json& live = At(At(results, "live"), "data");
        kind == "places" && live.is_string()) {
      bytes += live.get_ref<const std::string&>().size();
    }
    for (const nlohmann::json& allocator : results["allocators"]) {
      const nlohmann::json& data = At(At(allocator, kind), "data");
      if (data.is_string()) bytes += data.get_ref<const std::string&>().size();
    }
    return bytes;
  };
  for (const auto& [kind, name] : {std::pair{"places",
                                             "where other allocators put "
                                             "the objects"},
                                   std::pair{"objects", "the list of objects"},
                                   std::pair{"map", "the heap's maps"}}) {
    const std::size_t bytes = size(kind);
    if (most_bytes == 0 || bytes == 0 ||
        size("map") + size("objects") + size("places") <= most_bytes) {
      continue;
    }
    for (nlohmann::json& allocator : results["allocators"])
      allocator[kind] = nullptr;
    if (std::string_view(kind) == "places") results["live"] = nullptr;
    results["trace"]["warnings"].push_back(
        "This page leaves out " + std::string(name) + " (" +
        FormatBytes(static_cast<double>(bytes)) +
        ") to stay small; arenalab report --max-size 0 has all.");
  }
  return results;
}

std::string Written() {
  const std::time_t now = std::time(nullptr);
  char text[64];
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::strftime(text, sizeof text, " on %Y-%m-%d at %H:%M UTC", &utc);
  return text;
}

std::string Subtitle(const nlohmann::json& results) {
  const nlohmann::json& trace = At(results, "trace");
  const nlohmann::json& threads = At(trace, "threads");
  return "Python " + Escape(TextOf(At(trace, "python"))) + " · " +
         CountOf(At(trace, "requests")) + " requests · " + CountOf(threads) +
         (threads == nlohmann::json(1) ? " thread" : " threads") + " · scope " +
         Escape(TextOf(At(At(results, "options"), "scope")));
}

// "python3 app.py" of "/usr/bin/python3 app.py": the provenance has it whole.
std::string ShortProgram(const std::string& program) {
  const std::size_t end = program.find(' ');
  const std::size_t slash = program.rfind('/', end);
  return slash == std::string::npos ? program : program.substr(slash + 1);
}

// One pass over the template: a value that holds "{{X}}" is not filled again.
std::string Fill(std::string_view page,
                 const std::map<std::string, std::string, std::less<>>& parts) {
  std::string out;
  while (true) {
    const std::size_t open = page.find("{{");
    if (open == std::string_view::npos) break;
    const std::size_t close = page.find("}}", open);
    if (close == std::string_view::npos) break;
    const auto part = parts.find(page.substr(open + 2, close - open - 2));
    if (part == parts.end()) {
      // Not ours: braces of the script or the style.
      out += page.substr(0, open + 2);
      page.remove_prefix(open + 2);
      continue;
    }
    out += page.substr(0, open);
    out += part->second;
    page.remove_prefix(close + 2);
  }
  out += page;
  return out;
}

}  // namespace

std::string RenderReport(const nlohmann::json& given,
                         const ReportOptions& options) {
  if (kPageTemplate.empty()) {
    throw InputError(
        "the page was not built, because its npm packages were missing: run "
        "./tools/setup, then build again");
  }
  CheckSchema(given);
  try {
    const nlohmann::json results = WithinLimit(given, options.most_bytes);
    const std::string program =
        ShortProgram(TextOf(At(At(results, "trace"), "program")));
    return Fill(kPageTemplate,
                {{"TITLE", Escape(program) + " · arenalab"},
                 {"PROGRAM", Escape(program)},
                 {"SUBTITLE", Subtitle(results)},
                 {"WARNINGS", WarningsSection(results)},
                 {"VERDICT", FiguresSection(results) + VerdictSection(results)},
                 {"SUMMARY", SummarySection(results)},
                 {"STATIC_CHART", StaticChartSection(results)},
                 {"PROCESSES", ProcessSection(results)},
                 {"PROVENANCE", ProvenanceSection(results)},
                 {"CONTENTS", ContentsSection(results)},
                 {"TOOL", Escape(TextOf(At(results, "tool")))},
                 {"WRITTEN", options.reproducible ? "" : Written()},
                 {"RESULTS", ScriptSafe(WithoutPayloads(results))},
                 {"MAPS", PayloadBlocks(results)}});
  } catch (const nlohmann::json::exception& error) {
    throw InputError(std::string("the results do not follow ") +
                     std::string(kSchema) + ": " + error.what());
  }
}

}  // namespace arenalab
