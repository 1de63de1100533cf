// Flags and exit status of `arenalab compare`.
#include "tools/cli/compare.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tools/compare/comparison.h"
#include "tools/compare/comparison_text.h"
#include "tools/compare/recordings.h"
#include "tools/replay/results_file.h"

namespace arenalab {
namespace {

struct Flags {
  std::string base;
  std::string now;
  std::vector<std::string> budgets;
  double range_percent = 10;
  std::string format = "text";
  bool json = false;
  bool all = false;
  bool fail_on_inconclusive = false;
};

std::vector<nlohmann::json> ReadFolder(const std::string& folder) {
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".json")
      files.insert(entry.path().string());
  }
  std::vector<nlohmann::json> recordings;
  for (const std::string& file : files) {
    recordings.push_back(ReadResults(file));
  }
  return recordings;
}

int Run(const Flags& flags) {
  CompareOptions options;
  options.range = flags.range_percent / 100;
  for (const std::string& budget : flags.budgets) {
    const std::string wrong = AddBudget(budget, &options.budgets);
    if (!wrong.empty()) throw UsageError("--budget: " + wrong);
  }
  const bool many = std::filesystem::is_directory(flags.base);
  if (many != std::filesystem::is_directory(flags.now)) {
    throw UsageError(
        "compare: BASE and NEW are two files, or two folders of "
        "recordings of one command");
  }
  const Comparison comparison =
      many ? CompareRecordings(flags.base, ReadFolder(flags.base), flags.now,
                               ReadFolder(flags.now), options)
           : Compare(flags.base, ReadResults(flags.base), flags.now,
                     ReadResults(flags.now), options);
  const std::string text =
      flags.json || flags.format == "json" ? ComparisonJson(comparison)
      : flags.format == "markdown" ? ComparisonMarkdown(comparison, flags.all)
                                   : ComparisonText(comparison, flags.all);
  std::fputs(text.c_str(), stdout);
  switch (comparison.verdict()) {
    case Verdict::kRegression:
      return kDifferent;
    case Verdict::kInconclusive:
      return flags.fail_on_inconclusive ? kInconclusive : kOk;
    default:
      return kOk;
  }
}

}  // namespace

void AddCompare(CommandLine& line) {
  Verb verb =
      line.AddVerb("compare",
                   "Compare two results files, for a gate in continuous "
                   "integration");
  auto flags = std::make_shared<Flags>();
  verb.Positional(
          "BASE", &flags->base,
          "Results to compare with: a file, or a folder of at least three "
          "recordings of one command")
      .Required();
  verb.Positional("NEW", &flags->now, "Results to judge: the same").Required();
  verb.Value("--budget", &flags->budgets,
             "METRIC=+1% or METRIC=+64K: growth of an exact metric that "
             "is no regression (default: none); `all` for every metric")
      .OneEach();
  verb.Value("--range", &flags->range_percent,
             "Growth in per cent of measured memory that is no "
             "regression (default: 10)")
      .Between(0.0, 1000.0);
  verb.Value("--format", &flags->format, "text, markdown or json")
      .OneOf({"text", "markdown", "json"});
  verb.Flag("--json", &flags->json, "The same as --format json");
  verb.Flag("--all", &flags->all, "Also list what did not change");
  verb.Flag("--fail-on-inconclusive", &flags->fail_on_inconclusive,
            "Exit with 4 where nothing could be decided");
  verb.Footer(
      "Examples:\n"
      "  arenalab compare base.json new.json\n"
      "  arenalab compare base-runs/ new-runs/\n"
      "  arenalab compare --budget peak_held_bytes=+1% base.json new.json\n"
      "  arenalab compare --format markdown base.json new.json "
      ">> \"$GITHUB_STEP_SUMMARY\"\n"
      "\n"
      "Exit status: 0, 1 regression, 3 not comparable, 4 inconclusive (with "
      "--fail-on-inconclusive).");
  verb.Does([flags] { return Run(*flags); });
}

}  // namespace arenalab
