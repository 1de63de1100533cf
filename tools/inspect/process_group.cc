// Reads /proc for many processes, and each one's heap.
#include "tools/inspect/process_group.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tools/inspect/heap_reading.h"
#include "tools/inspect/live_process.h"
#include "tools/replay/readable.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string Proc(int pid, const char* name) {
  return ReadFile("/proc/" + std::to_string(pid) + "/" + name);
}

// 0: there is no such process.
int ParentOf(int pid) {
  const std::string stat = Proc(pid, "stat");
  // The name in parentheses may hold anything, parentheses too.
  const std::size_t name_end = stat.rfind(')');
  int parent = 0;
  if (name_end == std::string::npos ||
      std::sscanf(stat.c_str() + name_end, ") %*c %d", &parent) != 1)
    return 0;
  return parent;
}

std::string CommandOf(int pid) {
  std::string command = Proc(pid, "cmdline");
  if (command.empty()) return "[" + Proc(pid, "comm");
  while (!command.empty() && command.back() == '\0') command.pop_back();
  for (char& c : command)
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = ' ';
  return command;
}

std::vector<int> AllProcesses() {
  std::vector<int> pids;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error))
    if (const int pid = std::atoi(entry.path().filename().c_str()); pid > 0)
      pids.push_back(pid);
  std::sort(pids.begin(), pids.end());
  return pids;
}

void ReadPymalloc(GroupMember* member) {
  try {
    LiveProcess process(member->pid);
    GroupMember::Pymalloc sums;
    for (const AllocatorState& state : FindAllocatorStates(process)) {
      const auto geometry = DecideGeometry(process, state);
      if (!geometry) continue;
      const HeapReading heap =
          ReadHeap(process, state, *geometry, [](const LiveBlock&) {});
      sums.arenas += heap.arenas.size();
      sums.held_bytes += heap.arenas.size() * geometry->arena_bytes;
      sums.live_bytes += heap.statistics.allocated_bytes;
    }
    if (sums.arenas > 0) member->pymalloc = sums;
  } catch (const InputError&) {
    // It ended, or is another user's: its shares may still be known.
  }
}

void AddMember(int pid, int depth, ProcessGroup* group) {
  GroupMember member;
  member.pid = pid;
  member.parent = ParentOf(pid);
  member.depth = depth;
  member.command = CommandOf(pid);
  const auto shares = SharesOf(pid);
  if (!shares) {
    ++group->not_readable;
    return;
  }
  member.shares = *shares;
  group->members.push_back(std::move(member));
}

// After all shares are known: reading may map pages of files.
void ReadHeaps(ProcessGroup* group) {
  for (GroupMember& member : group->members) ReadPymalloc(&member);
}

void AddTree(int pid, int depth, const std::multimap<int, int>& children,
             ProcessGroup* group) {
  AddMember(pid, depth, group);
  const auto [first, last] = children.equal_range(pid);
  for (auto child = first; child != last; ++child)
    AddTree(child->second, depth + 1, children, group);
}

std::string Size(std::uint64_t bytes) {
  return ReadableBytes(static_cast<double>(bytes));
}

ProcessShares SumOf(const ProcessGroup& group) {
  ProcessShares sum;
  for (const GroupMember& member : group.members) {
    sum.rss_bytes += member.shares.rss_bytes;
    sum.pss_bytes += member.shares.pss_bytes;
    sum.private_bytes += member.shares.private_bytes;
    sum.private_dirty_bytes += member.shares.private_dirty_bytes;
    sum.shared_bytes += member.shares.shared_bytes;
    sum.swap_bytes += member.shares.swap_bytes;
  }
  return sum;
}

std::string Row(const std::string& pid, const ProcessShares& shares,
                const std::string& held, const std::string& live,
                const std::string& command) {
  char line[320];
  std::snprintf(line, sizeof(line),
                "%9s %10s %10s %10s %10s %10s %10s  %.120s\n", pid.c_str(),
                Size(shares.pss_bytes).c_str(), Size(shares.rss_bytes).c_str(),
                Size(shares.private_bytes).c_str(),
                Size(shares.private_dirty_bytes).c_str(), held.c_str(),
                live.c_str(), command.c_str());
  return line;
}

}  // namespace

std::optional<ProcessShares> SharesOf(int pid) {
  std::istringstream lines(Proc(pid, "smaps_rollup"));
  ProcessShares shares;
  bool found = false;
  for (std::string line; std::getline(lines, line);) {
    char key[32];
    std::uint64_t kib;
    if (std::sscanf(line.c_str(), "%31[A-Za-z_]: %" SCNu64, key, &kib) != 2)
      continue;
    const std::string name = key;
    const std::uint64_t bytes = kib * 1024;
    found = true;
    if (name == "Rss") shares.rss_bytes = bytes;
    if (name == "Pss") shares.pss_bytes = bytes;
    if (name == "Swap") shares.swap_bytes = bytes;
    if (name == "Private_Clean" || name == "Private_Dirty")
      shares.private_bytes += bytes;
    if (name == "Private_Dirty") shares.private_dirty_bytes = bytes;
    if (name == "Shared_Clean" || name == "Shared_Dirty")
      shares.shared_bytes += bytes;
  }
  if (!found) return std::nullopt;
  return shares;
}

