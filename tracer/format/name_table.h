// The names of types and call sites, by number. Numbers count up from 1 in each
// name space; 0 is the name that is not known.
//
// One thread. Memory is proportional to the names.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "tracer/event.h"

namespace arenalab {

class NameTable {
 public:
  // The number of a name; `*is_new` if it had none yet.
  std::uint32_t Intern(NameSpace space, std::string_view name, bool* is_new) {
    Space& in = spaces_[static_cast<std::size_t>(space)];
    if (const auto found = in.numbers.find(name); found != in.numbers.end()) {
      *is_new = false;
      return found->second;
    }
    *is_new = true;
    // A deque's strings stay where they are.
    in.names.emplace_back(name);
    const auto number = static_cast<std::uint32_t>(in.names.size());
    in.numbers.emplace(in.names.back(), number);
    return number;
  }

  // Empty for 0 and for a number that has no name. Stays valid.
  std::string_view Name(NameSpace space, std::uint32_t number) const {
    const Space& in = spaces_[static_cast<std::size_t>(space)];
    return number - 1 < in.names.size() ? in.names[number - 1]
                                        : std::string_view();
  }
  std::uint32_t size(NameSpace space) const {
    return static_cast<std::uint32_t>(
        spaces_[static_cast<std::size_t>(space)].names.size());
  }

 private:
  struct Space {
    std::deque<std::string> names;
    std::unordered_map<std::string_view, std::uint32_t> numbers;
  };
  std::array<Space, 2> spaces_;
};

}  // namespace arenalab
