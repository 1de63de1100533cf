// The order that the merger makes of a ring's streams, on rings written by hand
// as ring.h describes them.
#include "tracer/collector/merger.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tracer/ring/chunk_stack.h"

namespace arenalab {
namespace {

using ring::Op;

struct Freed {
  void operator()(ring::Header* header) const { std::free(header); }
};

class MergerTest : public testing::Test, public EventSink {
 protected:
  MergerTest()
      : header_(static_cast<ring::Header*>(std::calloc(1, ring::kRingBytes))) {
    header_->free_chunks.store(ring::kNoChunk);
    header_->chunk_limit.store(ring::kChunks);
    header_->slot_limit.store(1);
    NewStream(0, 0);
    merger_ = std::make_unique<Merger>(header_.get(), this);
  }

  void NewStream(std::size_t slot, std::uint32_t thread) {
    ring::StreamSlot& entry = header_->streams[slot];
    entry.first_chunk = ring::TakeChunk(header_.get());
    entry.thread = thread;
    entry.kernel_id = static_cast<std::int32_t>(1000 + slot);
    entry.published.store(0);
    entry.state.store(ring::SlotState::kInUse);
    header_->slot_limit.store(
        std::max<std::uint32_t>(header_->slot_limit, slot + 1));
    if (chunk_.size() <= slot) chunk_.resize(slot + 1);
    chunk_[slot] = entry.first_chunk;
  }

  // One record; goes to the next chunk where the reserve is reached.
  void Put(std::size_t slot, const std::vector<std::uint64_t>& words) {
    std::uint64_t at = header_->streams[slot].published.load();
    if (at % ring::kChunkBytes / 8 + ring::kReserveWords > ring::kChunkWords) {
      const std::uint32_t next = ring::TakeChunk(header_.get());
      ASSERT_NE(next, ring::kNoChunk);
      Word(slot, at) = ring::Pack(Op::kNext, next);
      chunk_[slot] = next;
      at = (at / ring::kChunkBytes + 1) * ring::kChunkBytes;
    }
    for (const std::uint64_t word : words) {
      Word(slot, at) = word;
      at += 8;
    }
    header_->streams[slot].published.store(at);
  }
  std::uint64_t& Word(std::size_t slot, std::uint64_t at) {
    return ring::ChunkWords(header_.get(),
                            chunk_[slot])[at % ring::kChunkBytes / 8];
  }
  static std::uint64_t Request(Layer layer, EventKind kind,
                               std::uint64_t address, std::uint64_t size = 0) {
    return ring::Pack(ring::RequestOp(static_cast<unsigned>(layer),
                                      static_cast<unsigned>(kind)),
                      address, size);
  }
  void PutObject(std::uint64_t address) {
    Put(0, {Request(Layer::kObject, EventKind::kAlloc, address, 8)});
  }
  void PutLibc(std::size_t slot, std::uint64_t ticket, std::uint64_t address,
               std::uint64_t sync = 0) {
    Put(slot, {ring::Pack(Op::kSync, sync), ring::Pack(Op::kTicket, ticket),
               Request(Layer::kLibc, EventKind::kAlloc, address, 8)});
  }

  // The addresses of what was emitted since the last call.
  std::vector<std::uint64_t> Drained(bool ended = false) {
    events_.clear();
    merger_->Drain(0, ended);
    std::vector<std::uint64_t> addresses;
    for (const Event& event : events_) addresses.push_back(event.address);
    return addresses;
  }

  std::unique_ptr<ring::Header, Freed> header_;
  std::vector<std::uint32_t> chunk_;
  std::unique_ptr<Merger> merger_;
  std::vector<Event> events_;
  std::vector<std::pair<NameSpace, std::string>> names_;
  bool takes_rows_ = false;
  std::size_t rows_ = 0;

