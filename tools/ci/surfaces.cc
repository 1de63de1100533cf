// One outcome for a terminal, a pull request, a program, JUnit and annotations.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tools/ci/outcome.h"
#include "tools/compare/comparison_text.h"
#include "tools/replay/readable.h"
#include "tools/version.h"

namespace arenalab {
namespace {

using Json = nlohmann::ordered_json;

std::string Plural(int n, const char* one, const char* more) {
  return std::to_string(n) + " " + (n == 1 ? one : more);
}

std::string Headline(const CiOutcome& outcome) {
  return Plural(outcome.Count(Verdict::kRegression), "regression",
                "regressions") +
         ", " +
         Plural(outcome.Count(Verdict::kImprovement), "improvement",
                "improvements") +
         ", " + std::to_string(outcome.Count(Verdict::kUnchanged)) +
         " unchanged, " +
         std::to_string(outcome.Count(Verdict::kInconclusive)) +
         " inconclusive";
}

std::string PinnedBy(const CiSubject& subject, const char* quote) {
  std::string text;
  int told = 0;
  for (const Pinner& pinner : subject.pinners) {
    if (told++ == 3) break;
    text += (text.empty() ? "" : " · ") + (quote + pinner.site + quote) + " " +
            Plural(pinner.blocks, "block", "blocks") + " / " +
            Plural(pinner.arenas, "arena", "arenas");
  }
  return text;
}

std::string Escaped(const std::string& text, const char* what) {
  std::string out;
  for (const char c : text) {
    if (std::string(what).find(c) == std::string::npos) {
      out += c;
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    }
  }
  return out;
}

std::string Xml(const std::string& text) {
  std::string safe = Escaped(text, "&<>\"");
  std::erase_if(safe, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t';
  });
  return safe;
}

// A workflow command's value: %, CR and LF would end or change it.
std::string Command(const std::string& text, bool property) {
  std::string out;
  for (const char c : text) {
    const bool also = property && (c == ':' || c == ',');
    if (c == '%' || c == '\r' || c == '\n' || also) {
      char code[8];
      std::snprintf(code, sizeof(code), "%%%02X",
                    static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += code;
    } else {
      out += c;
    }
  }
  return out;
}

std::string Value(double value, Unit unit) {
  char text[64];
  std::snprintf(text, sizeof(text), unit == Unit::kRatio ? "%.4f" : "%.0f",
                value);
  return text;
}

std::string MarksTable(const CiSubject& subject, bool markdown) {
  if (subject.marks.empty()) return "";
  std::string text = markdown
                         ? "\n| mark | held after | growth |\n|--|--:|--:|\n"
                         : "  held after each mark, the worst by growth:\n";
  for (const MarkedHeld& mark : WorstMarks(subject.marks)) {
    const std::string growth =
        (mark.growth_bytes < 0 ? "-" : "+") +
        ReadableBytes(mark.growth_bytes < 0 ? -mark.growth_bytes
                                            : mark.growth_bytes);
    const std::string held = ReadableBytes(mark.held_bytes);
    text += markdown
                ? "| `" + mark.mark + "` | " + held + " | " + growth + " |\n"
                : "    " + held + "  " + growth + "  " + mark.mark + "\n";
  }
  return text + (markdown ? "\n" : "");
}

}  // namespace

int CiOutcome::Count(Verdict verdict) const {
  int count = 0;
  for (const CiSubject& subject : subjects) {
    if (subject.comparison.has_value()) {
      count += subject.comparison->Count(verdict);
    }
  }
  return count;
}

bool CiOutcome::has_baseline() const {
  return std::ranges::all_of(subjects, [](const CiSubject& subject) {
    return subject.comparison.has_value();
  });
}

Verdict CiOutcome::verdict() const {
  Verdict worst = Verdict::kUnchanged;
  for (const CiSubject& subject : subjects) {
    if (!subject.comparison.has_value()) continue;
    const Verdict verdict = subject.comparison->verdict();
    if (verdict == Verdict::kRegression) return verdict;
    if (verdict == Verdict::kInconclusive ||
        (verdict == Verdict::kImprovement && worst != Verdict::kInconclusive)) {
      worst = verdict;
    }
  }
  return worst;
}

std::string CiText(const CiOutcome& outcome) {
  std::string text =
      "arenalab ci: " + Headline(outcome) + " (base: " + outcome.base + ")\n";
  for (const CiSubject& subject : outcome.subjects) {
    text += "\n" + subject.name + " (" + subject.kind + ")\n";
    text += subject.comparison.has_value()
                ? ComparisonText(*subject.comparison, false)
                : "no baseline: nothing was compared\n";
    const std::string pinned = PinnedBy(subject, "");
    if (!pinned.empty()) text += "  pinned by: " + pinned + "\n";
    text += MarksTable(subject, false);
    for (const std::string& note : subject.notes)
      text += "note: " + note + "\n";
    if (!subject.report.empty()) text += "  report: " + subject.report + "\n";
  }
  return text;
}

std::string CiMarkdown(const CiOutcome& outcome) {
  const Verdict verdict = outcome.verdict();
  std::string text = verdict == Verdict::kRegression     ? "### ❌ "
                     : verdict == Verdict::kInconclusive ? "### ❔ "
                                                         : "### ✅ ";
  text += "arenalab ci: " + Headline(outcome) + "\n\nBase: " + outcome.base +
          "\n\n";
  for (const CiSubject& subject : outcome.subjects) {
    std::string part = "#### " + subject.name + " (" + subject.kind + ")\n\n";
    if (subject.comparison.has_value()) {
      // Without its own headline, which this one's sums up.
      const std::string own = ComparisonMarkdown(*subject.comparison, false);
      part += own.substr(own.find("\n\n") + 2);
    } else {
      part += "No baseline: nothing was compared.\n";
    }
    const std::string pinned = PinnedBy(subject, "`");
    if (!pinned.empty()) part += "\nPinned by: " + pinned + "\n";
    part += MarksTable(subject, true);
    for (const std::string& note : subject.notes) part += "* " + note + "\n";
    // Subjects are cut before the verdict is.
    if (text.size() + part.size() > kMostMarkdownBytes) {
      text += "\nMore was cut here; ci.json has all of it.\n";
      break;
    }
    text += part + "\n";
  }
  return text;
}

std::string CiJson(const CiOutcome& outcome) {
  Json json = {{"schema", "arenalab.ci/1"},
               {"tool", kVersion},
               {"verdict", NameOf(outcome.verdict())},
               {"config", outcome.config},
               {"base", outcome.base},
               {"settings", outcome.effective},
               {"environment", outcome.environment}};
  for (const Verdict verdict :
       {Verdict::kRegression, Verdict::kImprovement, Verdict::kInconclusive,
        Verdict::kUnchanged, Verdict::kTold}) {
    json["counts"][std::string(NameOf(verdict))] = outcome.Count(verdict);
  }
  json["subjects"] = Json::array();
  for (const CiSubject& subject : outcome.subjects) {
    Json out = {{"name", subject.name},
                {"kind", subject.kind},
                {"notes", subject.notes},
                {"report", subject.report.empty() ? Json(nullptr)
                                                  : Json(subject.report)}};
    out["comparison"] = subject.comparison.has_value()
                            ? Json::parse(ComparisonJson(*subject.comparison))
                            : Json(nullptr);
    out["pinned_by"] = Json::array();
    for (const Pinner& pinner : subject.pinners) {
      out["pinned_by"].push_back({{"site", pinner.site},
                                  {"blocks", pinner.blocks},
                                  {"arenas", pinner.arenas}});
    }
    out["marks"] = Json::array();
    for (const MarkedHeld& mark : subject.marks) {
      out["marks"].push_back({{"name", mark.mark},
                              {"held_bytes", mark.held_bytes},
                              {"growth_bytes", mark.growth_bytes}});
    }
    json["subjects"].push_back(std::move(out));
  }
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string CiJunit(const CiOutcome& outcome) {
  int cases = 0;
  std::string body;
  for (const CiSubject& subject : outcome.subjects) {
    if (!subject.comparison.has_value()) {
      ++cases;
      body += "  <testcase classname=\"" + Xml(subject.name) +
              "\" name=\"baseline\"><skipped message=\"no baseline\"/>"
              "</testcase>\n";
      continue;
    }
    for (const ComparedMetric& metric : subject.comparison->metrics) {
      ++cases;
      body += "  <testcase classname=\"" + Xml(subject.name) + "\" name=\"" +
              Xml(metric.allocator + " " + std::string(metric.kind.name)) +
              "\">";
      const std::string numbers =
          Value(metric.base, metric.kind.unit) + " -> " +
          Value(metric.now, metric.kind.unit) +
          (metric.detail.empty() ? "" : ", " + metric.detail);
      if (metric.verdict == Verdict::kRegression) {
        body += "<failure message=\"" + Xml("regression: " + numbers) + "\"/>";
      } else if (metric.verdict == Verdict::kInconclusive) {
        body += "<skipped message=\"" +
                Xml("inconclusive: " + metric.why + ": " + numbers) + "\"/>";
      }
      body += "</testcase>\n";
    }
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite "
         "name=\"arenalab\" tests=\"" +
         std::to_string(cases) + "\" failures=\"" +
         std::to_string(outcome.Count(Verdict::kRegression)) +
         "\" errors=\"0\">\n" + body + "</testsuite>\n";
}

std::string CiAnnotations(const CiOutcome& outcome) {
  std::string text;
  int told = 0;
  for (const CiSubject& subject : outcome.subjects) {
    const bool worse = subject.comparison.has_value() &&
                       subject.comparison->verdict() == Verdict::kRegression;
    if (!worse) continue;
    if (told++ < kMostAnnotations) {
      text +=
          "::error title=arenalab::" +
          Command(subject.name + ": " +
                      Plural(subject.comparison->Count(Verdict::kRegression),
                             "metric is", "metrics are") +
                      " worse",
                  false) +
          "\n";
    }
    for (const Pinner& pinner : subject.pinners) {
      if (pinner.line == 0 || told >= kMostAnnotations) continue;
      ++told;
      text += "::warning file=" + Command(pinner.file, true) +
              ",line=" + std::to_string(pinner.line) +
              ",title=" + Command("arenalab: pinned arenas", true) + "::" +
              Command(Plural(pinner.blocks, "block", "blocks") +
                          " from this line hold " +
                          Plural(pinner.arenas, "arena", "arenas") + " (" +
                          subject.name + ")",
                      false) +
              "\n";
    }
  }
  return text;
}

}  // namespace arenalab
