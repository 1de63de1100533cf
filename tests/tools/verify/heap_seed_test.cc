// A heap that was made from another one's memory gives every address that the
// other gives, whatever is asked of both from then on; and an image that
// contradicts itself is refused.
#include "tools/verify/heap_seed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "allocators/pymalloc/generation.h"
#include "tools/inspect/heap_imaging.h"
#include "tools/verify/arena_ledger.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

// This process, as inspect would see it.
class OwnMemory : public TargetMemory {
 public:
  OwnMemory() {
    Mapping all;
    all.begin = kPageBytes;
    all.end = std::uint64_t{1} << 47;
    all.readable = all.writable = true;
    mappings_.push_back(all);
  }
  std::size_t Read(std::uint64_t address, void* out,
                   std::size_t bytes) override {
    std::memcpy(out, reinterpret_cast<const void*>(address), bytes);
    return bytes;
  }
  std::vector<PageState> Pages(std::uint64_t begin,
                               std::uint64_t end) override {
    return std::vector<PageState>((end - begin) / kPageBytes,
                                  PageState::kPresent);
  }
};

// Arenas from the kernel; what is done is told to `ledger`, once there is one.
struct ToldSource {
  ArenaLedger* ledger = nullptr;

  ArenaSource Source() {
    return {this,
            [](void* self, std::size_t bytes) {
              const ArenaSource source = MmapArenaSource();
              void* const base = source.acquire(source.context, bytes);
              if (auto* told = static_cast<ToldSource*>(self)->ledger)
                told->RecordAcquire(AddressOf(base));
              return base;
            },
            [](void* self, void* base, std::size_t bytes) {
              if (auto* told = static_cast<ToldSource*>(self)->ledger)
                told->RecordRelease(AddressOf(base));
              const ArenaSource source = MmapArenaSource();
              source.release(source.context, base, bytes);
            }};
  }
};

template <class G>
HeapImage ImageOf(Heap<G>& heap) {
  HeapInside<G> inside(heap);
  AllocatorState state;
  // The slot that would be taken next.
  ArenaRecord* const unused = inside.records().Take(LibcRawSource());
  inside.records().PutBack(unused);
  state.unused = AddressOf(unused);
  state.usable = AddressOf(inside.usable().front());
  state.records = AddressOf(&inside.records()[0]);
  state.slots = inside.records().size();
  const Statistics statistics = heap.ComputeStatistics();
  state.arenas_created = statistics.arenas_created;
  state.arenas_high_water = statistics.arenas_high_water;
  for (std::uint32_t i = 0; i < state.slots; ++i)
    if (inside.records()[i].base != 0)
      state.arenas.push_back({i, inside.records()[i]});
  OwnMemory memory;
  return ReadHeapImage(memory, state, heap.geometry());
}

struct Block {
  void* p;     // of the first heap
  void* twin;  // of the seeded one
};

// Waves of requests of mixed sizes, of which the most are given back.
template <class Serve, class GiveBack>
void Churn(std::mt19937& dice, std::vector<Block>* live, int waves,
           Serve&& serve, GiveBack&& give_back) {
  for (int wave = 0; wave < waves; ++wave) {
    const std::size_t least = 1 + dice() % 480;
    for (int i = 0; i < 6000; ++i) live->push_back(serve(least + dice() % 33));
    std::shuffle(live->begin(), live->end(), dice);
    const std::size_t keep = live->size() / (2 + dice() % 6);
    while (live->size() > keep) {
      give_back(live->back());
      live->pop_back();
    }
  }
}

template <class G>
class HeapSeedTest : public testing::Test {};
using Generations =
    testing::Types<Classic, Cpython38, Cpython39, Cpython310, Cpython311>;
TYPED_TEST_SUITE(HeapSeedTest, Generations);

