// Every object of any size that was live at a sample, and where each allocator
// put it: RESULTS.md, LIVE and PLACES. What pool_map.h and object_list.h are to
// the clone, for allocators that cannot be walked.
//
// One list serves all allocators: an object is a request that returned a block,
// and a realloc makes a new one. An allocator adds one address for each.
//
// BUDGET. As object_list.h: at most about `most` objects; beyond that every
// second, fourth, ... sample is told no more, the moments always.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/replay/compile.h"

namespace arenalab {

struct LiveObject {
  std::uint64_t maker =
      0;  // the ordinal among the requests that return a block
  std::uint32_t birth = UINT32_MAX;  // the first sample at which it lives
  std::uint32_t death = UINT32_MAX;  // the first at which it does not
  std::uint64_t bytes = 0;
  std::uint32_t thread = 0, type = 0, site = 0;
  std::uint8_t owner = 0;  // CompiledTrace::owners
};

struct LiveList {
  std::size_t samples = 0;
  std::vector<LiveObject> objects;  // by maker
  std::vector<std::size_t> told;
  bool owners = false;       // whether they are known
  std::uint64_t makers = 0;  // requests that return a block, in the trace
};

// `sample_steps` as in moments.h; `moments`: samples that are always told.
LiveList ListLive(const CompiledTrace& trace,
                  const std::vector<std::uint64_t>& sample_steps,
                  std::vector<std::size_t> moments, std::size_t most);

// Base64 of the gzip of the varints of RESULTS.md.
std::string EncodeLive(const LiveList& list);
// `addresses`: one for each maker, 0 where the request failed.
std::string EncodePlaces(const LiveList& list,
                         const std::vector<std::uint64_t>& addresses);

}  // namespace arenalab
