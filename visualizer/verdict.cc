// The verdict's lines and the warnings: what a reader must see first.
#include "visualizer/quantity.h"
#include "visualizer/sections.h"

namespace arenalab {
namespace {

std::string Warning(const std::string& what, const std::string& cause) {
  return "<p class=\"warning\"><b>" + Escape(what) + "</b> " + Escape(cause) +
         "</p>\n";
}

}  // namespace

std::string VerdictSection(const nlohmann::json& results) {
  const nlohmann::json& lines = At(At(results, "verdict"), "lines");
  if (!lines.is_array() || lines.empty()) {
    return "<p>The results hold no verdict.</p>";
  }
  // "Peak: pymalloc holds …": the word before the colon is a heading.
  constexpr std::size_t kLongestHeading = 40;
  std::string out = "<dl>\n";
  for (const nlohmann::json& element : lines) {
    const std::string line = TextOf(element);
    const std::size_t colon = line.find(": ");
    const bool split = colon != std::string::npos && colon <= kLongestHeading;
    out += "<dt>" + (split ? Escape(line.substr(0, colon)) : "") + "</dt><dd>" +
           Escape(split ? line.substr(colon + 2) : line) + "</dd>\n";
  }
  return out + "</dl>";
}

std::string WarningsSection(const nlohmann::json& results) {
  std::string out;
  const nlohmann::json& trace = At(results, "trace");
  if (At(results, "complete") != nlohmann::json(true)) {
    out += Warning("The recording is incomplete.",
                   "It ends before the program did, or events were lost. All "
                   "numbers are those of the part that was recorded.");
  }
  const nlohmann::json& lost = At(trace, "lost");
  if (lost.is_number() && lost.get<double>() > 0) {
    out += Warning(FormatCount(lost.get<std::int64_t>()) + " events were lost.",
                   "Record again without --lossy to have them all.");
  }
  const nlohmann::json& verify = At(results, "verify");
  const std::string status = TextOf(At(verify, "status"));
  if (verify.is_object() && status != "equal") {
    out += Warning(
        status == "mismatch" ? CountOf(At(verify, "mismatches")) +
                                   " addresses differ from the recorded run."
                             : "The recorded addresses could not be verified.",
        status == "mismatch"
            ? "The replay below is not what this interpreter did; arenalab "
              "verify shows the first difference."
            : TextOf(At(verify, "reason")));
  }
  for (const nlohmann::json& warning : At(trace, "warnings")) {
    out += Warning("Warning.", TextOf(warning));
  }
  return out;
}

}  // namespace arenalab
