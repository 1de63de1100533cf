// The rules that a policy can choose among, as a list of types: from it come
// their names in settings, the choice at run time, and what tests go through.
//
// A rule is a struct with
//   static constexpr Enum kChoice;           its place in the list, in order
//   static constexpr std::string_view kName; in settings and results
// and the functions that its list's header asks for.
#pragma once

#include <cstddef>
#include <string_view>

namespace arenalab {

template <class... Rules>
struct RuleList {
  static constexpr std::string_view kNames[] = {Rules::kName...};

  // visitor.template operator()<Rule>() of the rule that `choice` names. Folds
  // to a direct call where the choice is a constant.
  template <class Enum, class Visitor>
  static constexpr auto Pick(Enum choice, Visitor&& visitor) {
    using Result = decltype(PickFirst<Rules...>(visitor));
    Result result{};
    (void)((choice == Rules::kChoice
                ? (result = visitor.template operator()<Rules>(), true)
                : false) ||
           ...);
    return result;
  }

 private:
  template <class First, class... Rest, class Visitor>
  static constexpr auto PickFirst(Visitor& visitor) {
    return visitor.template operator()<First>();
  }

  static constexpr bool InOrder() {
    std::size_t place = 0;
    return ((static_cast<std::size_t>(Rules::kChoice) == place++) && ...);
  }
  static_assert(InOrder(), "a rule's choice is its place in the list");
};

}  // namespace arenalab
