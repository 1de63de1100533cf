// The contract of allocators/allocator.h, on a real heap. Compiled once per
// registered allocator by allocators/allocator_worker.bzl, with the same
// definitions as its worker, and run once per ARENALAB_CONTRACT_SETTINGS entry.
//
// A heap whose blocks share bytes on purpose (null) says so with
// `kHoldsContents = false`; what depends on contents is skipped for it, aloud.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "allocators/heap_options.h"
#include "allocators/one_heap.h"
#include ARENALAB_HEAP_HEADER

namespace arenalab {
namespace {

template <typename Heap>
constexpr bool HoldsContents() {
  if constexpr (requires { Heap::kHoldsContents; }) {
    return Heap::kHoldsContents;
  } else {
    return true;
  }
}

std::vector<std::string> SettingsUnderTest() {
  std::vector<std::string> all;
  std::string text = ARENALAB_CONTRACT_SETTINGS;
  for (std::size_t start = 0;;) {
    const std::size_t end = text.find(';', start);
    all.push_back(text.substr(start, end - start));
    if (end == std::string::npos) return all;
    start = end + 1;
  }
}

class Contract : public testing::TestWithParam<std::string> {
 protected:
  // Runs `body(heap)` on a fresh heap of the allocator under test.
  template <typename Body>
  void WithHeap(Body body) {
    const bool known =
        ARENALAB_VISIT_HEAP(std::string_view(GetParam()), [&]<typename Heap>() {
          static_assert(Allocator<Heap>);
          HeapOptions options;
          options.settings = GetParam();
          Heap heap(options);
          body(heap);
        });
    ASSERT_TRUE(known) << GetParam();
  }
};

bool AllAre(const void* block, std::size_t bytes, unsigned char value) {
  const auto* p = static_cast<const unsigned char*>(block);
  for (std::size_t i = 0; i < bytes; ++i) {
    if (p[i] != value) return false;
  }
  return true;
}

// Sizes on both sides of every limit that some allocator here has: small
// requests (256, 512, 1 KiB), pages, thread caches (32 KiB), own mappings.
const std::size_t kSizes[] = {1,    7,    8,     9,      15,      16,
                              17,   255,  256,   257,    511,     512,
                              513,  1024, 4096,  16384,  32768,   65536,
                              1000, 5000, 99999, 262145, 1 << 20, 5 << 20};

// Opaque to the compiler, which otherwise warns of absurd sizes.
std::size_t Opaque(std::size_t bytes) {
  volatile std::size_t kept = bytes;
  return kept;
}

TEST_P(Contract, BlocksOfZeroBytesAreUniqueAndNotNull) {
  WithHeap([](auto& heap) {
    std::set<void*> blocks;
    for (int i = 0; i < 100; ++i) {
      blocks.insert(heap.Allocate(0));
      blocks.insert(heap.AllocateZeroed(0, 8));
      blocks.insert(heap.AllocateZeroed(8, 0));
      blocks.insert(heap.AllocateAligned(64, 0));
    }
    EXPECT_FALSE(blocks.contains(nullptr));
    if (heap.kName == "null")
      return;  // an alignment rounds its starts together
    EXPECT_EQ(blocks.size(), 400u);
    for (void* block : blocks) heap.Free(block);
  });
}

TEST_P(Contract, LiveBlocksDoNotOverlap) {
  WithHeap([]<typename Heap>(Heap& heap) {
    if (!HoldsContents<Heap>()) GTEST_SKIP() << "blocks share bytes by design";
    struct Block {
      unsigned char* p;
      std::size_t bytes;
      unsigned char value;
    };
    std::vector<Block> live;
    std::uint64_t random = 12345;
    for (int i = 0; i < 20000; ++i) {
      random = random * 6364136223846793005u + 1442695040888963407u;
      if (random >> 62 == 0 && !live.empty()) {
        const std::size_t victim = (random >> 20) % live.size();
        ASSERT_TRUE(
            AllAre(live[victim].p, live[victim].bytes, live[victim].value));
        heap.Free(live[victim].p);
        live[victim] = live.back();
        live.pop_back();
      } else {
        const std::size_t bytes = (random >> 20) % 700;
        auto* p = static_cast<unsigned char*>(heap.Allocate(bytes));
        ASSERT_NE(p, nullptr);
        std::memset(p, i & 255, bytes);
        live.push_back({p, bytes, static_cast<unsigned char>(i)});
      }
    }
    for (const Block& block : live) {
      EXPECT_TRUE(AllAre(block.p, block.bytes, block.value));
      heap.Free(block.p);
    }
  });
}

TEST_P(Contract, EveryByteAskedForIsUsable) {
  WithHeap([](auto& heap) {
    for (std::size_t bytes : kSizes) {
      void* p = heap.Allocate(bytes);
      ASSERT_NE(p, nullptr) << bytes;
      EXPECT_GE(heap.UsableSize(p), bytes);
      std::memset(p, 0xa5, bytes);
      heap.Free(p);
    }
  });
}

TEST_P(Contract, BlocksAreAlignedToEightBytesAtLeast) {
  WithHeap([](auto& heap) {
    for (std::size_t bytes : kSizes) {
      void* p = heap.Allocate(bytes);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(p) % 8, 0u) << bytes;
      heap.Free(p);
    }
  });
}

TEST_P(Contract, ZeroedBlocksAreZeroEvenWhereDirtyOnesWereFreed) {
  WithHeap([]<typename Heap>(Heap& heap) {
    if (!HoldsContents<Heap>()) GTEST_SKIP() << "blocks share bytes by design";
    for (std::size_t bytes : kSizes) {
      void* dirty = heap.Allocate(bytes);
      ASSERT_NE(dirty, nullptr);
      std::memset(dirty, 0xff, bytes);
      heap.Free(dirty);
      void* p = heap.AllocateZeroed(1, bytes);
      ASSERT_NE(p, nullptr);
      EXPECT_TRUE(AllAre(p, bytes, 0)) << bytes;
      heap.Free(p);
      p = heap.AllocateZeroed(bytes, 3);
      ASSERT_NE(p, nullptr);
      EXPECT_TRUE(AllAre(p, bytes * 3, 0)) << bytes;
      heap.Free(p);
    }
  });
}

TEST_P(Contract, AZeroedRequestThatOverflowsFails) {
  WithHeap([](auto& heap) {
    const std::size_t half = Opaque(SIZE_MAX / 2 + 1);
    EXPECT_EQ(heap.AllocateZeroed(half, 2), nullptr);      // product: 0
    EXPECT_EQ(heap.AllocateZeroed(half + 1, 2), nullptr);  // product: 2
    EXPECT_EQ(heap.AllocateZeroed(2, half + 8), nullptr);
  });
}

TEST_P(Contract, AlignedBlocksAreAligned) {
  WithHeap([](auto& heap) {
    for (std::size_t align = 1; align <= 64 << 10; align *= 2) {
      for (std::size_t bytes : {0, 1, 8, 24, 100, 512, 513, 5000}) {
        void* p = heap.AllocateAligned(align, bytes);
        ASSERT_NE(p, nullptr) << align << " " << bytes;
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(p) % align, 0u)
            << align << " " << bytes;
        std::memset(p, 0xa5, bytes);
        EXPECT_GE(heap.UsableSize(p), bytes);
        heap.Free(p);
      }
    }
  });
}

