// The reader of pymalloc over memory written by hand, damaged, or made to
// deceive it: what it finds, and that it always ends.
#include "tools/inspect/heap_reading.h"

#include <gtest/gtest.h>

#include <random>

#include "allocators/pymalloc/generation.h"
#include "allocators/pymalloc/size_class.h"
#include "tests/tools/inspect/image_memory.h"
#include "tools/inspect/address_tree.h"
#include "tools/inspect/block_map.h"
#include "tools/inspect/c_heap.h"
#include "tools/inspect/header_search.h"
#include "tools/inspect/heap_imaging.h"
#include "tools/inspect/object_types.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

constexpr GeometryValues kGeometry = Cpython38::kGeometry;
constexpr std::uint64_t kState = 0x10000;
constexpr std::uint64_t kRecords = 0x20000;
constexpr std::uint64_t kArena = 0x7f0000000000;
constexpr std::uint64_t kPools = 3;
constexpr std::uint32_t kClass = 2;  // 48 bytes, 84 blocks a pool

// One arena of 3.8 with three carved pools of 48-byte blocks, in each ten
// blocks carved and the last three of them freed, the highest first.
class HeapReadingTest : public testing::Test {
 protected:
  HeapReadingTest() {
    memory_.Map(kState, 0x2000);
    memory_.Map(kRecords, 0x1000);
    memory_.Map(kArena, kGeometry.arena_bytes);
    WriteState();
    WriteRecord();
    for (std::uint64_t i = 0; i < kPools; ++i)
      WritePool(kArena + i * kGeometry.pool_bytes);
  }

  void WriteRecord() {
    std::memset(memory_.At(kRecords), 0, 0x1000);
    ArenaRecord record = {};
    record.base = kArena;
    record.next_virgin_pool = kArena + kPools * kGeometry.pool_bytes;
    record.total_pools = 64;
    record.free_pools = 61;
    memory_.Write(kRecords, record);
  }

  // The words as 3.12 declares them: arenas, max, unused, usable, 65 fingers,
  // live, created, high.
  void WriteState() {
    const std::uint64_t at = kState + 0x400;
    memory_.Write<std::uint64_t>(at, kRecords);
    memory_.Write<std::uint64_t>(at + 8, 16);
    memory_.Write<std::uint64_t>(at + 16, kRecords + sizeof(ArenaRecord));
    memory_.Write<std::uint64_t>(at + 24, kRecords);
    memory_.Write<std::uint64_t>(at + 69 * 8, 1);
    memory_.Write<std::uint64_t>(at + 70 * 8, 9);
    memory_.Write<std::uint64_t>(at + 71 * 8, 4);
  }

  static std::uint64_t Block(std::uint64_t pool, std::uint64_t i) {
    return pool + kGeometry.header_bytes + i * BlockSize(kGeometry, kClass);
  }

  void WritePool(std::uint64_t pool) {
    PoolHeader header = {};
    header.live_blocks = 7;
    header.size_class = kClass;
    header.next_offset = static_cast<std::uint32_t>(Block(pool, 10) - pool);
    header.max_next_offset = static_cast<std::uint32_t>(
        kGeometry.pool_bytes - BlockSize(kGeometry, kClass));
    header.free_list = Block(pool, 7);
    memory_.Write(pool, header);
    memory_.Write(Block(pool, 7), Block(pool, 8));
    memory_.Write(Block(pool, 8), Block(pool, 9));
    memory_.Write<std::uint64_t>(Block(pool, 9), 0);
  }

  HeapReading ReadOnly() {
    const auto states = FindAllocatorStates(memory_);
    EXPECT_EQ(states.size(), 1u);
    return ReadHeap(memory_, states.at(0), kGeometry,
                    [this](const LiveBlock&) { ++visited_; });
  }

  ImageMemory memory_;
  std::uint64_t visited_ = 0;
};

