// Random operations on every heap, with everything checked that can be.
//
// An operation is typed and printable; a run is a seed. Every block is filled
// to its requested size with a pattern of its own and compared before it is
// given up, so blocks that overlap are seen; CheckHeap() runs all along; arenas
// and tables fail now and then. A failure prints the seed and the last
// operations.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <deque>
#include <sstream>
#include <string>
#include <vector>

#include "allocators/pymalloc/heap_check.h"
#include "allocators/pymalloc/runtime_generation.h"
#include "tests/allocators/pymalloc/slot_arena_source.h"

namespace arenalab {
namespace {

enum class Kind { kMalloc, kCalloc, kAligned, kRealloc, kFree, kFreeMany };

struct Operation {
  Kind kind;
  std::size_t block;  // which live one; kFreeMany: from which on
  std::size_t bytes;
  std::size_t alignment;
};

std::ostream& operator<<(std::ostream& out, const Operation& op) {
  constexpr const char* kNames[] = {"malloc",  "calloc", "aligned",
                                    "realloc", "free",   "free-many"};
  return out << kNames[static_cast<int>(op.kind)] << " block " << op.block
             << " bytes " << op.bytes << " alignment " << op.alignment;
}

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::size_t Below(std::size_t n) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return (state_ >> 33) % n;
  }

 private:
  std::uint64_t state_;
};

template <class H>
class Fuzzer {
 public:
  Fuzzer(std::uint64_t seed, HeapOptions options)
      : dice_(seed),
        phase_bytes_(1 + seed * 97 % 600),
        arenas_(static_cast<int>(seed % 2)),
        heap_(Sources(options)) {}

  void Run(int operations) {
    for (int i = 0; i < operations && !testing::Test::HasFailure(); ++i) {
      if (i % 4096 == 4095) phase_bytes_ = 1 + dice_.Below(600);
      if (i % 1024 == 1023)
        arenas_.FailAt(arenas_.calls() + dice_.Below(3), false);
      const Operation op = Draw();
      last_.push_back(op);
      if (last_.size() > 8) last_.pop_front();
      Apply(op);
      if (i % 512 == 0) Check();
    }
    while (!blocks_.empty()) Drop(blocks_.size() - 1);
    Check();
    const Statistics s = heap_.ComputeStatistics();
    EXPECT_EQ(s.allocated_bytes, 0u);
    EXPECT_EQ(s.raw_blocks, 0u);
    if (testing::Test::HasFailure()) Print();
  }

 private:
  struct Block {
    unsigned char* at;
    std::size_t bytes;
    unsigned char pattern;
  };

  HeapOptions Sources(HeapOptions options) {
    options.arena_source = arenas_.source();
    options.arena_source.discard = [](void*, void* address, std::size_t bytes) {
      std::memset(address, 0xDD, bytes);
    };
    return options;
  }

  // Mostly sizes of one phase, so that classes crowd and pools drain.
  std::size_t DrawBytes() {
    switch (dice_.Below(8)) {
      case 0:
        return dice_.Below(600);
      case 1:
        return dice_.Below(4) == 0 ? dice_.Below(5000) : dice_.Below(40);
      default:
        return phase_bytes_ + dice_.Below(8);
    }
  }
  Operation Draw() {
    Operation op{Kind::kMalloc, 0, DrawBytes(), 1};
    const std::size_t live = blocks_.size();
    const std::size_t face = dice_.Below(100);
    if (live == 0) return op;
    op.block = dice_.Below(live);
    if (live > 30000 || face == 0) {
      op.kind = Kind::kFreeMany;
    } else if (face < 28) {
      op.kind = Kind::kFree;
    } else if (face < 44) {
      op.kind = Kind::kRealloc;
    } else if (face < 52) {
      op.kind = Kind::kCalloc;
    } else if (face < 54) {
      op.kind = Kind::kAligned;
      op.alignment = std::size_t{1} << dice_.Below(9);
    }
    return op;
  }

