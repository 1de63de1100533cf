// Random single edits of a real recording: each that changes the history is
// caught, by the importer or the verifier, and each that does not is accepted.
// Which is which is decided by a pymalloc of the test's own (history.h).
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "tests/tools/verify/history.h"
#include "tests/tools/verify/recorded_program.h"
#include "tools/verify/verify.h"
#include "tracer/format/text.h"

namespace arenalab {
namespace {

constexpr int kChangingEdits = 200;

enum class Edit { kAddress, kSize, kKind, kDrop, kSwap };
constexpr std::array kEditNames{"address", "size", "kind", "drop", "swap"};

std::vector<std::string> DumpLines(const std::string& trace) {
  TraceReader reader(trace);
  std::FILE* out = std::tmpfile();
  DumpText(reader, out);
  std::rewind(out);
  std::vector<std::string> lines;
  char* line = nullptr;
  std::size_t room = 0;
  ssize_t n;
  while ((n = getline(&line, &room, out)) > 0) {
    lines.emplace_back(line, static_cast<std::size_t>(n - 1));
  }
  std::free(line);
  std::fclose(out);
  return lines;
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// Imports and verifies; what is not imported is caught as well.
bool Accepted(const std::vector<std::string>& lines, std::string* said) {
  const std::string path = testing::TempDir() + "/edited.trace";
  std::istringstream text(Joined(lines));
  try {
    TraceWriter writer(path, /*exclusive=*/false);
    ImportText(text, "edited", writer);
  } catch (const InputError& error) {
    *said = error.what();
    return false;
  }
  const VerifyReport report = Verify(path, {});
  *said = VerifyText(report);
  return report.status == VerifyStatus::kEqual;
}

class EditsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    lines_ = new std::vector<std::string>;
    const std::string trace = testing::TempDir() + "/edits.trace";
    const std::vector<std::string> interpreters = Interpreters();
    if (interpreters.empty()) return;
    // Debian's, or the newest: 3.8 to 3.13 have rules that the judge knows.
    if (Record(trace, Quoted(interpreters[0]) +
                          " -S -c 'import json; json.loads(\"[1,{}]\")'") !=
        0) {
      return;
    }
    const TraceReader reader(trace);
    const std::string geometry = reader.Meta("geometry");
    modern_ = geometry != "cpython-3.7.4" && geometry != "cpython-3.8" &&
              geometry.rfind("cpython-3.9", 0) != 0;
    *lines_ = DumpLines(trace);
  }

  void SetUp() override {
    if (lines_->empty()) GTEST_SKIP() << "no interpreter could be recorded";
    if (!modern_) GTEST_SKIP() << "the judge's rules are those of 3.10 on";
  }