TYPED_TEST(HeapSeedTest, GoesOnAsTheOtherHeapDoes) {
  using G = TypeParam;
  std::mt19937 dice(17);
  ToldSource source;
  HeapOptions options;
  options.arena_source = source.Source();
  Heap<G> heap(options);
  std::vector<Block> live;
  Churn(
      dice, &live, 6,
      [&](std::size_t bytes) {
        return Block{heap.Allocate(bytes), nullptr};
      },
      [&](const Block& block) { heap.Free(block.p); });

  const HeapImage image = ImageOf(heap);
  ASSERT_GT(image.arenas.size(), 2u);
  ASSERT_EQ(image.live_blocks(), live.size());
  std::vector<std::uint8_t> bytes;
  EncodeHeapImage(image, &bytes);
  ASSERT_THAT(DecodeHeapImages(bytes, "here"), testing::ElementsAre(image));

  ArenaLedger ledger(G::kGeometry.arena_bytes);
  for (const ArenaImage& arena : image.arenas) ledger.RecordAcquire(arena.base);
  HeapOptions twin_options;
  twin_options.arena_source = ledger.Source();
  Heap<G> twin(twin_options);
  std::map<std::uint64_t, void*> twins;
  HeapSeed<G> seed(image, &twin);
  ASSERT_TRUE(seed.Plant(
      [&](std::uint64_t address, void* block) { twins[address] = block; }));
  CheckHeap(twin);
  ASSERT_EQ(twins.size(), live.size());
  for (Block& block : live) {
    block.twin = twins.at(AddressOf(block.p));
    ASSERT_EQ(ledger.Translate(block.twin).address, AddressOf(block.p));
  }
  EXPECT_EQ(twin.ComputeStatistics().allocated_bytes,
            heap.ComputeStatistics().allocated_bytes);
  EXPECT_EQ(twin.ComputeStatistics().unused_pools,
            heap.ComputeStatistics().unused_pools);

  source.ledger = &ledger;
  Churn(
      dice, &live, 8,
      [&](std::size_t size) {
        const Block block{heap.Allocate(size), twin.Allocate(size)};
        EXPECT_EQ(ledger.Translate(block.twin).address, AddressOf(block.p));
        return block;
      },
      [&](const Block& block) {
        heap.Free(block.p);
        twin.Free(block.twin);
      });
  for (const Block& block : live) {
    heap.Free(block.p);
    twin.Free(block.twin);
  }
  CheckHeap(twin);
  ledger.EndRequest(EventKind::kAlloc);
  EXPECT_TRUE(ledger.TakeDifferences().empty());
  EXPECT_GT(ledger.released(), 0u);
  source.ledger = nullptr;  // the heaps' ends are nobody's business
}

TEST(HeapImageTest, TypesGoThereAndBack) {
  Heap<Cpython311> heap{HeapOptions{}};
  for (std::size_t n = 1; n < 40; ++n) heap.Allocate(n * 8);
  const std::vector<HeapImage> images = {ImageOf(heap)};
  BlockTypes types;
  types.names = {"", "str", "a b"};
  for (std::uint32_t i = 0; i < 39; ++i) types.types.push_back(i % 3);
  std::vector<std::uint8_t> bytes;
  EncodeBlockTypes(types, &bytes);
  EXPECT_THAT(DecodeBlockTypes(bytes, images, ""), testing::ElementsAre(types));
  bytes.push_back(0);
  EXPECT_THROW(DecodeBlockTypes(bytes, images, ""), InputError);
}

// The moment in which a process is most often stopped within a request: its
// arena's slot is taken, its memory is not yet there.
TEST(HeapImageTest, OfAHeapThatIsMappingAnArenaIsTorn) {
  struct Looking {
    Heap<Cpython311>* heap = nullptr;
    int torn = 0;
  } looking;
  HeapOptions options;
  options.arena_source = {&looking,
                          [](void* self, std::size_t bytes) {
                            auto* looking = static_cast<Looking*>(self);
                            try {
                              ImageOf(*looking->heap);
                            } catch (const TornHeap&) {
                              ++looking->torn;
                            }
                            const ArenaSource source = MmapArenaSource();
                            return source.acquire(source.context, bytes);
                          },
                          MmapArenaSource().release};
  Heap<Cpython311> heap(options);
  looking.heap = &heap;
  for (int i = 0; i < 5000; ++i) heap.Allocate(500);
  EXPECT_EQ(looking.torn, 3);
  EXPECT_EQ(ImageOf(heap).arenas.size(), 3u);
}

TEST(HeapImageTest, EveryDamagedByteIsRefusedOrMakesAWholeHeap) {
  Heap<Cpython38> heap{HeapOptions{}};
  std::vector<void*> live;
  for (std::size_t n = 1; n < 400; ++n)
    live.push_back(heap.Allocate(1 + n % 90));
  for (std::size_t n = 0; n < live.size(); n += 3) heap.Free(live[n]);
  std::vector<std::uint8_t> bytes;
  EncodeHeapImage(ImageOf(heap), &bytes);
  int refused = 0, taken = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at)
    for (const std::uint8_t change : {0x01, 0x04, 0x80, 0xff}) {
      std::vector<std::uint8_t> damaged = bytes;
      damaged[at] ^= change;
      try {
        for (const HeapImage& image : DecodeHeapImages(damaged, "here")) {
          Heap<Cpython38> other{HeapOptions{}};
          HeapSeed<Cpython38> seed(image, &other);
          if (image.arenas.size() < 4 &&
              seed.Plant([](std::uint64_t, void*) {})) {
            EXPECT_FALSE(FindViolation(other)) << at << " " << int{change};
            ++taken;
          }
        }
      } catch (const InputError& error) {
        EXPECT_THAT(error.what(), testing::StartsWith("here: heap, byte "));
        ++refused;
      }
      damaged.resize(at);
      if (at > 0) {
        EXPECT_THROW(DecodeHeapImages(damaged, "here"), InputError);
      }
    }
  EXPECT_GT(refused, 500);
  EXPECT_GT(taken, 10);
}

}  // namespace
}  // namespace arenalab
