// What jemalloc tells of itself; contract in heap.h.
#include "allocators/jemalloc/heap.h"

#include <cstdint>
#include <cstring>

namespace arenalab {
namespace {

std::int64_t ReadStatistic(const char* name) {
  std::size_t value = 0;
  std::size_t value_bytes = sizeof(value);
  if (mallctl(name, &value, &value_bytes, nullptr, 0) != 0) return kUnknown;
  return static_cast<std::int64_t>(value);
}

// Options that MALLOC_CONF takes and mallctl does not show.
constexpr std::string_view kHiddenOptions[] = {"bin_shards", "slab_sizes",
                                               "lg_tcache_max"};

// Options whose value is a word; to mallctl it is as wide as a number.
constexpr std::string_view kWordOptions[] = {
    "dss", "metadata_thp", "percpu_arena", "thp", "zero_realloc", "junk"};

constexpr const char* kNotTaken = "jemalloc did not take a value";

template <typename Value>
bool ReadOption(const char* name, Value* value) {
  std::size_t value_bytes = sizeof(*value);
  return mallctl(name, value, &value_bytes, nullptr, 0) == 0;
}

const char* CheckWord(const char* name, std::string_view wanted) {
  const char* word = "";
  return ReadOption(name, &word) && wanted == word ? nullptr : kNotTaken;
}

// nullptr, or what is wrong with `key:value`.
const char* CheckOption(std::string_view key, std::string_view value) {
  for (std::string_view hidden : kHiddenOptions) {
    if (key == hidden) return nullptr;
  }
  constexpr const char* kUnknownOption =
      "its options are those of jemalloc(3), without opt.";
  char name[64] = "opt.";
  if (key.empty() || key.size() > sizeof(name) - 5) return kUnknownOption;
  std::memcpy(name + 4, key.data(), key.size());
  if (mallctl(name, nullptr, nullptr, nullptr, 0) != 0) return kUnknownOption;
  for (std::string_view option : kWordOptions) {
    if (key == option) return CheckWord(name, value);
  }
  // An option is as wide as its type; mallctl refuses other widths.
  bool flag = false;
  if (ReadOption(name, &flag)) {
    return value == (flag ? "true" : "false") ? nullptr : kNotTaken;
  }
  std::int64_t wide = 0;
  std::int32_t narrow = 0;
  if (!ReadOption(name, &wide)) {
    if (!ReadOption(name, &narrow)) return kNotTaken;
    wide = narrow;
  }
  return NumberIn(value) == wide ? nullptr : kNotTaken;
}

}  // namespace

const char* JemallocHeap::Version() {
  const char* version = "";
  std::size_t version_bytes = sizeof(version);
  mallctl("version", &version, &version_bytes, nullptr, 0);
  return version;
}

const char* JemallocHeap::CheckSettings(std::string_view settings) {
  const char* error = nullptr;
  VisitSettings(settings, [&](std::string_view key, std::string_view value) {
    error = CheckOption(key, value);
    return error == nullptr;
  });
  return error;
}

HeapSnapshot JemallocHeap::Snapshot() const noexcept {
  // Statistics are those of the last epoch; writing it makes a new one.
  std::uint64_t epoch = 1;
  std::size_t epoch_bytes = sizeof(epoch);
  mallctl("epoch", &epoch, &epoch_bytes, &epoch, sizeof(epoch));
  HeapSnapshot snapshot{.held_bytes = ReadStatistic("stats.mapped"),
                        .committed_bytes = ReadStatistic("stats.resident"),
                        .metadata_bytes = ReadStatistic("stats.metadata")};
  static_assert(MALLCTL_ARENAS_ALL == 4096, "the number in the name below");
  const std::int64_t allocated = ReadStatistic("stats.allocated");
  const std::int64_t cached = ReadStatistic("stats.arenas.4096.tcache_bytes");
  if (allocated != kUnknown && cached != kUnknown) {
    snapshot.live_block_bytes = allocated - cached;
  }
  return snapshot;
}

}  // namespace arenalab
