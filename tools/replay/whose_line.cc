// Takes the largest reading and what was held there.
#include "tools/replay/whose_line.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "tools/replay/readable.h"
#include "tools/replay/whose_words.h"

namespace arenalab {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

std::string WhoseLine(const Json& results, const Json* pymalloc) {
  const Json& timeline = results.at("timeline");
  const auto reading = results.find("largest_process_rss");
  if (pymalloc == nullptr || reading == results.end() || reading->is_null())
    return "";
  const Json& committed = pymalloc->at("committed_bytes");
  if (committed.is_null()) return "";
  const auto sample = reading->at("sample").get<std::size_t>();
  const auto resident = reading->at("rss_bytes").get<std::uint64_t>();
  const auto at = [&](const Json& curve) {
    return curve.at(sample).get<std::int64_t>();
  };
  const Json& parts = pymalloc->at("waterfall").at("bytes").at(sample);
  // Live blocks: what was asked for and what was rounded.
  const std::int64_t live =
      parts.at(0).get<std::int64_t>() + parts.at(1).get<std::int64_t>();
  const std::int64_t large = at(timeline.at("requested_bytes")) -
                             at(timeline.at("requested_small_bytes"));
  std::vector<WhoseShare> shares = {
      {"pymalloc's", at(committed),
       std::max<std::int64_t>(0, at(committed) - live)},
      {"what Python has from the C library", large, 0}};
  shares.push_back(
      {"code's, stacks', the C library's own and what was not recorded",
       static_cast<std::int64_t>(resident) - at(committed) - large, 0});
  std::string words = WhoseWords(resident, std::move(shares));
  words[0] = 'o';
  return "Whose: " + words + " (The largest reading, near request " +
         ReadableCount(timeline.at("request").at(sample).get<std::uint64_t>()) +
         ".)";
}

}  // namespace arenalab