// A copy of the root's word, in front of it and with other words behind, leads
// to the arena just as well.
TEST(AddressTreeTest, AWordThatLeadsToAnArenaIsNotYetARoot) {
  constexpr std::uint64_t kModule = 0x500000, kRoot = kModule + 0x8000;
  constexpr std::uint64_t kMid = 0x10000000, kBottom = 0x20000000;
  constexpr std::uint64_t kBase = 0x7f1234500000;
  ImageMemory memory;
  memory.Map(kModule, 0x60000);
  memory.Map(kMid, 8 << 15);
  memory.Map(kBottom, 8 << 14);
  memory.Write<std::uint64_t>(kRoot, kMid);
  memory.Write<std::uint64_t>(kMid + (kBase >> 34 & 0x7fff) * 8, kBottom);
  memory.Write<std::int32_t>(kBottom + (kBase >> 20 & 0x3fff) * 8, -1);
  memory.Write<std::uint64_t>(kModule + 0x1000, kMid);
  for (int i = 1; i < 9; ++i)
    memory.Write<std::uint64_t>(kModule + 0x1000 + i * 8, 4711);
  AllocatorState state;
  state.address = kModule + 0x4000;
  ArenaRecord record = {};
  record.base = kBase;
  state.arenas.push_back({0, record});

  const auto tree = FindAddressTree(memory, state, Cpython311::kGeometry);
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->root, kRoot);
  EXPECT_EQ(tree->mid_nodes, 1u);
  EXPECT_EQ(tree->bottom_nodes, 1u);
  memory.Write<std::int32_t>(kBottom + (kBase >> 20 & 0x3fff) * 8, 0);
  EXPECT_FALSE(FindAddressTree(memory, state, Cpython311::kGeometry));
}

TEST_F(HeapReadingTest, FindsTheStateAndCountsBlocks) {
  const auto states = FindAllocatorStates(memory_);
  ASSERT_EQ(states.size(), 1u);
  EXPECT_EQ(states[0].address, kState + 0x400);
  EXPECT_EQ(states[0].arenas_created, 9u);
  EXPECT_EQ(states[0].arenas_high_water, 4u);
  EXPECT_EQ(DecideGeometry(memory_, states[0]), kGeometry);
  const HeapReading heap = ReadOnly();
  EXPECT_EQ(visited_, 21u);
  EXPECT_EQ(heap.statistics.classes[kClass].used_blocks, 21u);
  EXPECT_EQ(heap.statistics.classes[kClass].available_blocks, 3u * (84 - 7));
  EXPECT_EQ(heap.statistics.unused_pools, 61u);
  EXPECT_EQ(heap.arenas.at(0).live_bytes, 21u * 48);
  // Three pages have a live block; the rest of the arena is idle.
  EXPECT_EQ(heap.arenas.at(0).idle_pages, 61u);
  EXPECT_EQ(heap.torn_pools, 0u);
}

TEST_F(HeapReadingTest, ATornPoolIsReadAgainCountedAndLeftOut) {
  const std::uint64_t pool = kArena + kGeometry.pool_bytes;
  memory_.Write<std::uint64_t>(pool, 8);  // one more than the free list allows
  const HeapReading heap = ReadOnly();
  EXPECT_EQ(heap.torn_pools, 1u);
  EXPECT_EQ(heap.pools_read_again, static_cast<std::uint64_t>(kTries - 1));
  EXPECT_EQ(visited_, 14u);
}

TEST_F(HeapReadingTest, AFreeListWithoutEndIsRefused) {
  memory_.Write(Block(kArena, 9), Block(kArena, 7));
  EXPECT_EQ(ReadOnly().torn_pools, 1u);
}

TEST_F(HeapReadingTest, AFreeListThatLeavesItsPoolIsRefused) {
  for (const std::uint64_t stray :
       {kArena + kGeometry.pool_bytes + 48, Block(kArena, 8) + 8, kArena,
        Block(kArena, 10), std::uint64_t{0x30}}) {
    memory_.Write(Block(kArena, 8), stray);
    EXPECT_EQ(ReadOnly().torn_pools, 1u) << std::hex << stray;
  }
}

// Each word of the state vouches for the rest.
TEST_F(HeapReadingTest, AStateThatContradictsItselfIsNone) {
  const std::uint64_t at = kState + 0x400;
  const struct {
    std::uint64_t offset, value;
  } lies[] = {{0, kRecords + 8},  {0, 0x7000},  {8, 17},     {8, 0},
              {16, kRecords + 1}, {24, kArena}, {69 * 8, 5}, {71 * 8, 0},
              {70 * 8, 3}};
  for (const auto& lie : lies) {
    WriteState();
    memory_.Write(at + lie.offset, lie.value);
    EXPECT_TRUE(FindAllocatorStates(memory_).empty())
        << lie.offset << " = " << lie.value;
  }
}

