// Whether a dump (the text form of a trace) is a history that pymalloc can have
// had: the judge of edits_test.cc. It reads the lines itself and knows nothing
// of the verifier, the clone or the importer.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/tools/verify/naive_pymalloc.h"

namespace arenalab {

struct DumpLine {
  std::string verb;
  std::vector<std::string> words;              // after the verb
  std::map<std::string, std::string> columns;  // name=value

  static DumpLine Parse(const std::string& text) {
    DumpLine line;
    std::istringstream in(text);
    in >> line.verb;
    for (std::string word; in >> word;) {
      const std::size_t equals = word.find('=');
      if (equals == std::string::npos) {
        line.words.push_back(word);
      } else {
        line.columns[word.substr(0, equals)] = word.substr(equals + 1);
      }
    }
    return line;
  }
  std::uint64_t Column(const std::string& name) const {
    const auto it = columns.find(name);
    return it == columns.end() ? 0
                               : std::strtoull(it->second.c_str(), nullptr, 0);
  }
  std::uint64_t Word(std::size_t i) const {
    return i < words.size() ? std::strtoull(words[i].c_str(), nullptr, 0) : 0;
  }
};

class History {
 public:
  explicit History(const NaiveRules& rules) : rules_(rules), model_(rules) {}

  // Whether pymalloc can have answered all these lines so.
  static bool Possible(const std::vector<std::string>& lines,
                       const NaiveRules& rules) {
    History history(rules);
    for (const std::string& text : lines) {
      if (!history.Accept(DumpLine::Parse(text))) return false;
    }
    return history.model_.returned.empty() && history.released_.empty();
  }

 private:
  struct Object {
    bool python = false;  // mem or obj
    std::uint64_t block = 0;
    std::uint64_t address = 0;
  };

  bool Accept(const DumpLine& line) {
    if (line.verb == "arena+") {
      if (line.Word(1) == rules_.arena_bytes) {
        model_.offered.push_back(line.Word(0));
        bases_.insert(line.Word(0));
      }
      return true;
    }
    if (line.verb == "arena-") {
      if (line.Word(1) == rules_.arena_bytes) {
        released_.push_back(line.Word(0));
        bases_.erase(line.Word(0));
      }
      return MatchReleases();
    }
    if (line.verb == "free") {
      const auto it = objects_.find(line.Word(0));
      if (it == objects_.end()) return false;
      const Object object = it->second;
      objects_.erase(it);
      if (!object.python) return true;
      // What came before must be settled; its own release comes after.
      if (!model_.returned.empty() || !released_.empty()) return false;
      if (object.block != 0) model_.Free(object.block);
      return true;
    }
    if (line.verb != "malloc" && line.verb != "calloc" &&
        line.verb != "realloc") {
      return true;
    }
    return AcceptAllocation(line);
  }

  bool AcceptAllocation(const DumpLine& line) {
    const std::uint64_t id = line.Word(0);
    const auto it = objects_.find(id);
    const bool moves = it != objects_.end();
    if (moves && line.verb != "realloc") return false;
    const auto domain = line.columns.find("domain");
    bool python = domain == line.columns.end() || domain->second == "mem" ||
                  domain->second == "obj";
    if (moves && domain == line.columns.end()) python = it->second.python;
    // A block does not change its space.
    if (moves && python != it->second.python) return false;
    Object object{.python = python, .address = line.Column("addr")};
    if (python) {
      // A release before a realloc is its own; anything else must be settled.
      if (!model_.returned.empty()) return false;
      if (line.verb != "realloc" && !released_.empty()) return false;
      const std::uint64_t n = line.Word(1);
      object.block = moves && it->second.block != 0
                         ? model_.Realloc(it->second.block, n)
                     : moves ? 0
                             : model_.Malloc(n);
      if (model_.starved || !model_.offered.empty()) return false;
      if (!MatchReleases()) return false;
      if (!model_.returned.empty() || !released_.empty()) return false;
      const bool recorded_in_arena = InArena(object.address);
      if (object.block == 0 && recorded_in_arena) return false;
      if (object.block != 0 && object.block != object.address) return false;
    }
    objects_[id] = object;
    return true;
  }

  bool InArena(std::uint64_t address) const {
    auto it = bases_.upper_bound(address);
    return it != bases_.begin() &&
           address - *std::prev(it) < rules_.arena_bytes;
  }

  bool MatchReleases() {
    while (!model_.returned.empty() && !released_.empty()) {
      if (model_.returned.front() != released_.front()) return false;
      model_.returned.pop_front();
      released_.pop_front();
    }
    return true;
  }

  NaiveRules rules_;
  NaivePymalloc model_;
  std::map<std::uint64_t, Object> objects_;
  std::set<std::uint64_t> bases_;
  std::deque<std::uint64_t> released_;
};

}  // namespace arenalab
