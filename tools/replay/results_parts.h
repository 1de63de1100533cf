// The parts that results.cc puts together; RESULTS.md has their fields. For
// results*.cc only.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/replay/results.h"

namespace arenalab {

using Json = nlohmann::ordered_json;
using Bytes = std::vector<std::uint64_t>;

template <class T>
Json OrNull(const std::optional<T>& value) {
  return value.has_value() ? Json(*value) : Json(nullptr);
}

// The curves of one allocator, each absent where it is not known. What is
// measured in a worker is what the requests brought: an empty replay is
// subtracted.
struct Curves {
  std::optional<Bytes> held;
  std::optional<Bytes> committed;
  std::optional<Bytes> rss;
  std::optional<Bytes> rss_recorded;
  std::optional<Bytes> rss_idled;
  std::optional<Bytes> mapped;  // writable, as the kernel tells
  std::optional<Bytes> usable;  // U of all requests
};
Curves CurvesOf(const ReplayedAllocator& allocator);

// Told sample by sample only where some are left out.
Json ToldSamples(const std::vector<std::size_t>& told, std::size_t samples);
// Of types or call sites; null where there are none.
Json NamesOf(const std::vector<std::string>& names);

// What the summary sets against each other.
struct Bases {
  Bytes page_load;           // limit of resident bytes
  Bytes class_repack;        // limit of small requests' held bytes
  Bytes held;                // of the reference
  std::optional<Bytes> rss;  // of the first pymalloc
};
Json SummaryOf(const ReplayedAllocator& allocator, const Curves& curves,
               const Samples& samples, const Bases& bases);

Json LatencyOf(const std::optional<LatencyRun>& run);

Json AllocatorOf(const ReplayedAllocator& allocator, const CompiledTrace& trace,
                 const Samples& samples, const Bases& bases);

}  // namespace arenalab