// Any byte of state, records, headers and links may be anything.
TEST_F(HeapReadingTest, SurvivesDamage) {
  std::mt19937_64 random(1);
  std::vector<unsigned char> whole(memory_.At(kArena),
                                   memory_.At(kArena) + 3 * 4096);
  std::uint64_t read = 0, images = 0, refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::memcpy(memory_.At(kArena), whole.data(), whole.size());
    std::memset(memory_.At(kState), 0, 0x2000);
    WriteState();
    WriteRecord();
    for (std::uint64_t i = random() % 6 + 1; i > 0; --i) {
      const std::uint64_t places[] = {
          kState + 0x400 + random() % 576, kRecords + random() % 96,
          kArena + random() % 64, kArena + random() % whole.size()};
      *memory_.At(places[random() % 4]) = static_cast<unsigned char>(random());
    }
    ObjectTypes types(memory_);
    SearchHeaders(memory_);
    for (const AllocatorState& state : FindAllocatorStates(memory_)) {
      const auto geometry = DecideGeometry(memory_, state);
      if (!geometry) continue;
      try {
        // What is no contradiction is an image that a decoder takes.
        std::vector<std::uint8_t> bytes;
        EncodeHeapImage(ReadHeapImage(memory_, state, *geometry), &bytes);
        images += DecodeHeapImages(bytes, "").size();
      } catch (const InputError&) {
        ++refused;
      }
      BlockMap blocks(*geometry, state.arenas, round % 2);
      ReadHeap(
          memory_, state, *geometry,
          [&](const LiveBlock& block) {
            blocks.Add(block, types.Identify(block.bytes, block.block_bytes));
          },
          [&] { blocks.FollowArena(); });
      // The target runs on: what is followed is not what was added.
      for (int i = 0; i < 4; ++i)
        *memory_.At(kArena + random() % whole.size()) =
            static_cast<unsigned char>(random());
      ReadHeap(memory_, state, *geometry,
               [&](const LiveBlock& block) { blocks.Follow(block); });
      blocks.Visit([](const LiveBlock&, const HeldObject&) {});
      const HeapReading heap =
          ReadHeap(memory_, state, *geometry, [&](const LiveBlock& block) {
            types.Identify(block.bytes, block.block_bytes);
          });
      ++read;
      for (const ArenaReading& arena : heap.arenas)
        EXPECT_EQ(arena.live_bytes + arena.free_block_bytes +
                      arena.header_bytes + arena.tail_bytes +
                      arena.free_pools * geometry->pool_bytes +
                      arena.lost_bytes,
                  geometry->arena_bytes);
    }
  }
  EXPECT_GT(read, 200u);  // or the damage is such that nothing is tried
  EXPECT_GT(images + refused, 100u);
}

// An object points to memory in an arena that is read after its own, which
// points back: the memory is the object's, whether the word was kept or its
// arena is read again.
TEST(BlockMapTest, MemoryInALaterArenaIsTheObjectsThatPointsToIt) {
  constexpr std::uint64_t kSecond = kArena + 5 * kGeometry.arena_bytes;
  const std::uint64_t object = kArena + kGeometry.header_bytes;
  const std::uint64_t memory = kSecond + kGeometry.header_bytes;
  std::uint64_t words[2][6] = {{1, 0x1000, 7, memory, 0, 0}, {object, 2}};
  const auto* object_bytes = reinterpret_cast<const unsigned char*>(words[0]);
  const auto* memory_bytes = reinterpret_cast<const unsigned char*>(words[1]);
  const LiveBlock first{object, object_bytes, 48, kClass, 0};
  const LiveBlock second{memory, memory_bytes, 48, kClass, 1};
  ObjectType type;
  type.number = 3;
  type.name = "list";
  std::vector<FoundArena> arenas(2);
  arenas[0].record.base = kArena;
  arenas[1].record.base = kSecond;
  for (const std::size_t most_kept : {1, 0}) {
    BlockMap blocks(kGeometry, arenas, most_kept);
    blocks.Add(first, {&type, Owner::kProgram, 0, false});
    blocks.FollowArena();
    blocks.Add(second, {});
    blocks.FollowArena();
    EXPECT_EQ(blocks.MustReadAgain(),
              (std::vector<bool>{most_kept == 0, false}));
    if (most_kept == 0) blocks.Follow(first);
    std::vector<std::string> names;
    blocks.Visit([&](const LiveBlock&, const HeldObject& held) {
      names.push_back(NameOf(held));
    });
    EXPECT_EQ(names, (std::vector<std::string>{"list", "memory of list"}))
        << most_kept;
  }
}

