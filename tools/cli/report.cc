// Reads the results, writes the page, prints the path as the last line of
// stderr. The default name is the results' with .report.html.
#include "tools/cli/report.h"

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tools/output/output_file.h"
#include "tools/replay/results_file.h"
#include "tracer/format/input_error.h"
#include "visualizer/report.h"

namespace arenalab {
namespace {

struct Arguments {
  std::string results;
  std::string out;
  bool force = false;
  bool reproducible = false;
};

std::string DefaultName(const std::string& results) {
  if (results == "-") return "-";
  constexpr std::string_view kEnd = ".json";
  std::string stem = results;
  if (stem.size() > kEnd.size() && stem.ends_with(kEnd)) {
    stem.resize(stem.size() - kEnd.size());
  }
  return stem + ".report.html";
}

}  // namespace

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

void AddReport(CLI::App& app, int* status) {
  CLI::App* verb = app.add_subcommand(
      "report", "Write the results of a replay as one offline HTML page.");
  auto arguments = std::make_shared<Arguments>();
  verb->add_option("RESULTS", arguments->results,
                   "what `arenalab replay -o` wrote; - reads stdin")
      ->required();
  verb->add_option("-o,--output", arguments->out,
                   "the page [RESULTS with .report.html]; - writes stdout");
  verb->add_flag("-f,--force", arguments->force, "replace an existing page");
  verb->add_flag("--reproducible", arguments->reproducible,
                 "leave out the time of writing: same results, same bytes");
  verb->footer(
      "Examples:\n"
      "  arenalab report run.json\n"
      "  arenalab report run.json -o page.html -f\n"
      "  arenalab replay run.trace -o - | arenalab report - -o page.html");
  verb->callback([arguments, status] {
    if (arguments->out.empty()) {
      arguments->out = DefaultName(arguments->results);
    }
    WriteReport(ReadResults(arguments->results), arguments->results,
                arguments->out, arguments->force,
                ReportOptions{.reproducible = arguments->reproducible});
    *status = kOk;
  });
}

}  // namespace arenalab