 private:
  PlainTaken OnPlain(const PlainRequests& plain) override {
    PlainTaken taken;
    while (takes_rows_ && taken.words < plain.count) {
      const std::uint64_t word = plain.words[taken.words] - plain.bias;
      if (!PlainRequests::IsPlain(word)) break;
      Event event;
      event.kind = PlainRequests::Kind(word);
      event.address = word >> 16;
      event.thread = plain.thread;
      if (event.kind == EventKind::kFree) {
        event.type = plain.TypeOf(PlainRequests::Size(word));
      } else {
        event.size_bytes = PlainRequests::Size(word);
        event.site = plain.site;
      }
      ++taken.words;
      if (event.kind == EventKind::kRealloc) {
        event.old_address = plain.words[taken.words++];
      }
      ++taken.requests;
      OnEvent(event);
    }
    rows_ += taken.requests != 0 ? 1 : 0;
    return taken;
  }
  void OnEvent(const Event& event) override { events_.push_back(event); }
  std::uint32_t OnName(NameSpace space, std::string_view name) override {
    names_.emplace_back(space, name);
    return static_cast<std::uint32_t>(names_.size());
  }
};

using Addresses = std::vector<std::uint64_t>;

TEST_F(MergerTest, TicketsAreTheOrderOfThreads) {
  NewStream(1, 1);
  NewStream(2, 2);
  PutLibc(1, 0, 0x10);
  PutLibc(1, 3, 0x13);
  PutLibc(2, 1, 0x11);
  PutLibc(2, 2, 0x12);
  header_->ticket.store(4);
  EXPECT_EQ(Drained(), (Addresses{0x10, 0x11, 0x12, 0x13}));
  EXPECT_EQ(events_[0].thread, 0u);
  EXPECT_EQ(events_[1].thread, 1u);
  EXPECT_EQ(events_[3].thread, 0u);
}

TEST_F(MergerTest, AThreadEventStandsAfterTheStateThatItSaw) {
  NewStream(1, 1);
  PutObject(0xa0);
  PutObject(0xb0);
  PutLibc(1, 0, 0x10, 8);
  PutLibc(1, 1, 0x11, 16);
  PutObject(0xc0);
  header_->ticket.store(2);
  EXPECT_EQ(Drained(), (Addresses{0xa0, 0x10, 0xb0, 0x11, 0xc0}));
}

TEST_F(MergerTest, WaitsForATicketThatIsInHand) {
  NewStream(1, 1);
  NewStream(2, 2);
  PutObject(0xa0);
  PutLibc(1, 1, 0x11);
  header_->ticket.store(2);
  // Ticket 0 was taken by the second thread and is not yet published.
  EXPECT_EQ(Drained(), Addresses{});
  PutLibc(2, 0, 0x10);
  EXPECT_EQ(Drained(), (Addresses{0x10, 0x11, 0xa0}));
}

TEST_F(MergerTest, WhatCameAfterTheTargetWaitsForTheNextRound) {
  NewStream(1, 1);
  PutLibc(1, 0, 0x10);
  PutObject(0xa0);
  header_->ticket.store(1);
  PutLibc(1, 1, 0x11, 8);  // ticket 1: not below the counter yet
  EXPECT_EQ(Drained(), (Addresses{0x10, 0xa0}));
  header_->ticket.store(2);
  EXPECT_EQ(Drained(), (Addresses{0x11}));
}

TEST_F(MergerTest, ATicketOfAKilledThreadIsPassedOver) {
  NewStream(1, 1);
  PutLibc(1, 2, 0x12);
  header_->ticket.store(5);
  EXPECT_EQ(Drained(), Addresses{});
  EXPECT_EQ(Drained(true), (Addresses{0x12}));
  EXPECT_EQ(Drained(true), Addresses{});
}

TEST_F(MergerTest, ReallocStandsWhereItAcquiredAndKnowsItsLag) {
  NewStream(1, 1);
  NewStream(2, 2);
  PutLibc(1, 0, 0x10);
  Put(1, {ring::Pack(Op::kRelease, 0)});  // ticket 1
  PutLibc(2, 2, 0x10);                    // takes the address over
  PutLibc(2, 3, 0x20);
  Put(1, {ring::Pack(Op::kTicket, 4),
          Request(Layer::kLibc, EventKind::kRealloc, 0x30, 100), 0x10});
  header_->ticket.store(5);
  EXPECT_EQ(Drained(), (Addresses{0x10, 0x10, 0x20, 0x30}));
  EXPECT_EQ(events_[3].kind, EventKind::kRealloc);
  EXPECT_EQ(events_[3].old_address, 0x10u);
  EXPECT_EQ(events_[3].lag, 2u);
  EXPECT_EQ(events_[3].size_bytes, 100u);
}

TEST_F(MergerTest, AReallocThatFailedLeavesNoLagBehind) {
  NewStream(1, 1);
  PutLibc(1, 0, 0x10);
  Put(1, {ring::Pack(Op::kRelease, 0)});  // and no realloc follows
  PutLibc(1, 2, 0x20);
  Put(1, {ring::Pack(Op::kRelease, 0)});
  Put(1, {Request(Layer::kLibc, EventKind::kRealloc, 0x30, 9), 0x20});
  header_->ticket.store(5);
  EXPECT_EQ(Drained(), (Addresses{0x10, 0x20, 0x30}));
  EXPECT_EQ(events_[2].lag, 0u);
}

TEST_F(MergerTest, EveryFieldOfARecordArrives) {
  NewStream(1, 7);
  Put(0, {ring::Pack(Op::kThread, 7)});
  Put(0, {Request(Layer::kMem, EventKind::kZeroed, 0x10, 1022)});
  Put(0,
      {Request(Layer::kMem, EventKind::kAlloc, 0x20, ring::kWideSize), 1023});
  Put(0, {ring::Pack(Op::kArenaAcquire, 0x7f0000000000, ring::kWideSize),
          1u << 20});
  Put(0, {ring::Pack(Op::kFinalise, 0)});
  Put(1, {ring::Pack(Op::kDepth, 2),
          Request(Layer::kLibc, EventKind::kAligned, 0x40, 64), 32});
  Put(1, {ring::Pack(Op::kFork, 3)});
  header_->ticket.store(2);
  Drained();
  ASSERT_EQ(events_.size(), 6u);
  EXPECT_EQ(events_[0].align_bytes, 32u);
  EXPECT_EQ(events_[0].depth, 2u);
  EXPECT_EQ(events_[0].thread, 0u);
  EXPECT_EQ(events_[1].kind, EventKind::kFork);
  EXPECT_EQ(events_[1].number, 3u);
  EXPECT_EQ(events_[2].kind, EventKind::kZeroed);
  EXPECT_EQ(events_[2].layer, Layer::kMem);
  EXPECT_EQ(events_[2].size_bytes, 1022u);
  EXPECT_EQ(events_[2].thread, 0u) << "the same thread as in its own stream";
  EXPECT_EQ(events_[3].size_bytes, 1023u);
  EXPECT_EQ(events_[4].kind, EventKind::kArenaAcquire);
  EXPECT_EQ(events_[4].address, 0x7f0000000000u);
  EXPECT_EQ(events_[4].size_bytes, 1u << 20);
  EXPECT_EQ(events_[5].kind, EventKind::kMark);
  EXPECT_EQ(events_[5].name, kFinaliseMark);
}

TEST_F(MergerTest, ChunksAreGivenBackAndGoRound) {
  // Many times the ring, one chunk after the other.
  std::uint64_t next = 1;
  for (int round = 0; round < 3000; ++round) {
    for (int i = 0; i < 3000; ++i) PutObject(next++);
    events_.clear();
    merger_->Drain(0, false);
    ASSERT_EQ(events_.size(), 3000u);
    ASSERT_EQ(events_.back().address, next - 1);
    ASSERT_EQ(events_.back().request, next - 2);
  }
  EXPECT_LE(header_->fresh_chunks.load(), 4u);
}

TEST_F(MergerTest, AnEndedThreadGivesItsSlotBackOnceItIsDrained) {
  NewStream(1, 1);
  PutLibc(1, 0, 0x10);
  const auto dead = [](std::int32_t) { return false; };
  merger_->Drain(0, false);  // finds the stream; the ticket is not counted yet
  merger_->ReleaseEndedThreads(dead);
  EXPECT_EQ(header_->streams[1].state.load(), ring::SlotState::kInUse);
  header_->ticket.store(1);
  EXPECT_EQ(Drained(), (Addresses{0x10}));
  merger_->ReleaseEndedThreads([](std::int32_t) { return true; });
  EXPECT_EQ(header_->streams[1].state.load(), ring::SlotState::kInUse);
  merger_->ReleaseEndedThreads(dead);
  EXPECT_EQ(header_->streams[1].state.load(), ring::SlotState::kFree);
  // The next thread starts anew in it.
  NewStream(1, 2);
  PutLibc(1, 1, 0x11);
  header_->ticket.store(2);
  EXPECT_EQ(Drained(), (Addresses{0x11}));
  EXPECT_EQ(events_[0].thread, 1u);
}

TEST_F(MergerTest, DamageStopsTheStreamAndIsReported) {
  PutObject(0xa0);
  Put(0, {0});  // no such record
  PutObject(0xb0);
  EXPECT_EQ(Drained(), (Addresses{0xa0}));
  EXPECT_TRUE(merger_->damaged());
}

// "list", in the words of a text record.
std::vector<std::uint64_t> Text(Op op, std::uint64_t payload) {
  std::uint64_t word = 0;
  std::memcpy(&word, "list", 4);
  return {ring::Pack(op, payload, 4), word};
}

TEST_F(MergerTest, TypesAndCallSitesAreTheSinksNumbers) {
  Put(0, Text(Op::kTypeName, 1));  // the sink calls it 1
  Put(0, Text(Op::kSiteName, 1));  // and this 2
  PutObject(0xa0);
  Put(0, {ring::Pack(Op::kSite, 1)});
  PutObject(0xa1);
  Put(0, {Request(Layer::kObject, EventKind::kFree, 0xa0, 1)});
  Put(0, {Request(Layer::kObject, EventKind::kFree, 0xa1)});
  PutObject(0xa2);
  Put(0, {ring::Pack(Op::kSite, 0)});
  PutObject(0xa3);
  EXPECT_EQ(Drained(), (Addresses{0xa0, 0xa1, 0xa0, 0xa1, 0xa2, 0xa3}));
  EXPECT_EQ(names_[0], (std::pair{NameSpace::kType, std::string("list")}));
  EXPECT_EQ(names_[1].first, NameSpace::kSite);
  const auto site = [this](std::size_t i) { return events_[i].site; };
  EXPECT_EQ(site(0), 0u) << "before the first";
  EXPECT_EQ(site(1), 2u);
  EXPECT_EQ(site(2), 0u) << "a free has none";
  EXPECT_EQ(site(4), 2u) << "it holds until changed";
  EXPECT_EQ(site(5), 0u);
  EXPECT_EQ(events_[2].type, 1u);
  EXPECT_EQ(events_[2].size_bytes, 0u);
  EXPECT_EQ(events_[3].type, 0u);
}

TEST_F(MergerTest, ARowIsWhatIsPlainAndKnowsItsCallSite) {
  takes_rows_ = true;
  Put(0, Text(Op::kTypeName, 1));  // the sink calls it 1
  Put(0, Text(Op::kSiteName, 1));  // and this 2
  Put(0, {ring::Pack(Op::kThread, 7)});
  PutObject(0xa0);
  PutObject(0xa1);
  Put(0, {ring::Pack(Op::kSite, 1)});
  Put(0, {Request(Layer::kObject, EventKind::kRealloc, 0xa2, 9), 0xa1});
  Put(0, {Request(Layer::kObject, EventKind::kFree, 0xa0, 1)});
  Put(0,
      {Request(Layer::kMem, EventKind::kAlloc, 0xa3, ring::kWideSize), 4096});
  PutObject(0xa4);
  EXPECT_EQ(Drained(), (Addresses{0xa0, 0xa1, 0xa2, 0xa0, 0xa3, 0xa4}));
  EXPECT_EQ(rows_, 3u);
  EXPECT_EQ(events_[1].site, 0u);
  EXPECT_EQ(events_[2].site, 2u);
  EXPECT_EQ(events_[2].old_address, 0xa1u);
  EXPECT_EQ(events_[3].type, 1u);
  EXPECT_EQ(events_[4].size_bytes, 4096u);
  EXPECT_EQ(events_[4].request, 4u) << "rows are counted";
  EXPECT_EQ(events_[5].site, 2u);
  EXPECT_EQ(events_[5].thread, events_[4].thread);
  EXPECT_EQ(merger_->requests(), 6u);
}

TEST_F(MergerTest, ATypeWithoutANameIsDamage) {
  Put(0, Text(Op::kTypeName, 2));
  EXPECT_EQ(Drained(), Addresses{});
  EXPECT_TRUE(merger_->damaged());
}

TEST_F(MergerTest, MarksOfTheProgramStandWhereTheyWereMade) {
  PutObject(0xa0);
  Put(0, Text(Op::kMark, 0));
  PutObject(0xa1);
  EXPECT_EQ(Drained(), (Addresses{0xa0, 0, 0xa1}));
  EXPECT_EQ(events_[1].kind, EventKind::kMark);
  EXPECT_EQ(events_[1].name, "list");
}

}  // namespace
}  // namespace arenalab
