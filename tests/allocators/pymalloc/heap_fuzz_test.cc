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
  RequestHint hint;
};

std::ostream& operator<<(std::ostream& out, const Operation& op) {
  constexpr const char* kNames[] = {"malloc",  "calloc", "aligned",
                                    "realloc", "free",   "free-many"};
  return out << kNames[static_cast<int>(op.kind)] << " block " << op.block
             << " bytes " << op.bytes << " alignment " << op.alignment
             << " domain " << op.hint.domain << " thread " << op.hint.thread
             << " lifetime 2^" << int{op.hint.lifetime_log2};
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

// The heap's tables, which cannot be had now and then.
class FlakyTables {
 public:
  void FailAt(std::uint64_t call) { fail_at_ = call; }
  std::uint64_t calls() const { return calls_; }
  std::uint64_t failures() const { return failures_; }

  // What a heap asks its metadata source for.
  RawSource source() {
    RawSource tables = LibcRawSource();
    tables.context = this;
    tables.allocate_zeroed = [](void* self, std::size_t count,
                                std::size_t bytes) -> void* {
      return Self(self)->Fails() ? nullptr : std::calloc(count, bytes);
    };
    tables.reallocate = [](void* self, void* p, std::size_t bytes) -> void* {
      return Self(self)->Fails() ? nullptr : std::realloc(p, bytes);
    };
    return tables;
  }

 private:
  static FlakyTables* Self(void* context) {
    return static_cast<FlakyTables*>(context);
  }
  bool Fails() {
    if (calls_++ != fail_at_) return false;
    ++failures_;
    return true;
  }

  std::uint64_t calls_ = 0;
  std::uint64_t fail_at_ = 0;
  std::uint64_t failures_ = 0;
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
      if (i % 512 == 511) tables_.FailAt(tables_.calls() + dice_.Below(2));
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
    EXPECT_GE(tables_.failures(), 1u);
    if (testing::Test::HasFailure()) Print();
  }

 private:
  struct Block {
    unsigned char* at;
    std::size_t bytes;
    unsigned char pattern;
  };

  HeapOptions Sources(HeapOptions options) {
    options.metadata_source = tables_.source();
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
  RequestHint DrawHint() {
    return {static_cast<std::uint32_t>(dice_.Below(70)),
            static_cast<std::uint32_t>(dice_.Below(3)),
            static_cast<std::uint32_t>(dice_.Below(2)),
            static_cast<std::uint32_t>(dice_.Below(70)),
            static_cast<std::uint32_t>(dice_.Below(300)),
            static_cast<std::uint8_t>(dice_.Below(64))};
  }
  Operation Draw() {
    Operation op{Kind::kMalloc, 0, DrawBytes(), 1, DrawHint()};
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
        Keep(heap_.AllocateHinted(op.bytes, op.hint), op.bytes);
        ExpectLane(blocks_.back().at, op.hint);
        break;
      case Kind::kCalloc: {
        auto* p = static_cast<unsigned char*>(
            heap_.AllocateZeroedHinted(op.bytes / 4, 4, op.hint));
        for (std::size_t i = 0; i < op.bytes / 4 * 4; ++i) ASSERT_EQ(p[i], 0);
        Keep(p, op.bytes / 4 * 4);
        ExpectLane(p, op.hint);
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
        block.at = static_cast<unsigned char*>(
            heap_.ReallocateHinted(block.at, op.bytes, op.hint));
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
  void ExpectLane(const void* block, const RequestHint& hint) {
    if (!heap_.Owns(block)) return;
    const std::uint64_t pool =
        AddressOf(block) & ~(heap_.geometry().pool_bytes - 1);
    EXPECT_EQ(PoolAt(pool)->lane, LaneOf(heap_.policy().lanes, hint));
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
  FlakyTables tables_;
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
      "geometry:cpython-2.3,lanes:lifetime",
      "geometry:classic,pool_choice:fullest,free_list:address",
  };
  // Each order with each, under a keep rule and lanes that change with each.
  for (std::string_view arena : ArenaOrders::kNames)
    for (std::string_view pool : PoolOrders::kNames)
      for (std::string_view list : BlockOrders::kNames)
        for (const char* discard : {"0", "1"}) {
          const std::size_t n = all.size(), keep = n % 4;
          std::string settings = "keep_arenas:" + std::to_string(keep);
          settings.append(",arena_choice:").append(arena);
          settings.append(",pool_choice:").append(pool);
          settings.append(",free_list:").append(list);
          settings.append(",madvise_free_pools:").append(discard);
          settings.append(",lanes:").append(
              LaneRules::kNames[n % std::size(LaneRules::kNames)]);
          if (keep > 0 && n % 3 > 0) settings += ",decay_bytes:100000";
          all.push_back(settings);
        }
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