TEST_P(Contract, ReallocatingKeepsWhatFits) {
  WithHeap([]<typename Heap>(Heap& heap) {
    if (!HoldsContents<Heap>()) GTEST_SKIP() << "blocks share bytes by design";
    for (std::size_t from : kSizes) {
      for (std::size_t to : kSizes) {
        void* p = heap.Allocate(from);
        ASSERT_NE(p, nullptr);
        std::memset(p, 0x3c, from);
        void* moved = heap.Reallocate(p, to);
        ASSERT_NE(moved, nullptr);
        EXPECT_GE(heap.UsableSize(moved), to);
        EXPECT_TRUE(AllAre(moved, from < to ? from : to, 0x3c))
            << from << " to " << to;
        std::memset(moved, 0x3d, to);
        heap.Free(moved);
      }
    }
  });
}

TEST_P(Contract, AlignedBlocksCanBeReallocated) {
  WithHeap([]<typename Heap>(Heap& heap) {
    if (!HoldsContents<Heap>()) GTEST_SKIP() << "blocks share bytes by design";
    for (std::size_t align = 16; align <= 4096; align *= 4) {
      void* p = heap.AllocateAligned(align, 100);
      ASSERT_NE(p, nullptr);
      std::memset(p, 0x77, 100);
      p = heap.Reallocate(p, 9000);
      ASSERT_NE(p, nullptr);
      EXPECT_TRUE(AllAre(p, 100, 0x77));
      heap.Free(p);
    }
  });
}