  // Random; false: this line does not take this edit.
  bool Apply(Edit edit, std::vector<std::string>* lines, std::string* what) {
    const auto random = [&](std::size_t n) {
      return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
    };
    const std::size_t at = random(lines->size());
    std::string& line = (*lines)[at];
    const DumpLine parsed = DumpLine::Parse(line);
    const auto replace = [&](const std::string& from, const std::string& to) {
      const std::size_t found = line.find(from);
      if (found == std::string::npos) return false;
      line.replace(found, from.size(), to);
      return true;
    };
    if (parsed.verb == "meta" || parsed.verb == "end" || parsed.verb == "#") {
      return false;
    }
    *what = line + "  ->  ";
    switch (edit) {
      case Edit::kAddress: {
        const auto column = parsed.columns.find("addr");
        if (column == parsed.columns.end()) return false;
        char text[32];
        std::snprintf(text, sizeof text, "0x%llx",
                      static_cast<unsigned long long>(parsed.Column("addr") ^
                                                      (16u << random(8))));
        if (!replace("addr=" + column->second, std::string("addr=") + text)) {
          return false;
        }
        break;
      }
      case Edit::kSize: {
        const bool request = parsed.verb == "malloc" ||
                             parsed.verb == "calloc" ||
                             parsed.verb == "realloc";
        if (!request) return false;
        const std::uint64_t size = parsed.Word(1);
        // Half of them near by, where the class is often the same.
        const std::uint64_t other =
            random(2) == 0 ? size ^ (1u << random(4)) : random(600);
        if (other == size) return false;
        if (!replace(" " + parsed.words[0] + " " + parsed.words[1],
                     " " + parsed.words[0] + " " + std::to_string(other))) {
          return false;
        }
        break;
      }
      case Edit::kKind:
        if (parsed.verb == "malloc") {
          if (random(3) == 0) {
            replace("malloc", "calloc");
          } else if (!replace("domain=mem", "domain=raw") &&
                     !replace("domain=raw", "domain=mem")) {
            if (!replace(" addr=", " domain=raw addr=")) return false;
          }
        } else if (parsed.verb == "realloc" || parsed.verb == "calloc") {
          replace(parsed.verb, "malloc");
        } else if (parsed.verb == "free") {
          line = "realloc " + parsed.words[0] + " 24 addr=0x10";
        } else {
          return false;
        }
        break;
      case Edit::kDrop:
        lines->erase(lines->begin() + static_cast<std::ptrdiff_t>(at));
        *what += "(dropped)";
        return true;
      case Edit::kSwap: {
        if (at + 8 >= lines->size()) return false;
        std::string& other = (*lines)[at + 1 + random(7)];
        if (other == line || other.starts_with("end")) return false;
        *what += "swapped with " + other;
        std::swap(line, other);
        return true;
      }
    }
    *what += line;
    return true;
  }

  static std::vector<std::string>* lines_;
  static bool modern_;
  static constexpr NaiveRules kRules{
      .arena_bytes = 1 << 20, .pool_bytes = 16 << 10, .keeps_one_arena = true};
  std::mt19937_64 random_{20'240'229};
};

std::vector<std::string>* EditsTest::lines_ = nullptr;
bool EditsTest::modern_ = false;

TEST_F(EditsTest, TheRecordingItselfIsPossibleAndEqual) {
  EXPECT_GT(lines_->size(), 20'000u);
  EXPECT_TRUE(History::Possible(*lines_, kRules));
  std::string said;
  EXPECT_TRUE(Accepted(*lines_, &said)) << said;
}

TEST_F(EditsTest, AChangedHistoryIsCaughtAndAnUnchangedOneIsNot) {
  std::map<Edit, std::array<int, 2>> seen;  // edit -> unchanged, changed
  int changed = 0;
  // Some kinds seldom leave the history as it was: on until each has been seen
  // both ways, or long enough for the checks at the end to fail.
  const auto enough = [&] {
    return changed >= kChangingEdits && seen.size() == kEditNames.size() &&
           std::all_of(seen.begin(), seen.end(), [](const auto& kind) {
             return kind.second[0] > 0 && kind.second[1] > 0;
           });
  };
  for (std::size_t done = 0; !enough() && done < 10 * kChangingEdits;) {
    const std::size_t edit = done % kEditNames.size();
    std::vector<std::string> edited = *lines_;
    std::string what;
    if (!Apply(static_cast<Edit>(edit), &edited, &what)) continue;
    ++done;
    const bool possible = History::Possible(edited, kRules);
    std::string said;
    EXPECT_EQ(Accepted(edited, &said), possible)
        << kEditNames[edit] << ": " << what << "\n"
        << said;
    ++seen[static_cast<Edit>(edit)][possible ? 0 : 1];
    changed += possible ? 0 : 1;
  }
  // Each kind of edit was tried both ways: neither rule is vacuous.
  for (const auto& [edit, counts] : seen) {
    const char* name = kEditNames[static_cast<std::size_t>(edit)];
    std::printf("%-8s %3d changed the history, %3d did not\n", name, counts[1],
                counts[0]);
    EXPECT_GT(counts[0], 0) << name;
    EXPECT_GT(counts[1], 0) << name;
  }
}

}  // namespace
}  // namespace arenalab
