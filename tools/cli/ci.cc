// Flags of `arenalab ci`, its order of work, and where its findings go.
#include "tools/cli/ci.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/ci/baseline.h"
#include "tools/ci/config.h"
#include "tools/ci/outcome.h"
#include "tools/cli/ci_recording.h"
#include "tools/cli/progress.h"
#include "tools/cli/report.h"
#include "tools/compare/recordings.h"
#include "tools/output/output_file.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

struct Flags {
  std::string config = "arenalab.toml";
  std::string baseline_ref;
  std::string format = "text";
  std::string output;
  std::vector<std::string> only;
  bool save_baseline = false;
  bool require_baseline = false;
  bool fail_on_inconclusive = false;
};

class Gate {
 public:
  Gate(const Flags& flags, const CiConfig& config)
      : flags_(flags), config_(config), progress_("ci") {
    options_.range = config.range_percent / 100;
    for (const std::string& budget : config.budgets) {
      const std::string wrong = AddBudget(budget, &options_.budgets);
      if (!wrong.empty()) throw InputError(config.file + ": budget: " + wrong);
    }
    times_.threshold = config.time_threshold_percent / 100;
    times_.family = 0;
    for (const CiTrace& trace : config.traces) {
      times_.family += !trace.base.empty();
    }
    fs::create_directories(config.folder);
    if (!flags.baseline_ref.empty()) {
      checked_out_.emplace(flags.baseline_ref);
    } else if (!flags.save_baseline) {
      baseline_ = ReadBaseline(config.baseline);
    }
  }

  CiOutcome Run() {
    CiOutcome outcome;
    outcome.config = config_.file;
    outcome.base = flags_.save_baseline ? "none: a baseline is being saved"
                   : checked_out_.has_value()
                       ? flags_.baseline_ref + ", recorded in this run"
                   : baseline_.has_value()
                       ? config_.baseline
                       : "none: there is no " + config_.baseline;
    for (const CiTrace& trace : config_.traces) {
      outcome.subjects.push_back(trace.base.empty() ? GateTrace(trace)
                                                    : GateAllocators(trace));
    }
    for (const CiProgram& program : config_.programs) {
      outcome.subjects.push_back(GateProgram(program));
    }
    outcome.effective = Effective();
    outcome.environment = environment_;
    if (flags_.save_baseline) WriteBaseline(config_.baseline, saved_);
    return outcome;
  }

 private:
  // One trace, the recorded pymalloc or others: exact against the baseline.
  CiSubject GateTrace(const CiTrace& trace) {
    progress_.Phase(trace.name);
    CiSubject subject{.name = trace.name, .kind = "trace"};
    const ordered_json results =
        ReplayForCi(config_, trace.path, config_.allocators, 0, false);
    Describe(results, &subject);
    saved_[trace.name] = {Comparable(results)};
    std::optional<json> base;
    if (checked_out_.has_value()) {
      const fs::path path = fs::path(checked_out_->folder()) /
                            fs::relative(trace.path, fs::current_path());
      if (fs::exists(path)) {
        base = Comparable(
            ReplayForCi(config_, path.string(), config_.allocators, 0, false));
      }
    } else if (const auto* recordings = InBaseline(trace.name)) {
      base = recordings->front();
    }
    if (base.has_value()) {
      subject.comparison = Compare("base", *base, trace.path,
                                   saved_[trace.name].front(), options_);
      subject.comparison->trace = trace.name;
    }
    return subject;
  }

  // Two allocators, one session: needs no baseline.
  CiSubject GateAllocators(const CiTrace& trace) {
    progress_.Phase(trace.name + ": " + trace.base + ", " + trace.now);
    CiSubject subject{.name = trace.name, .kind = "allocators"};
    // The gate's base is the reference of the times, which a pymalloc would
    // take for itself wherever it stood.
    const ordered_json results =
        ReplayForCi(config_, trace.path, trace.base + "," + trace.now,
                    config_.rounds, false);
    Describe(results, &subject);
    subject.comparison =
        CompareWithin(trace.name, results, 0, 1, options_, times_);
    subject.comparison->trace = trace.name;
    return subject;
  }

