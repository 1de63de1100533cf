// The traces of one run, which lie in one folder and name the same `run`, and
// who was forked from whom.
//
// THREADS. Plain values. ERRORS. InputError where the first trace cannot be
// read; others that cannot be are no members.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace arenalab {

class Family {
 public:
  // Of the run that the trace at `path` belongs to; a trace that names no run
  // is alone.
  explicit Family(const std::string& path);

  // `path` first, then by name.
  const std::vector<std::string>& members() const { return members_; }
  // The members that begin at fork event number `fork` of a member.
  const std::vector<std::string>& ForkedAt(const std::string& member,
                                           std::uint64_t fork) const;
  // Whether a member begins at a fork of another.
  bool IsForked(const std::string& member) const;

 private:
  void Add(const std::string& member, const std::string& parent);

  std::vector<std::string> members_;
  std::map<std::pair<std::string, std::uint64_t>, std::vector<std::string>>
      forked_;
};

}  // namespace arenalab
