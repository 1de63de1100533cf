// Pools segregated by what is known of a request: each lane has used lists of
// its own, so that blocks of two lanes never share a pool. Arenas, and pools
// that are empty, are everyone's.
//
// CPython has one lane. The others ask what it would gain from knowing more
// than a size: `lifetime` is an oracle's, which no program has, and `type` is
// one where memory is asked for before it is known what it becomes.
//
// TO ADD ONE: an enumerator, a struct, its name in LaneRules.
//   kLanes    how many there are, at most kMaxLanes
//   Of(hint)  the lane of a request, below kLanes
#pragma once

#include <cstdint>
#include <string_view>

#include "allocators/pymalloc/rule_list.h"
#include "allocators/request_hint.h"

namespace arenalab {

inline constexpr std::uint32_t kMaxLanes = 64;

enum class LaneChoice : std::uint8_t {
  kNone,
  kLifetime,
  kDomain,
  kThread,
  kState,
  kType,
  kSite
};

struct OneLane {
  static constexpr LaneChoice kChoice = LaneChoice::kNone;
  static constexpr std::string_view kName = "none";
  static constexpr std::uint32_t kLanes = 1;
  static constexpr std::uint32_t Of(const RequestHint&) { return 0; }
};

// A power of two of allocated bytes each; those that are never freed: the last.
struct LaneByLifetime {
  static constexpr LaneChoice kChoice = LaneChoice::kLifetime;
  static constexpr std::string_view kName = "lifetime";
  static constexpr std::uint32_t kLanes = kImmortalLog2 + 1;
  static constexpr std::uint32_t Of(const RequestHint& hint) {
    return hint.lifetime_log2 % kLanes;
  }
};

struct LaneByDomain {
  static constexpr LaneChoice kChoice = LaneChoice::kDomain;
  static constexpr std::string_view kName = "domain";
  static constexpr std::uint32_t kLanes = 3;
  static constexpr std::uint32_t Of(const RequestHint& hint) {
    return hint.domain % kLanes;
  }
};

// The 65th thread shares the first one's, and so on.
struct LaneByThread {
  static constexpr LaneChoice kChoice = LaneChoice::kThread;
  static constexpr std::string_view kName = "thread";
  static constexpr std::uint32_t kLanes = kMaxLanes;
  static constexpr std::uint32_t Of(const RequestHint& hint) {
    return hint.thread % kLanes;
  }
};

struct LaneByState {
  static constexpr LaneChoice kChoice = LaneChoice::kState;
  static constexpr std::string_view kName = "state";
  static constexpr std::uint32_t kLanes = kMaxLanes;
  static constexpr std::uint32_t Of(const RequestHint& hint) {
    return hint.state % kLanes;
  }
};

// The 65th type shares the first one's, as threads do; so do sites.
struct LaneByType {
  static constexpr LaneChoice kChoice = LaneChoice::kType;
  static constexpr std::string_view kName = "type";
  static constexpr std::uint32_t kLanes = kMaxLanes;
  static constexpr std::uint32_t Of(const RequestHint& hint) {
    return hint.type % kLanes;
  }
};

struct LaneBySite {
  static constexpr LaneChoice kChoice = LaneChoice::kSite;
  static constexpr std::string_view kName = "site";
  static constexpr std::uint32_t kLanes = kMaxLanes;
  static constexpr std::uint32_t Of(const RequestHint& hint) {
    return hint.site % kLanes;
  }
};

using LaneRules = RuleList<OneLane, LaneByLifetime, LaneByDomain, LaneByThread,
                           LaneByState, LaneByType, LaneBySite>;

constexpr std::uint32_t LanesOf(LaneChoice choice) {
  return LaneRules::Pick(choice, []<class Rule>() {
    static_assert(Rule::kLanes >= 1 && Rule::kLanes <= kMaxLanes);
    return Rule::kLanes;
  });
}
constexpr std::uint32_t LaneOf(LaneChoice choice, const RequestHint& hint) {
  return LaneRules::Pick(choice, [&]<class Rule>() { return Rule::Of(hint); });
}

}  // namespace arenalab