  CiSubject GateProgram(const CiProgram& program) {
    CiSubject subject{.name = program.name, .kind = "program"};
    std::vector<json> base;
    std::vector<json> now;
    for (int i = 0; i < program.recordings; ++i) {
      progress_.Phase(program.name + ", recording " + std::to_string(i + 1) +
                      " of " + std::to_string(program.recordings));
      // Base and new in turns: what drifts on the machine drifts for both.
      if (checked_out_.has_value()) {
        base.push_back(
            Comparable(Recorded(program, checked_out_->folder(),
                                Stem(program) + ".base." + std::to_string(i))));
      }
      const ordered_json results =
          Recorded(program, ".", Stem(program) + "." + std::to_string(i));
      if (i == 0) Describe(results, &subject);
      now.push_back(Comparable(results));
    }
    saved_[program.name] = now;
    if (const auto* recordings = InBaseline(program.name)) base = *recordings;
    if (!base.empty()) {
      subject.comparison =
          CompareRecordings("base", base, program.name, now, options_);
    }
    return subject;
  }

  ordered_json Recorded(const CiProgram& program, const std::string& folder,
                        const std::string& stem) {
    RecordForCi(program, folder, stem + ".trace");
    const ordered_json results =
        ReplayForCi(config_, stem + ".trace", config_.allocators, 0, true);
    WriteWholeFile(stem + ".json", true, results.dump() + "\n");
    return results;
  }

  std::string Stem(const CiProgram& program) const {
    return (fs::absolute(config_.folder) / program.name).string();
  }

  const std::vector<json>* InBaseline(const std::string& name) const {
    if (!baseline_.has_value()) return nullptr;
    const auto found = baseline_->find(name);
    return found == baseline_->end() || found->second.empty() ? nullptr
                                                              : &found->second;
  }

  // What a reader wants to know of the new state, whatever the verdict.
  void Describe(const ordered_json& ordered, CiSubject* subject) {
    const json results(ordered);
    subject->pinners = PinnersOf(results);
    subject->marks = MarksOf(results);
    for (const json& warning : results["trace"]["warnings"]) {
      subject->notes.push_back(warning.get<std::string>());
    }
    const json machine = results["machine"];
    environment_ = machine.value("cpu", json()).dump() + ", " +
                   machine.value("cores", json()).dump() + " cores, kernel " +
                   machine.value("kernel", json()).dump() + ", " +
                   machine.value("libc", json()).dump() + ", python " +
                   results["trace"].value("python", json()).dump();
    subject->report =
        (fs::path(config_.folder) / (subject->name + ".html")).string();
    try {
      WriteReport(results, subject->name, subject->report, true,
                  ReportOptions{});
    } catch (const InputError& error) {
      subject->notes.push_back(std::string("no report: ") + error.what());
      subject->report.clear();
    }
  }

  std::vector<std::string> Effective() const {
    std::vector<std::string> lines{
        "allocators = " + config_.allocators,
        "scope = " + config_.scope,
        "range = " + std::to_string(config_.range_percent) + " %",
        "time_threshold = " + std::to_string(config_.time_threshold_percent) +
            " %",
        "rounds = " + std::to_string(config_.rounds),
        "samples = " + std::to_string(config_.samples)};
    for (const std::string& budget : config_.budgets) {
      lines.push_back("budget " + budget);
    }
    return lines;
  }

  const Flags& flags_;
  const CiConfig& config_;
  Progress progress_;
  CompareOptions options_;
  TimeGateOptions times_;
  std::optional<Baseline> baseline_;
  std::optional<CheckedOut> checked_out_;
  Baseline saved_;
  std::string environment_;
};

void AppendTo(const char* variable, const std::string& text) {
  const char* path = std::getenv(variable);
  if (path == nullptr || *path == '\0') return;
  std::ofstream(path, std::ios::app) << text;
}

void TellGithub(const CiOutcome& outcome, const CiConfig& config) {
  const char* actions = std::getenv("GITHUB_ACTIONS");
  if (actions == nullptr || std::string(actions) != "true") return;
  AppendTo("GITHUB_STEP_SUMMARY", CiMarkdown(outcome));
  AppendTo("GITHUB_OUTPUT",
           "verdict=" + std::string(NameOf(outcome.verdict())) +
               "\nreport=" + config.folder + "\n");
  std::fputs(CiAnnotations(outcome).c_str(), stderr);
}

