// The requests of X3 without a Python: many strings of about 26 characters,
// then all of them dropped but every k-th.
#pragma once

#include <cstdint>

#include "tools/experiments/op_stream.h"

namespace arenalab {

struct PinnedSamples {
  std::uint32_t peak;
  std::uint32_t after;
};

// A string of 26 ASCII characters before 3.12: 49 bytes and its characters.
inline constexpr std::uint32_t kStringBytes = 49 + 26;

inline PinnedSamples PinnedStream(std::uint32_t blocks,
                                  std::uint32_t keep_every, OpStream* stream) {
  PinnedSamples samples{};
  for (std::uint32_t slot = 0; slot < blocks; ++slot)
    stream->Allocate(slot, kStringBytes);
  samples.peak = stream->At();
  for (std::uint32_t slot = 0; slot < blocks; ++slot)
    if (slot % keep_every != 0) stream->Free(slot);
  samples.after = stream->At();
  return samples;
}

}  // namespace arenalab
