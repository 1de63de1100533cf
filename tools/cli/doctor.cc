// Runs the checks of `arenalab doctor` and prints what they found.
#include "tools/cli/doctor.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/cli/doctor_machine.h"
#include "tools/cli/doctor_target.h"

namespace arenalab {
namespace {

struct Flags {
  std::vector<std::string> command{"python3"};
  std::string folder = ".";
  bool json = false;
};

std::string_view NameOf(Severity severity) {
  switch (severity) {
    case Severity::kFine:
      return "fine";
    case Severity::kNote:
      return "note";
    case Severity::kBad:
      break;
  }
  return "bad";
}

// Troubles first, each with its cause and its cure; then what is fine.
std::string Text(const Findings& findings) {
  std::string text;
  const auto of = [&](Severity severity) {
    return std::count_if(
        findings.begin(), findings.end(),
        [&](const Finding& f) { return f.severity == severity; });
  };
  text = of(Severity::kBad) == 0 ? "Well: nothing is in the way.\n"
                                 : std::to_string(of(Severity::kBad)) + " of " +
                                       std::to_string(findings.size()) +
                                       " findings must be seen to.\n";
  for (const Severity severity : {Severity::kBad, Severity::kNote}) {
    for (const Finding& finding : findings) {
      if (finding.severity != severity) continue;
      text += severity == Severity::kBad ? "\n[!!] " : "\n[ i] ";
      text += finding.verdict + "\n";
      if (!finding.cause.empty()) text += "     " + finding.cause + "\n";
      if (!finding.fix.empty()) text += "     -> " + finding.fix + "\n";
    }
  }
  if (of(Severity::kFine) != 0) text += "\n";
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::kFine) {
      text += "[ok] " + finding.verdict + "\n";
    }
  }
  return text;
}

std::string Json(const Findings& findings, bool well) {
  nlohmann::ordered_json json;
  json["schema"] = "arenalab.doctor/1";
  json["well"] = well;
  json["findings"] = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    json["findings"].push_back({{"id", finding.id},
                                {"severity", NameOf(finding.severity)},
                                {"verdict", finding.verdict},
                                {"cause", finding.cause},
                                {"fix", finding.fix}});
  }
  return json.dump(2, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace) +
         "\n";
}

int Run(const Flags& flags) {
  Findings findings = ExamineTarget(flags.command);
  for (Finding& finding : ExamineMachine(flags.folder)) {
    findings.push_back(std::move(finding));
  }
  const bool well = std::none_of(
      findings.begin(), findings.end(),
      [](const Finding& f) { return f.severity == Severity::kBad; });
  const std::string text = flags.json ? Json(findings, well) : Text(findings);
  std::fputs(text.c_str(), stdout);
  return well ? kOk : kDifferent;
}

}  // namespace

void AddDoctor(CommandLine& line) {
  Verb verb = line.AddVerb(
      "doctor", "Examine interpreter and machine; each trouble with its cure");
  auto flags = std::make_shared<Flags>();
  verb.Program(&flags->command,
               "What is to be recorded, after -- (default: python3); it is "
               "not run");
  verb.Value("-C,--folder", &flags->folder,
             "Where traces are to be written (default: here)");
  verb.Flag("--json", &flags->json, "One JSON object on stdout");
  verb.Footer(
      "Examples:\n"
      "  arenalab doctor\n"
      "  arenalab doctor -- ./manage.py runserver\n"
      "  arenalab doctor --json -- python3.12\n"
      "\n"
      "Exit status: 0 well, 1 something is in the way.");
  verb.Does([flags] { return Run(*flags); });
}

}  // namespace arenalab
