// The name of a call site: FILE:LINE:FUNCTION. Where whole stacks were recorded
// its caller's follows behind kCaller, then that one's caller's, to the
// outermost frame:
//
//   app.py:12:parse < app.py:30:main < app.py:41:<module>
#pragma once

#include <string_view>

namespace arenalab {

inline constexpr std::string_view kCaller = " < ";

// The innermost frame of it, and whether there are more.
inline std::string_view LeafOf(std::string_view call_site) {
  return call_site.substr(0, call_site.find(kCaller));
}
inline bool IsStack(std::string_view call_site) {
  return call_site.find(kCaller) != call_site.npos;
}

}  // namespace arenalab
