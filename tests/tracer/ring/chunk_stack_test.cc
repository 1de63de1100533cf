// The stack of free chunks: every chunk once, fresh ones last, and no chunk in
// two hands while many threads take and one gives. And how rings share them.
#include "tracer/ring/chunk_stack.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "tracer/ring/chunk_budget.h"

namespace arenalab::ring {
namespace {

std::unique_ptr<Header> NewHeader() {
  auto header = std::make_unique<Header>();
  header->free_chunks.store(kNoChunk);
  header->chunk_limit.store(kChunks);
  return header;
}

TEST(ChunkStackTest, GivesEveryChunkOnceThenNone) {
  const auto header = NewHeader();
  std::set<std::uint32_t> taken;
  for (std::size_t i = 0; i < kChunks; ++i)
    taken.insert(TakeChunk(header.get()));
  EXPECT_EQ(taken.size(), kChunks);
  EXPECT_EQ(*taken.rbegin(), kChunks - 1);
  EXPECT_EQ(TakeChunk(header.get()), kNoChunk);
}

TEST(ChunkStackTest, TheLastGivenComesFirstAndFreshOnesLast) {
  const auto header = NewHeader();
  EXPECT_EQ(TakeChunk(header.get()), 0u);
  EXPECT_EQ(TakeChunk(header.get()), 1u);
  GiveChunk(header.get(), 0);
  GiveChunk(header.get(), 1);
  EXPECT_EQ(TakeChunk(header.get()), 1u);
  EXPECT_EQ(TakeChunk(header.get()), 0u);
  EXPECT_EQ(TakeChunk(header.get()), 2u);
}

TEST(ChunkStackTest, NoneIsTakenBeyondTheLimit) {
  const auto header = NewHeader();
  header->chunk_limit.store(2);
  EXPECT_EQ(TakeChunk(header.get()), 0u);
  EXPECT_EQ(TakeChunk(header.get()), 1u);
  EXPECT_EQ(TakeChunk(header.get()), kNoChunk);
  header->chunk_limit.store(3);
  EXPECT_EQ(TakeChunk(header.get()), 2u);
}

// A ring that uses all it is given, for so many rounds of the collector.
std::uint32_t Used(Header* header, int rounds) {
  header->chunk_limit.store(kFirstChunks);
  for (int i = 0; i < rounds; ++i) {
    while (TakeChunk(header) != kNoChunk) {
    }
    ShareChunks({{header, 1}});
  }
  return header->chunk_limit.load();
}

TEST(ChunkBudgetTest, OneAloneGetsAllOfItAndNoMore) {
  const auto header = NewHeader(), another = NewHeader();
  EXPECT_EQ(Used(header.get(), 1), kShareChunks);
  EXPECT_EQ(Used(another.get(), 20), kRunChunks);
}

TEST(ChunkBudgetTest, OneThatUsesLittleKeepsItsShare) {
  const auto header = NewHeader();
  header->chunk_limit.store(kFirstChunks);
  header->fresh_chunks.store(kShareChunks / 2 - 1);
  for (int round = 0; round < 9; ++round) ShareChunks({{header.get(), 1}});
  EXPECT_EQ(header->chunk_limit.load(), kShareChunks);
}

TEST(ChunkBudgetTest, ManyTogetherStayWithinIt) {
  std::vector<std::unique_ptr<Header>> headers;
  std::vector<ChunkUser> users;
  for (int i = 0; i < 10; ++i) {
    headers.push_back(NewHeader());
    headers.back()->chunk_limit.store(kFirstChunks);
    users.push_back({headers.back().get(), 2});
  }
  for (int round = 0; round < 20; ++round) {
    for (const auto& header : headers) header->fresh_chunks.store(kChunks);
    ShareChunks(users);
  }
  std::uint32_t sum = 0;
  for (const auto& header : headers) sum += header->chunk_limit.load();
  EXPECT_EQ(sum, kRunChunks);
}

TEST(ChunkBudgetTest, StreamsHaveWhatTheyNeedEvenBeyondIt) {
  const auto first = NewHeader(), second = NewHeader();
  first->chunk_limit.store(kRunChunks);
  second->chunk_limit.store(kFirstChunks);
  ShareChunks({{first.get(), 1}, {second.get(), 700}});
  EXPECT_EQ(second->chunk_limit.load(), 700 + kSpareChunks);
}

TEST(ChunkStackTest, NoChunkIsInTwoHands) {
  const auto header = NewHeader();
  // Few chunks, so that each goes round often.
  header->fresh_chunks.store(kChunks - 8);
  std::vector<std::atomic<int>> holders(kChunks);
  std::atomic<std::uint32_t> given[4];
  for (auto& slot : given) slot.store(kNoChunk);
  std::atomic<bool> stop{false};
  std::atomic<int> collisions{0};
  std::thread giver([&] {
    while (!stop.load()) {
      bool gave = false;
      for (auto& slot : given) {
        const std::uint32_t chunk = slot.exchange(kNoChunk);
        if (chunk == kNoChunk) continue;
        holders[chunk].fetch_sub(1);
        GiveChunk(header.get(), chunk);
        gave = true;
      }
      // On one core the takers wait for this thread's whole slice else.
      if (!gave) std::this_thread::yield();
    }
  });
  std::vector<std::thread> takers;
  std::atomic<long> rounds{0};
  for (auto& slot : given) {
    takers.emplace_back([&] {
      for (int i = 0; i < 20000;) {
        const std::uint32_t chunk = TakeChunk(header.get());
        if (chunk == kNoChunk) {
          std::this_thread::yield();
          continue;
        }
        if (holders[chunk].fetch_add(1) != 0) collisions.fetch_add(1);
        while (slot.load() != kNoChunk) std::this_thread::yield();
        slot.store(chunk);
        ++i;
        rounds.fetch_add(1);
      }
    });
  }
  for (auto& taker : takers) taker.join();
  stop.store(true);
  giver.join();
  EXPECT_EQ(rounds.load(), 80000);
  EXPECT_EQ(collisions.load(), 0);
}

}  // namespace
}  // namespace arenalab::ring