// Leaves what was asked for; a name that is not there is no silent pass.
void KeepOnly(const std::vector<std::string>& only, CiConfig* config) {
  if (only.empty()) return;
  for (const std::string& name : only) {
    const auto named = [&](const auto& subject) {
      return subject.name == name;
    };
    if (std::ranges::none_of(config->traces, named) &&
        std::ranges::none_of(config->programs, named)) {
      throw InputError(config->file + ": there is no trace or program '" +
                       name + "'");
    }
  }
  const auto other = [&](const auto& subject) {
    return std::ranges::find(only, subject.name) == only.end();
  };
  std::erase_if(config->traces, other);
  std::erase_if(config->programs, other);
}

int Run(const Flags& flags) {
  const fs::path root = fs::absolute(flags.config).parent_path();
  CiConfig config = ReadCiConfig(fs::absolute(flags.config).string());
  config.file = fs::path(flags.config).filename().string();
  KeepOnly(flags.only, &config);
  if (!flags.output.empty())
    config.folder = fs::absolute(flags.output).string();
  // Commands and paths of the file are relative to where it lies.
  fs::current_path(root);
  const CiOutcome outcome = Gate(flags, config).Run();

  const fs::path folder(config.folder);
  WriteWholeFile((folder / "ci.md").string(), true, CiMarkdown(outcome));
  WriteWholeFile((folder / "ci.json").string(), true, CiJson(outcome));
  WriteWholeFile((folder / "junit.xml").string(), true, CiJunit(outcome));
  TellGithub(outcome, config);
  std::fputs((flags.format == "json"       ? CiJson(outcome)
              : flags.format == "markdown" ? CiMarkdown(outcome)
                                           : CiText(outcome))
                 .c_str(),
             stdout);
  if (flags.save_baseline) {
    std::fprintf(stderr, "ci: wrote %s; check it in\n",
                 config.baseline.c_str());
    return kOk;
  }
  if (!outcome.has_baseline()) {
    std::fprintf(stderr,
                 "ci: no baseline for everything; arenalab ci --save-baseline "
                 "makes one, --baseline-ref REF needs none\n");
    if (flags.require_baseline) return kBadInput;
  }
  switch (outcome.verdict()) {
    case Verdict::kRegression:
      return kDifferent;
    case Verdict::kInconclusive:
      return flags.fail_on_inconclusive || config.fail_on_inconclusive
                 ? kInconclusive
                 : kOk;
    default:
      return kOk;
  }
}

}  // namespace

void AddCi(CommandLine& line) {
  auto flags = std::make_shared<Flags>();
  Verb verb = line.AddVerb(
      "ci", "The gate of continuous integration, as arenalab.toml says");
  verb.Value("-c,--config", &flags->config, "The gate's settings")
      .ShowDefault();
  verb.Value("--baseline-ref", &flags->baseline_ref,
             "Compare with this state of the repository (origin/main), "
             "recorded beside the new one in this run");
  Option save = verb.Flag("--save-baseline", &flags->save_baseline,
                          "Write the baseline instead of comparing with it");
  verb.Flag("--require-baseline", &flags->require_baseline,
            "Exit with 3 where there is nothing to compare with")
      .Excludes(save);
  verb.Flag("--fail-on-inconclusive", &flags->fail_on_inconclusive,
            "Exit with 4 where nothing could be decided");
  verb.Value("-o,--output", &flags->output,
             "Folder for what is made, instead of the file's");
  verb.Value("--only", &flags->only,
             "Only these of its traces and programs, by name")
      .Comma();
  verb.Value("--format", &flags->format, "What stdout gets")
      .OneOf({"text", "markdown", "json"})
      .ShowDefault();
  verb.Footer(
      "Examples:\n"
      "  arenalab ci --save-baseline\n"
      "  arenalab ci\n"
      "  arenalab ci --baseline-ref origin/main --format markdown\n"
      "\n"
      "arenalab.toml:\n"
      "  [gate]\n"
      "  budget = [\"peak_held_bytes=+1%\"]\n"
      "  [[program]]\n"
      "  name = \"tests\"\n"
      "  command = [\"python3\", \"-m\", \"pytest\", \"-q\"]\n"
      "\n"
      "Exit status: 0; 1 regression; 3 a command failed, or no baseline where "
      "one is required;\n4 inconclusive (where asked for).");
  verb.Does([flags] { return Run(*flags); });
}

}  // namespace arenalab
