// Reads a heap's settings; the list of keys is runtime_generation.h's.
#include "allocators/pymalloc/runtime_generation.h"

#include <bit>
#include <iterator>
#include <optional>

#include "allocators/settings.h"

namespace arenalab {
namespace {

bool IsPowerOfTwo(std::int64_t n, std::int64_t least, std::int64_t most) {
  return n >= least && n <= most &&
         std::has_single_bit(static_cast<std::uint64_t>(n));
}

// The value that `text` names among `names`, in the order of the enumeration.
template <class Enum, std::size_t kNames>
bool ReadName(std::string_view text, const std::string_view (&names)[kNames],
              Enum* result) {
  for (std::size_t i = 0; i < kNames; ++i) {
    if (text != names[i]) continue;
    *result = static_cast<Enum>(i);
    return true;
  }
  return false;
}

class SettingsReader {
 public:
  const char* Read(std::string_view settings, HeapSettings* result) {
    const char* error = nullptr;
    VisitSettings(settings, [&](std::string_view key, std::string_view value) {
      error = Take(key, value);
      return error == nullptr;
    });
    if (error == nullptr) error = Combine();
    if (error == nullptr) *result = {geometry_, policy_};
    return error;
  }

 private:
  enum Key {
    kGeometry,
    kArenaBytes,
    kPoolBytes,
    kAlignment,
    kMaxSmallBytes,
    kKeepArenas,
    kArenaChoice,
    kPoolChoice,
    kFreeList,
    kMadviseFreePools,
    kAddressTest,
    kDecayBytes,
    kLanes,
  };
  static constexpr std::string_view kKeys[] = {"geometry",
                                               "arena_bytes",
                                               "pool_bytes",
                                               "alignment",
                                               "max_small_bytes",
                                               "keep_arenas",
                                               "arena_choice",
                                               "pool_choice",
                                               "free_list",
                                               "madvise_free_pools",
                                               "address_test",
                                               "decay_bytes",
                                               "lanes"};

  bool Given(Key key) const { return given_[key]; }

  const char* Take(std::string_view key, std::string_view value) {
    Key which;
    if (!ReadName(key, kKeys, &which))
      return "no such key; there are geometry, arena_bytes, pool_bytes, "
             "alignment, max_small_bytes, keep_arenas, arena_choice, "
             "pool_choice, free_list, madvise_free_pools, address_test, "
             "decay_bytes, lanes";
    if (given_[which]) return "a key stands twice";
    given_[which] = true;
    text_[which] = value;
    number_[which] = NumberIn(value).value_or(-1);
    return nullptr;
  }

  const char* Combine() {
    const char* error = ReadSizes();
    if (error == nullptr) error = ReadRules();
    return error;
  }

  // What is not given is the named generation's.
  std::int64_t NumberOr(Key key, std::size_t otherwise) const {
    return Given(key) ? number_[key] : static_cast<std::int64_t>(otherwise);
  }

  const char* ReadSizes() {
    const std::string_view name =
        Given(kGeometry) ? text_[kGeometry] : Cpython311::kName;
    const std::optional<std::string_view> canonical = ResolveGeometry(name);
    if (!canonical)
      return "geometry: no such generation; there are classic and cpython-X.Y "
             "from 2.3 to 3.15";
    ForEachGeneration([&]<class G>() {
      if (G::kName != *canonical) return;
      geometry_ = G::kGeometry;
      policy_ = G::kPolicy;
    });
    const std::int64_t arena = NumberOr(kArenaBytes, geometry_.arena_bytes);
    const std::int64_t pool = NumberOr(kPoolBytes, geometry_.pool_bytes);
    const std::int64_t step = NumberOr(kAlignment, geometry_.alignment);
    const std::int64_t most =
        NumberOr(kMaxSmallBytes, geometry_.max_small_bytes);
    if (!IsPowerOfTwo(arena, 16 << 10, 1 << 30))
      return "arena_bytes: a power of two from 16384 to 1073741824";
    if (!IsPowerOfTwo(pool, 1 << 10, 256 << 10))
      return "pool_bytes: a power of two from 1024 to 262144";
    if (arena < 4 * pool || arena / pool > kMostPools)
      return "arena_bytes: an arena must have 4 to 1024 pools";
    if (!IsPowerOfTwo(step, 8, 64)) return "alignment: 8, 16, 32 or 64";
    if (most < step || most % step != 0)
      return "max_small_bytes: a multiple of the alignment";
    if (most / step > static_cast<std::int64_t>(kMaxClasses))
      return "max_small_bytes: at most 128 size classes";
    geometry_ = MakeGeometry(
        static_cast<std::size_t>(arena), static_cast<std::size_t>(pool),
        static_cast<std::size_t>(step), static_cast<std::size_t>(most));
    if (BlocksPerPool(geometry_, geometry_.classes - 1) < 2)
      return "max_small_bytes: two blocks of it must fit into a pool";
    return nullptr;
  }

