// What a run of `arenalab ci` found, and its surfaces: a terminal, a pull
// request, a program, JUnit, annotations. All say the same; the first line is
// the verdict.
//
// Plain values. Any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/compare/comparison.h"

namespace arenalab {

// A line of the program's own that keeps arenas from being released, at the
// last valley (at the end, where there is none).
struct Pinner {
  std::string site;  // "app/cache.py:88"; never ""
  std::string file;
  int line = 0;  // 0: the site names none
  int blocks = 0;
  int arenas = 0;
};

// Held at a mark, where the program set marks: a test suite's, test by test.
struct MarkedHeld {
  std::string mark;
  double held_bytes = 0;
  double growth_bytes = 0;  // since the mark before
};

struct CiSubject {
  std::string name;
  std::string kind;                        // "trace", "allocators", "program"
  std::optional<Comparison> comparison{};  // none: there was no baseline
  std::vector<std::string> notes{};
  std::vector<Pinner> pinners{};    // most arenas first
  std::vector<MarkedHeld> marks{};  // in order
  std::string report{};             // the page; "" where none was written
};

struct CiOutcome {
  std::string config;
  std::string base;  // what the new is compared with, in words
  std::vector<CiSubject> subjects{};
  std::vector<std::string> effective{};  // every setting that was in force
  std::string environment{};

  int Count(Verdict verdict) const;
  // The worst of all; without any comparison kUnchanged.
  Verdict verdict() const;
  bool has_baseline() const;
};

// Marks that begin so are tests (the pytest plugin's and the user's own alike
// are listed; the worst five by growth).
inline constexpr int kWorstMarks = 5;
// GitHub shows ten annotations a step.
inline constexpr int kMostAnnotations = 10;

// Of the first pymalloc in a results object (tools/replay/RESULTS.md).
std::vector<Pinner> PinnersOf(const nlohmann::json& results);
std::vector<MarkedHeld> MarksOf(const nlohmann::json& results);
// By growth, the largest first.
std::vector<MarkedHeld> WorstMarks(const std::vector<MarkedHeld>& marks);

std::string CiText(const CiOutcome& outcome);
std::string CiMarkdown(const CiOutcome& outcome);
// Schema `arenalab.ci/1`.
std::string CiJson(const CiOutcome& outcome);
// One testcase a metric.
std::string CiJunit(const CiOutcome& outcome);
// GitHub's workflow commands, a line each: they belong on stderr.
std::string CiAnnotations(const CiOutcome& outcome);

}  // namespace arenalab
