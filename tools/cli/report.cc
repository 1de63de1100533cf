// Reads the results, writes the page, prints the path as the last line of
// stderr. The default name is the results' with .report.html.
#include "tools/cli/report.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "tools/cli/replay.h"
#include "tools/output/output_file.h"
#include "tools/replay/results_file.h"
#include "tracer/format/input_error.h"
#include "tracer/format/trace_reader.h"
#include "visualizer/report.h"

namespace arenalab {
namespace {

struct Arguments {
  std::string results;
  std::string out;
  bool force = false;
  bool reproducible = false;
  bool open = false;
  std::string max_size = "32M";
};

// 32M -> bytes; nothing for what is no size.
std::optional<std::size_t> BytesOf(const std::string& size) {
  std::size_t number = 0;
  const auto [end, error] =
      std::from_chars(size.data(), size.data() + size.size(), number);
  if (error != std::errc() || number > std::size_t{1} << 40) return {};
  const std::string_view unit(end, size.data() + size.size());
  if (unit.empty()) return number;
  if (unit == "K" || unit == "KiB") return number << 10;
  if (unit == "M" || unit == "MiB") return number << 20;
  if (unit == "G" || unit == "GiB") return number << 30;
  return {};
}

// In the user's browser. The page is written: that none opens is no failure.
void Open(const std::string& path) {
  const char* const words[] = {"xdg-open", path.c_str(), nullptr};
  pid_t child = 0;
  int status = 0;
  if (posix_spawnp(&child, words[0], nullptr, nullptr,
                   const_cast<char* const*>(words), environ) != 0 ||
      waitpid(child, &status, 0) != child || status != 0) {
    std::fprintf(stderr,
                 "arenalab: --open: xdg-open cannot show it; open the path in "
                 "a browser\n");
  }
}

// run.json or run.trace -> run.report.html
std::string DefaultName(const std::string& input) {
  if (input == "-") return "-";
  std::string stem = input;
  for (const std::string_view end : {".json", ".trace"}) {
    if (stem.size() > end.size() && stem.ends_with(end)) {
      stem.resize(stem.size() - end.size());
      break;
    }
  }
  return stem + ".report.html";
}

// A recording is replayed first, with replay's own defaults.
nlohmann::ordered_json ResultsOf(const std::string& input) {
  if (!IsTraceFile(input)) return ReadResults(input);
  ReplayRequest request;
  request.trace = input;
  return ReplayForPeople(std::move(request));
}

// What `arenalab inspect --json` wrote, or null. Its schema is the first of its
// keys; results of a replay may be large, and are not parsed for this.
nlohmann::json InspectionIn(const std::string& input) {
  if (input == "-" || IsTraceFile(input)) return nullptr;
  std::ifstream file(input);
  std::string head(64, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  if (head.find("arenalab.inspect/") == std::string::npos) return nullptr;
  file.clear();
  file.seekg(0);
  nlohmann::json json = nlohmann::json::parse(file, nullptr, false);
  if (json.is_discarded())
    throw InputError(input + ": is cut short, or no JSON");
  return json;
}

}  // namespace

void LinkPages(nlohmann::ordered_json* results, const std::string& page,
               const std::string& also) {
  const auto found = results->find("processes");
  if (found == results->end() || !found->is_object()) return;
  const std::filesystem::path folder =
      std::filesystem::path(page).parent_path();
  for (auto& member : (*found)["members"]) {
    std::string stem = member["file"].get<std::string>();
    if (stem.ends_with(".trace")) stem.resize(stem.size() - 6);
    for (const char* end : {".report.html", ".html"}) {
      const std::filesystem::path other = folder / (stem + end);
      if (other == also || std::filesystem::exists(other))
        member["page"] = stem + end;
    }
  }
}

void WriteReport(const nlohmann::json& results, const std::string& source,
                 const std::string& path, bool force,
                 const ReportOptions& options) {
  try {
    WriteWholeFile(path, force, RenderReport(results, options));
  } catch (const nlohmann::json::exception& error) {
    throw InputError(source + ": " + error.what());
  }
  if (path != "-") std::fprintf(stderr, "%s\n", path.c_str());
}

namespace {

int Run(Arguments& arguments) {
  if (arguments.out.empty()) {
    arguments.out = DefaultName(arguments.results);
  }
  // Before the work, not after it.
  if (!arguments.force && std::filesystem::is_regular_file(arguments.out)) {
    throw InputError(arguments.out + ": exists; -f overwrites it");
  }
  if (arguments.open && arguments.out == "-") {
    throw UsageError("--open needs a file: -o - writes to stdout");
  }
  if (const nlohmann::json inspection = InspectionIn(arguments.results);
      !inspection.is_null()) {
    WriteWholeFile(arguments.out, arguments.force,
                   RenderInspection(inspection));
    if (arguments.out != "-")
      std::fprintf(stderr, "%s\n", arguments.out.c_str());
    if (arguments.open) Open(arguments.out);
    return kOk;
  }
  nlohmann::ordered_json results = ResultsOf(arguments.results);
  LinkPages(&results, arguments.out, "");
  WriteReport(results, arguments.results, arguments.out, arguments.force,
              ReportOptions{.reproducible = arguments.reproducible,
                            .most_bytes = *BytesOf(arguments.max_size)});
  if (arguments.open) Open(arguments.out);
  return kOk;
}

}  // namespace

void AddReport(CommandLine& line) {
  Verb verb = line.AddVerb(
      "report", "Write the results of a replay as one offline HTML page.");
  auto arguments = std::make_shared<Arguments>();
  verb.Positional("RESULTS", &arguments->results,
                  "what `arenalab replay -o` wrote (- reads stdin), what "
                  "`arenalab inspect --json` wrote, or a recording, which is "
                  "replayed first")
      .Required();
  verb.Value("-o,--output", &arguments->out,
             "the page [RESULTS with .report.html]; - writes stdout");
  verb.Flag("-f,--force", &arguments->force, "replace an existing page");
  verb.Flag("--reproducible", &arguments->reproducible,
            "leave out the time of writing: same results, same bytes");
  verb.Flag("--open", &arguments->open, "show it in the browser, too");
  verb.Value("--max-size", &arguments->max_size,
             "data that the page may hold, as in 32M; beyond, the list of "
             "objects, then the maps are left out, and the page says so; 0: "
             "all")
      .Check([](const std::string& size) {
        return BytesOf(size) ? "" : "`" + size + "` is no size, as 32M is";
      })
      .ShowDefault();
  verb.Footer(
      "Examples:\n"
      "  arenalab report run.json\n"
      "  arenalab report run.trace -o page.html -f\n"
      "  arenalab inspect --json 4711 > now.json; arenalab report now.json\n"
      "  arenalab replay run.trace -o - | arenalab report - -o page.html");
  verb.Does([arguments] { return Run(*arguments); });
}

}  // namespace arenalab
