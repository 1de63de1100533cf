// Many processes as one: a process and its descendants, or a cgroup's members.
// Rss counts a page once for each process that maps it; only Pss may be summed.
//
// SOURCE: proc(5): smaps_rollup, stat, cmdline, cgroup.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace arenalab {

// From smaps_rollup.
struct ProcessShares {
  std::uint64_t rss_bytes = 0;
  std::uint64_t pss_bytes = 0;
  std::uint64_t private_bytes = 0;        // USS: clean and dirty
  std::uint64_t private_dirty_bytes = 0;  // what forking did not save
  std::uint64_t shared_bytes = 0;
  std::uint64_t swap_bytes = 0;
};

// nullopt: it ended, or may not be read.
std::optional<ProcessShares> SharesOf(int pid);

struct GroupMember {
  int pid = 0;
  int parent = 0;
  int depth = 0;  // below the first; 0 in a cgroup
  std::string command;
  ProcessShares shares;
  // What pymalloc has there; absent: no Python, or it may not be read.
  struct Pymalloc {
    std::uint64_t arenas = 0;
    std::uint64_t held_bytes = 0;
    std::uint64_t live_bytes = 0;
  };
  std::optional<Pymalloc> pymalloc;
};

struct ProcessGroup {
  std::string name;  // "process 4711 and its descendants", "cgroup /web"
  std::vector<GroupMember> members;
  std::uint64_t not_readable = 0;
};

// Parents before children. Throws InputError if there is no such process.
ProcessGroup TreeOf(int pid);
// The same without a look at anybody's heap: quick enough to be sampled. Empty
// if there is no such process.
ProcessGroup TreeSharesOf(int pid);
// The cgroup that holds `pid` (v2, or v1's memory controller), all its members.
// Throws InputError if it has none of its own (it is the root's).
ProcessGroup CgroupOf(int pid);

std::string GroupText(const ProcessGroup& group);
nlohmann::ordered_json GroupJson(const ProcessGroup& group);

}  // namespace arenalab