ProcessGroup TreeOf(int pid) {
  if (ParentOf(pid) == 0 && pid != 1)
    throw InputError("process " + std::to_string(pid) +
                     ": there is no such process");
  ProcessGroup group = TreeSharesOf(pid);
  ReadHeaps(&group);
  return group;
}

ProcessGroup TreeSharesOf(int pid) {
  std::multimap<int, int> children;
  for (const int other : AllProcesses())
    if (const int parent = ParentOf(other); parent != 0)
      children.emplace(parent, other);
  ProcessGroup group;
  group.name = "process " + std::to_string(pid) + " and its descendants";
  AddTree(pid, 0, children, &group);
  return group;
}

ProcessGroup CgroupOf(int pid) {
  const auto path_in = [](const std::string& text) {
    std::istringstream lines(text);
    std::string path;
    for (std::string line; std::getline(lines, line);) {
      const std::size_t first = line.find(':');
      const std::size_t second = line.find(':', first + 1);
      if (second == std::string::npos) continue;
      const std::string controllers =
          line.substr(first + 1, second - first - 1);
      // v1's memory controller before v2's one line, where both are.
      if (controllers == "memory") return line.substr(second + 1);
      if (controllers.empty()) path = line.substr(second + 1);
    }
    return path;
  };
  const std::string path = path_in(Proc(pid, "cgroup"));
  if (path.empty())
    throw InputError("process " + std::to_string(pid) +
                     ": there is no such process, or the kernel has no "
                     "cgroups");
  if (path == "/")
    throw InputError("process " + std::to_string(pid) +
                     ": is in the root cgroup, which is the whole machine; "
                     "--tree takes its descendants");
  ProcessGroup group;
  group.name = "cgroup " + path;
  for (const int other : AllProcesses()) {
    const std::string at = path_in(Proc(other, "cgroup"));
    if (at == path || at.starts_with(path + "/")) AddMember(other, 0, &group);
  }
  ReadHeaps(&group);
  return group;
}

std::string GroupText(const ProcessGroup& group) {
  const ProcessShares sum = SumOf(group);
  GroupMember::Pymalloc python;
  std::size_t pythons = 0;
  for (const GroupMember& member : group.members) {
    if (!member.pymalloc) continue;
    ++pythons;
    python.arenas += member.pymalloc->arenas;
    python.held_bytes += member.pymalloc->held_bytes;
    python.live_bytes += member.pymalloc->live_bytes;
  }
  std::string text = "The " + std::to_string(group.members.size()) +
                     " processes of " + group.name + " have " +
                     Size(sum.pss_bytes) +
                     " of memory together (Pss, shared pages counted once); " +
                     Size(sum.private_bytes) + " of it is private. " +
                     std::to_string(pythons) + " run Python on pymalloc.\n\n";
  char line[160];
  std::snprintf(line, sizeof(line), "%9s %10s %10s %10s %10s %10s %10s\n",
                "process", "Pss", "Rss", "private", "dirty", "arenas",
                "live in them");
  text += line;
  for (const GroupMember& member : group.members)
    text += Row(std::to_string(member.pid), member.shares,
                member.pymalloc ? Size(member.pymalloc->held_bytes) : "n/a",
                member.pymalloc ? Size(member.pymalloc->live_bytes) : "n/a",
                std::string(2 * static_cast<std::size_t>(member.depth), ' ') +
                    member.command);
  ProcessShares summed = sum;
  text += Row("sum", summed, Size(python.held_bytes), Size(python.live_bytes),
              "(Rss counts shared pages more than once; so do arenas)");
  if (group.not_readable > 0)
    text += "\n" + std::to_string(group.not_readable) +
            " more could not be read: run this as root\n";
  return text;
}

nlohmann::ordered_json GroupJson(const ProcessGroup& group) {
  using Json = nlohmann::ordered_json;
  const auto shares_json = [](const ProcessShares& shares) {
    return Json{{"rss_bytes", shares.rss_bytes},
                {"pss_bytes", shares.pss_bytes},
                {"private_bytes", shares.private_bytes},
                {"private_dirty_bytes", shares.private_dirty_bytes},
                {"shared_bytes", shares.shared_bytes},
                {"swap_bytes", shares.swap_bytes}};
  };
  Json json;
  json["schema"] = "arenalab.inspect-group/1";
  json["group"] = group.name;
  json["sum"] = shares_json(SumOf(group));
  json["not_readable"] = group.not_readable;
  json["processes"] = Json::array();
  for (const GroupMember& member : group.members) {
    Json row = {{"pid", member.pid},
                {"parent", member.parent},
                {"command", member.command}};
    row.update(shares_json(member.shares));
    if (member.pymalloc)
      row["pymalloc"] = {{"arenas", member.pymalloc->arenas},
                         {"held_bytes", member.pymalloc->held_bytes},
                         {"live_bytes", member.pymalloc->live_bytes}};
    json["processes"].push_back(std::move(row));
  }
  return json;
}

}  // namespace arenalab
