// Flags and exit status of `arenalab verify`.
#include "tools/cli/verify.h"

#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "tools/replay/readable.h"
#include "tools/verify/self_test.h"
#include "tools/verify/verify.h"

namespace arenalab {
namespace {

struct Flags {
  std::string trace;
  VerifyOptions options;
  bool json = false;
  bool self_test = false;
  bool run = false;
};

int StatusOf(VerifyStatus status) {
  switch (status) {
    case VerifyStatus::kEqual:
      return kOk;
    case VerifyStatus::kMismatch:
      return kDifferent;
    case VerifyStatus::kCannot:
      break;
  }
  return kBadInput;
}

// One line each, then how many of them are what.
int RunWhole(const Flags& flags) {
  std::map<std::string, int> processes;
  std::uint64_t compared = 0;
  std::string text;
  for (const std::string& report : VerifyRun(flags.trace, flags.options)) {
    if (flags.json) text += report;
    const auto json = nlohmann::json::parse(report);
    const std::string status = json["status"];
    ++processes[status];
    compared += json["compared"].get<std::uint64_t>() -
                json["inherited_compared"].get<std::uint64_t>();
    if (flags.json) continue;
    text += status + "  " + json["trace"].get<std::string>();
    if (json["reason"].is_string()) {
      text += ": " + json["reason"].get<std::string>();
    }
    text += "\n";
  }
  if (!flags.json) {
    for (const auto& [status, count] : processes) {
      text += ReadableCount(static_cast<std::uint64_t>(count)) + " " + status +
              ", ";
    }
    text += ReadableCount(compared) + " addresses compared\n";
  }
  std::fputs(text.c_str(), stdout);
  if (processes.contains(std::string(NameOf(VerifyStatus::kMismatch)))) {
    return kDifferent;
  }
  return processes.contains(std::string(NameOf(VerifyStatus::kCannot)))
             ? kBadInput
             : kOk;
}

int Run(const Flags& flags) {
  if (flags.run) return RunWhole(flags);
  std::string text;
  int status;
  if (flags.self_test) {
    const SelfTestReport report = SelfTest(flags.trace, flags.options);
    text = flags.json ? SelfTestJson(report) : SelfTestText(report);
    status = StatusOf(report.untouched.status);
    if (status == kOk && !report.passed) {
      // Nothing to change is no proof; a change that went unseen is a failure.
      status = report.skipped.empty() ? kDifferent : kBadInput;
    }
  } else {
    const VerifyReport report = Verify(flags.trace, flags.options);
    text = flags.json ? VerifyJson(report) : VerifyText(report);
    status = StatusOf(report.status);
  }
  std::fputs(text.c_str(), stdout);
  return status;
}

}  // namespace

void AddVerify(CommandLine& line) {
  Verb verb = line.AddVerb(
      "verify",
      "Replay a recording on the clone of its pymalloc, compare every address");
  auto flags = std::make_shared<Flags>();
  verb.Positional("TRACE", &flags->trace, "The recording").Required();
  verb.Value("--geometry", &flags->options.geometry,
             "The pymalloc to compare with, instead of the recorded one: "
             "classic or cpython-X.Y[.Z]");
  const Option run = verb.Flag(
      "--run", &flags->run,
      "Every process of TRACE's run: the traces beside it that name the same "
      "run");
  verb.Flag("--self-test", &flags->self_test,
            "Also change an address, leave out a free and take another "
            "generation, and show that each is reported")
      .Excludes(run);
  verb.Flag("--json", &flags->json,
            "One JSON object on stdout; with --run, one for each trace");
  verb.Footer(
      "Examples:\n"
      "  arenalab verify app.trace\n"
      "  arenalab verify --self-test app.trace\n"
      "  arenalab verify --run app.trace\n"
      "  arenalab verify --json app.trace | jq .first\n"
      "\n"
      "Exit status: 0 equal, 1 mismatch, 3 cannot verify.");
  verb.Does([flags] { return Run(*flags); });
}

}  // namespace arenalab