TEST(HostileMemory, RandomBytesHoldNothing) {
  ImageMemory memory;
  constexpr std::uint64_t kBytes = 16 << 20;
  memory.Map(0x100000, kBytes);
  std::mt19937_64 random(2);
  for (std::uint64_t at = 0; at < kBytes; at += 8)
    memory.Write(0x100000 + at, random());
  EXPECT_TRUE(FindAllocatorStates(memory).empty());
  EXPECT_TRUE(FindCHeaps(memory).empty());
  EXPECT_FALSE(SearchHeaders(memory));
}

// Headers that are right, one a page, each of another arena: as many arenas of
// one pool, in time that is linear.
TEST(HostileMemory, FalseHeadersCostLinearTime) {
  ImageMemory memory;
  constexpr std::uint64_t kBytes = 32 << 20;
  memory.Map(0x100000, kBytes);
  const std::uint64_t block = BlockSize(kGeometry, kClass);
  for (std::uint64_t at = 0x100000; at < 0x100000 + kBytes; at += 4096) {
    PoolHeader header = {};
    header.live_blocks = 1;
    header.arena_index = static_cast<std::uint32_t>(at >> 12);
    header.size_class = kClass;
    header.next_offset =
        static_cast<std::uint32_t>(kGeometry.header_bytes + block);
    header.max_next_offset =
        static_cast<std::uint32_t>(kGeometry.pool_bytes - block);
    memory.Write(at, header);
  }
  const auto found = SearchHeaders(memory);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->state.arenas.size(), kBytes / 4096);
  EXPECT_LT(memory.reads, 4 * kBytes / 4096);
}

// A false state at every word: each refers to the mapping itself.
TEST(HostileMemory, FalseStatesCostLinearTime) {
  ImageMemory memory;
  constexpr std::uint64_t kBytes = 4 << 20;
  memory.Map(0x100000, kBytes);
  std::mt19937_64 random(3);
  for (std::uint64_t at = 0; at < kBytes; at += 8)
    memory.Write<std::uint64_t>(
        0x100000 + at,
        random() % 2 == 0 ? 16 : 0x100000 + random() % 1024 * 48);
  FindAllocatorStates(memory);
  EXPECT_LT(memory.reads, 5 * kBytes / 8 + 100);
}

TEST(HostileMemory, ChunksThatLeadAstrayEndTheWalk) {
  ImageMemory memory;
  constexpr std::uint64_t kHeap = 64ull << 20;
  memory.Map(kHeap, 1 << 20);
  // The record of a thread's heap, and behind it a chunk larger than the heap.
  memory.Write<std::uint64_t>(kHeap, kHeap + 0x30);
  memory.Write<std::uint64_t>(kHeap + 16, 1 << 20);
  memory.Write<std::uint64_t>(kHeap + 24, 1 << 20);
  memory.Write<std::uint64_t>(kHeap + 0x100 + 8, (1 << 21) | 1);
  const auto heaps = FindCHeaps(memory);
  ASSERT_EQ(heaps.size(), 1u);
  EXPECT_FALSE(heaps[0].walked);
  EXPECT_EQ(heaps[0].present_live_bytes, 1u << 20);
  EXPECT_EQ(heaps[0].present_free_bytes, 0u);
}

TEST(CHeapWalk, TellsFreeChunksFromLiveOnes) {
  ImageMemory memory;
  constexpr std::uint64_t kHeap = 64ull << 20;
  constexpr std::uint64_t kBytes = 64 << 10;
  memory.Map(kHeap, kBytes);
  memory.Write<std::uint64_t>(kHeap, kHeap + 0x30);
  memory.Write<std::uint64_t>(kHeap + 16, kBytes);
  memory.Write<std::uint64_t>(kHeap + 24, kBytes);
  // From 0x8c0: live 0x740, free 0x3000, live 0x1000, top.
  std::uint64_t at = kHeap + 0x8c0;
  bool before_in_use = true;
  const struct {
    std::uint64_t bytes;
    bool in_use;
  } chunks[] = {
      {0x740, true}, {0x3000, false}, {0x1000, true}, {0xb000, false}};
  for (const auto& chunk : chunks) {
    memory.Write<std::uint64_t>(at + 8, chunk.bytes | before_in_use);
    before_in_use = chunk.in_use;
    at += chunk.bytes;
  }
  ASSERT_EQ(at, kHeap + kBytes);
  const auto heaps = FindCHeaps(memory);
  ASSERT_EQ(heaps.size(), 1u);
  EXPECT_TRUE(heaps[0].walked);
  EXPECT_EQ(heaps[0].present_free_bytes, 0x3000u + 0xb000u);
  EXPECT_EQ(heaps[0].free_chunks, 2u);
}

}  // namespace
}  // namespace arenalab