TEST_P(Contract, ReallocatingNothingAllocates) {
  WithHeap([](auto& heap) {
    for (std::size_t bytes : {0, 1, 100, 5000}) {
      void* p = heap.Reallocate(nullptr, bytes);
      ASSERT_NE(p, nullptr);
      std::memset(p, 1, bytes);
      heap.Free(p);
    }
  });
}

TEST_P(Contract, ReallocatingToNothingLeavesABlock) {
  WithHeap([](auto& heap) {
    for (std::size_t bytes : {1, 100, 5000}) {
      void* p = heap.Allocate(bytes);
      p = heap.Reallocate(p, 0);
      ASSERT_NE(p, nullptr);
      p = heap.Reallocate(p, bytes);
      ASSERT_NE(p, nullptr);
      std::memset(p, 1, bytes);
      heap.Free(p);
    }
  });
}

TEST_P(Contract, RequestsBeyondAllMemoryFail) {
  WithHeap([](auto& heap) {
    for (std::size_t bytes :
         {Opaque(PTRDIFF_MAX), Opaque(SIZE_MAX - 4096), Opaque(SIZE_MAX)}) {
      EXPECT_EQ(heap.Allocate(bytes), nullptr) << bytes;
      EXPECT_EQ(heap.AllocateZeroed(1, bytes), nullptr) << bytes;
      EXPECT_EQ(heap.AllocateAligned(64, bytes), nullptr) << bytes;
      EXPECT_EQ(heap.Reallocate(nullptr, bytes), nullptr) << bytes;
    }
  });
}

TEST_P(Contract, AFailedReallocationLeavesTheBlock) {
  WithHeap([]<typename Heap>(Heap& heap) {
    for (std::size_t bytes : {1, 100, 5000, 300000}) {
      void* p = heap.Allocate(bytes);
      ASSERT_NE(p, nullptr);
      std::memset(p, 0x42, bytes);
      EXPECT_EQ(heap.Reallocate(p, Opaque(PTRDIFF_MAX)), nullptr);
      EXPECT_TRUE(AllAre(p, bytes, 0x42)) << bytes;
      // Still live: nobody else is handed its bytes.
      void* other = heap.Allocate(bytes);
      if (HoldsContents<Heap>()) {
        EXPECT_NE(other, p);
      }
      heap.Free(other);
      heap.Free(p);
    }
  });
}

TEST_P(Contract, FreeingNothingDoesNothing) {
  WithHeap([](auto& heap) {
    heap.Free(nullptr);
    void* p = heap.Allocate(24);
    heap.Free(nullptr);
    ASSERT_NE(p, nullptr);
    heap.Free(p);
  });
}

TEST_P(Contract, TheSnapshotCoversTheLiveBlocks) {
  WithHeap([](auto& heap) {
    constexpr std::int64_t kBlocks = 1000;
    const HeapSnapshot before = heap.Snapshot();
    std::vector<void*> blocks;
    for (int i = 0; i < kBlocks; ++i) {
      blocks.push_back(heap.Allocate(200));
      std::memset(blocks.back(), 1, 200);
    }
    const HeapSnapshot full = heap.Snapshot();
    if (full.live_block_bytes != kUnknown) {
      const std::int64_t grown =
          full.live_block_bytes - before.live_block_bytes;
      if (heap.kName != "null") {
        EXPECT_GE(grown, kBlocks * 200);
        EXPECT_LE(grown, kBlocks * 300);
      }
      EXPECT_GE(full.held_bytes, full.live_block_bytes);
    }
    for (void* block : blocks) heap.Free(block);
    const HeapSnapshot drained = heap.Snapshot();
    if (full.live_block_bytes != kUnknown) {
      EXPECT_LE(drained.live_block_bytes, full.live_block_bytes);
    }
    EXPECT_GE(drained.held_bytes, kUnknown);
  });
}

INSTANTIATE_TEST_SUITE_P(Settings, Contract,
                         testing::ValuesIn(SettingsUnderTest()),
                         [](const auto& info) {
                           return "Number" + std::to_string(info.index);
                         });

}  // namespace
}  // namespace arenalab
