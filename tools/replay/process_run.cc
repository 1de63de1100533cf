// See process_run.h.
#include "tools/replay/process_run.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <vector>

#include "tools/replay/readable.h"
#include "tools/verify/family.h"
#include "tracer/format/trace_reader.h"

namespace arenalab {
namespace {

using Json = nlohmann::ordered_json;

struct Reading {
  std::uint64_t time_ns;  // by CLOCK_MONOTONIC
  std::uint64_t rss_bytes, pss_bytes, own_bytes;
};

struct Member {
  Json about;
  std::vector<Reading> readings;
  std::uint64_t began_ns = 0;
};

std::uint64_t NumberIn(const std::string& text) {
  std::uint64_t number = 0;
  std::istringstream(text) >> number;
  return number;
}

Member Read(const std::string& path, bool is_this) {
  const TraceReader reader(path);
  Member member;
  member.began_ns = NumberIn(reader.Meta("started-clock-ns"));
  std::istringstream numbers(reader.Meta("readings"));
  for (std::uint64_t ms, rss, pss, own; numbers >> ms >> rss >> pss >> own;) {
    member.readings.push_back(
        {member.began_ns + ms * 1'000'000, rss * 1024, pss * 1024, own * 1024});
  }
  std::uint64_t most_pss = 0, most_own = 0;
  for (const Reading& reading : member.readings) {
    most_pss = std::max(most_pss, reading.pss_bytes);
    most_own = std::max(most_own, reading.own_bytes);
  }
  member.about = {{"file", std::filesystem::path(path).filename().string()},
                  {"process", NumberIn(reader.Meta("process"))},
                  {"parent_process", NumberIn(reader.Meta("parent-process"))},
                  {"forked", !reader.Meta("parent").empty()},
                  {"program", reader.Meta("program")},
                  {"python", reader.Meta("python")},
                  {"requests", reader.totals().requests},
                  {"complete", reader.complete()},
                  {"is_this", is_this},
                  {"page", nullptr},
                  {"peak_pss_bytes", most_pss},
                  {"peak_private_bytes", most_own}};
  return member;
}

// The most of `value` in each piece.
template <class Value>
std::vector<std::optional<std::uint64_t>> Curve(const Member& member,
                                                std::uint64_t begin,
                                                std::uint64_t end,
                                                Value value) {
  std::vector<std::optional<std::uint64_t>> curve(kRunPoints);
  const std::uint64_t piece =
      std::max<std::uint64_t>(1, (end - begin + kRunPoints) / kRunPoints);
  for (const Reading& reading : member.readings) {
    auto& at = curve[std::min<std::size_t>((reading.time_ns - begin) / piece,
                                           kRunPoints - 1)];
    at = std::max(at.value_or(0), value(reading));
  }
  std::size_t last = kRunPoints;
  while (last > 0 && !curve[last - 1]) --last;
  for (std::size_t i = 1; i < last; ++i) {
    if (!curve[i]) curve[i] = curve[i - 1];
  }
  return curve;
}

Json NullsIn(const std::vector<std::optional<std::uint64_t>>& curve) {
  Json out = Json::array();
  for (const auto& value : curve) out.push_back(value ? Json(*value) : Json());
  return out;
}

}  // namespace

Json ProcessesOf(const std::string& trace) {
  const Family family(trace);
  if (family.members().size() < 2) return nullptr;
  std::vector<Member> members;
  for (const std::string& path : family.members())
    members.push_back(Read(path, path == trace));
  std::stable_sort(
      members.begin(), members.end(),
      [](const Member& a, const Member& b) { return a.began_ns < b.began_ns; });
  const std::uint64_t begin = members.front().began_ns;
  std::uint64_t end = begin;
  for (const Member& member : members) {
    if (!member.readings.empty())
      end = std::max(end, member.readings.back().time_ns);
  }
  std::vector<std::uint64_t> together(kRunPoints), own_together(kRunPoints);
  std::size_t worst = 0;
  Json list = Json::array();
  for (std::size_t i = 0; i < members.size(); ++i) {
    Member& member = members[i];
    const auto pss =
        Curve(member, begin, end, [](const Reading& r) { return r.pss_bytes; });
    const auto own =
        Curve(member, begin, end, [](const Reading& r) { return r.own_bytes; });
    for (std::size_t k = 0; k < kRunPoints; ++k) {
      together[k] += pss[k].value_or(0);
      own_together[k] += own[k].value_or(0);
    }
    member.about["began_ns"] = member.began_ns - begin;
    member.about["pss_bytes"] = NullsIn(pss);
    member.about["private_bytes"] = NullsIn(own);
    if (member.about["peak_private_bytes"] >
        members[worst].about["peak_private_bytes"]) {
      worst = i;
    }
    list.push_back(member.about);
  }
  const auto peak = static_cast<std::size_t>(
      std::max_element(together.begin(), together.end()) - together.begin());
  const Json& most = list[worst];
  std::string words =
      std::to_string(members.size()) + " processes, together at most " +
      ReadableBytes(together[peak]) + " (Pss), " +
      ReadableBytes(own_together[peak]) + " of it private. Process " +
      std::to_string(most["process"].get<std::uint64_t>()) +
      " has the most of its own, " +
      ReadableBytes(most["peak_private_bytes"].get<std::uint64_t>()) + ".";
  if (together[peak] == 0) {
    words = std::to_string(members.size()) +
            " processes; the traces have no readings of their memory.";
  }
  return {{"words", words},
          {"worst", worst},
          {"duration_ns", end - begin},
          {"peak_pss_bytes", together[peak]},
          {"peak_private_bytes", own_together[peak]},
          {"members", list}};
}

}  // namespace arenalab