  const char* ReadRules() {
    const bool releases = policy_.empty_pools == EmptyPools::kPerArena;
    if (!releases &&
        (Given(kKeepArenas) || Given(kArenaChoice) || Given(kDecayBytes)))
      return "keep_arenas, arena_choice, decay_bytes: this geometry never "
             "releases an arena";
    if (Given(kKeepArenas)) {
      if (number_[kKeepArenas] < 0) return "keep_arenas: a number";
      policy_.keep_arenas = static_cast<std::size_t>(number_[kKeepArenas]);
    }
    if (Given(kDecayBytes)) {
      if (number_[kDecayBytes] <= 0) return "decay_bytes: a number above 0";
      policy_.decay_bytes = static_cast<std::uint64_t>(number_[kDecayBytes]);
      if (policy_.keep_arenas == 0 ||
          policy_.keep_arenas > DecayingArenas::kMost)
        return "decay_bytes: needs keep_arenas of 1 to 64, of which it lets go";
    }
    if (Given(kLanes) &&
        !ReadName(text_[kLanes], LaneRules::kNames, &policy_.lanes))
      return "lanes: none, lifetime, domain, thread, state, type or site";
    if (Given(kArenaChoice) &&
        !ReadName(text_[kArenaChoice], ArenaOrders::kNames,
                  &policy_.arena_choice))
      return "arena_choice: fullest, address, recent or emptiest";
    if (Given(kPoolChoice) &&
        !ReadName(text_[kPoolChoice], PoolOrders::kNames, &policy_.pool_choice))
      return "pool_choice: recent, address or fullest";
    if (Given(kFreeList) &&
        !ReadName(text_[kFreeList], BlockOrders::kNames, &policy_.free_list))
      return "free_list: lifo or address";
    if (Given(kMadviseFreePools)) {
      if (text_[kMadviseFreePools] != "0" && text_[kMadviseFreePools] != "1")
        return "madvise_free_pools: 0 or 1";
      policy_.discard_free_pools = text_[kMadviseFreePools] == "1";
      if (policy_.discard_free_pools &&
          geometry_.pool_bytes <= kDiscardedPageBytes)
        return "madvise_free_pools: pools must be larger than a page of 4096 "
               "bytes";
    }
    const bool page_holds_pool = geometry_.pool_bytes <= kDiscardedPageBytes;
    if (!page_holds_pool && !Given(kAddressTest))
      policy_.address_test = AddressTest::kRadixTree;
    if (Given(kAddressTest) &&
        !ReadName(text_[kAddressTest], {"index", "radix"},
                  &policy_.address_test))
      return "address_test: index or radix";
    if (!page_holds_pool && policy_.address_test == AddressTest::kPoolIndex)
      return "address_test: the index needs pools of at most 4096 bytes";
    return nullptr;
  }

  static constexpr std::int64_t kMostPools =
      GenerationValues<RuntimeGeneration>::kMaxPools;

  bool given_[std::size(kKeys)] = {};
  std::string_view text_[std::size(kKeys)];
  std::int64_t number_[std::size(kKeys)] = {};  // -1: not a number
  GeometryValues geometry_{};
  PolicyValues policy_{};
};

}  // namespace

const char* ReadHeapSettings(std::string_view settings, HeapSettings* result) {
  return SettingsReader().Read(settings, result);
}

GenerationValues<RuntimeGeneration>::GenerationValues(std::string_view settings)
    : settings_{Cpython311::kGeometry, Cpython311::kPolicy} {
  ReadHeapSettings(settings, &settings_);
  radix_shape_ =
      MakeRadixShape(settings_.policy.address_bits,
                     std::countr_zero(settings_.geometry.arena_bytes));
}

}  // namespace arenalab