  void Apply(const Operation& op) {
    switch (op.kind) {
      case Kind::kMalloc:
        Keep(heap_.Allocate(op.bytes), op.bytes);
        break;
      case Kind::kCalloc: {
        auto* p =
            static_cast<unsigned char*>(heap_.AllocateZeroed(op.bytes / 4, 4));
        for (std::size_t i = 0; i < op.bytes / 4 * 4; ++i) ASSERT_EQ(p[i], 0);
        Keep(p, op.bytes / 4 * 4);
        break;
      }
      case Kind::kAligned: {
        void* p = heap_.AllocateAligned(op.alignment, op.bytes);
        ASSERT_EQ(AddressOf(p) % op.alignment, 0u);
        Keep(p, op.bytes);
        break;
      }
      case Kind::kRealloc: {
        Block& block = blocks_[op.block];
        Compare(block, block.bytes);
        block.at =
            static_cast<unsigned char*>(heap_.Reallocate(block.at, op.bytes));
        ASSERT_NE(block.at, nullptr);
        Compare(block, std::min(block.bytes, op.bytes));
        block.bytes = op.bytes;
        std::memset(block.at, block.pattern, block.bytes);
        break;
      }
      case Kind::kFree:
        Drop(op.block);
        break;
      case Kind::kFreeMany:
        // Most of them from somewhere on: arenas drain, few stay pinned.
        for (std::size_t i = blocks_.size(); i-- > op.block;)
          if (dice_.Below(500) != 0) Drop(i);
        break;
    }
  }
  void Keep(void* p, std::size_t bytes) {
    ASSERT_NE(p, nullptr);
    ASSERT_GE(heap_.UsableSize(p), bytes);
    ASSERT_EQ(AddressOf(p) % (heap_.Owns(p) ? heap_.geometry().alignment
                                            : alignof(std::max_align_t)),
              0u);
    const auto pattern = static_cast<unsigned char>(++born_ * 31);
    std::memset(p, pattern, bytes);
    blocks_.push_back({static_cast<unsigned char*>(p), bytes, pattern});
  }
  void Compare(const Block& block, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i)
      ASSERT_EQ(block.at[i], block.pattern) << "byte " << i << " of " << bytes;
  }
  void Drop(std::size_t i) {
    Compare(blocks_[i], blocks_[i].bytes);
    heap_.Free(blocks_[i].at);
    blocks_[i] = blocks_.back();
    blocks_.pop_back();
  }
  void Check() {
    if (const std::optional<Violation> v = FindViolation(heap_)) {
      ADD_FAILURE() << v->number << ": " << v->what << ", expected "
                    << v->expected << ", found " << v->actual;
    }
  }
  void Print() const {
    for (const Operation& op : last_) std::cerr << "  " << op << "\n";
  }

  Dice dice_;
  std::size_t phase_bytes_;
  SlotArenaSource arenas_;
  H heap_;
  std::vector<Block> blocks_;
  std::uint64_t born_ = 0;
  std::deque<Operation> last_;
};

constexpr int kOperations = 60000;

TEST(HeapFuzz, EveryNamedGeneration) {
  ForEachGeneration([]<class G>() {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      SCOPED_TRACE(testing::Message() << G::kName << " seed " << seed);
      Fuzzer<Heap<G>>(seed, {}).Run(kOperations);
    }
  });
}

// Every value of every key, alone and with others; the sum of what the command
// line can ask for.
TEST(HeapFuzz, EverySettingOfTheRuntimeHeap) {
  std::vector<std::string> all = {
      "arena_bytes:262144",
      "arena_bytes:16777216",
      "pool_bytes:4096",
      "pool_bytes:1024,arena_bytes:65536,max_small_bytes:256",
      "alignment:8",
      "alignment:64,max_small_bytes:4096",
      "max_small_bytes:1024",
      "geometry:cpython-3.9,address_test:radix",
      "geometry:cpython-2.3,free_list:address",
      "geometry:classic,pool_choice:fullest,free_list:address",
  };
  for (const char* arena : {"fullest", "address", "recent", "emptiest"})
    for (const char* pool : {"recent", "address", "fullest"})
      for (const char* list : {"lifo", "address"})
        for (const char* discard : {"0", "1"})
          all.push_back(
              std::string("keep_arenas:") + std::to_string(all.size() % 4) +
              ",arena_choice:" + arena + ",pool_choice:" + pool +
              ",free_list:" + list + ",madvise_free_pools:" + discard);
  std::uint64_t seed = 0;
  for (const std::string& settings : all) {
    SCOPED_TRACE(testing::Message() << settings << " seed " << ++seed);
    ASSERT_EQ(Heap<RuntimeGeneration>::CheckSettings(settings), nullptr);
    HeapOptions options;
    options.settings = settings;
    Fuzzer<Heap<RuntimeGeneration>>(seed, options).Run(kOperations / 2);
  }
}

}  // namespace
}  // namespace arenalab
