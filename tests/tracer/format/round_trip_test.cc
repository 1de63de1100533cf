// What is appended is what is read: every kind, every extra, every escape, at
// the sizes where the encoding changes, and long random traces.
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/tracer/format/trace_fixture.h"

namespace arenalab {
namespace {

// Writes and reads back; fills in what the writer counts.
void ExpectRoundTrip(const std::vector<Event>& events) {
  const ScratchFile file;
  WriteTrace(file.path(), events);
  std::vector<KeptEvent> expected;
  std::uint64_t requests = 0;
  for (const Event& event : events) {
    expected.push_back({event, std::string(event.name)});
    expected.back().event.request = requests;
    requests += IsRequest(event.kind) ? 1 : 0;
  }
  TraceReader reader(file.path());
  EXPECT_TRUE(reader.complete());
  EXPECT_EQ(reader.totals().requests, requests);
  EXPECT_EQ(reader.totals().events, events.size());
  EXPECT_EQ(ReadAll(reader), expected);
  reader.Rewind();
  EXPECT_EQ(ReadAll(reader), expected) << "after Rewind()";
}

TEST(RoundTripTest, NoEvents) { ExpectRoundTrip({}); }

TEST(RoundTripTest, SizesWhereTheEncodingChanges) {
  std::vector<Event> events;
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1022},
        std::uint64_t{1023}, std::uint64_t{1024}, std::uint64_t{1} << 40,
        ~std::uint64_t{0}}) {
    events.push_back(Alloc(0x1000, size));
    events.push_back(Realloc(0x1000, 0x2000, size));
    events.push_back(Free(0x2000));
  }
  ExpectRoundTrip(events);
}

TEST(RoundTripTest, EveryRequestInEveryLayerAtEveryDepth) {
  std::vector<Event> events;
  for (const Layer layer :
       {Layer::kRaw, Layer::kMem, Layer::kObject, Layer::kLibc}) {
    for (const int depth : {0, 1, 127, 128, 255}) {
      Event event = Alloc(0x10000, 48, layer);
      event.depth = static_cast<std::uint8_t>(depth);
      events.push_back(event);
      event.kind = EventKind::kZeroed;
      events.push_back(event);
      event.kind = EventKind::kAligned;
      for (unsigned log2 = 0; log2 < 64; ++log2) {
        event.align_bytes = std::uint64_t{1} << log2;
        events.push_back(event);
      }
      event.align_bytes = 0;
      event.kind = EventKind::kRealloc;
      event.old_address = 0x20000;
      events.push_back(event);
      event.lag = events.size();
      events.push_back(event);
      event.old_address = event.lag = event.size_bytes = 0;
      event.kind = EventKind::kFree;
      events.push_back(event);
    }
  }
  ExpectRoundTrip(events);
}

TEST(RoundTripTest, AddressesThatFitNoRegionAreEscaped) {
  std::vector<Event> events;
  for (const std::uint64_t address :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{8},
        std::uint64_t{0x7ffffff8}, std::uint64_t{0x80000000}, ~std::uint64_t{0},
        ~std::uint64_t{7}}) {
    events.push_back(Alloc(address, 8));
    events.push_back(Realloc(address, address + 8, 1 << 20));
    events.push_back(Realloc(0, address, 9));
  }
  // More regions than a block has names for.
  for (std::uint64_t region = 0; region < 40; ++region) {
    Event event = Realloc(region << 31, (region << 33) + 16, 2000);
    event.depth = 1;
    event.lag = 1;
    events.push_back(event);
  }
  ExpectRoundTrip(events);
}

TEST(RoundTripTest, EventsThatAreNoRequests) {
  std::vector<Event> events;
  Event event;
  event.layer = Layer::kObject;
  event.kind = EventKind::kArenaAcquire;
  event.address = 0x7f0000000000;
  event.size_bytes = 1 << 20;
  events.push_back(event);
  event.kind = EventKind::kArenaRelease;
  events.push_back(event);
  event.address = 0x7f0000000004;  // not of the encoding's eight
  events.push_back(event);
  event = Event{};
  event.kind = EventKind::kMemory;
  event.rss_bytes = 123456789;
  events.push_back(event);
  event = Event{};
  event.kind = EventKind::kMark;
  const std::string long_name(1000, 'x');
  for (const std::string_view name :
       {std::string_view(""), std::string_view("finalise"),
        std::string_view("a b\nc\\\"\0d", 9), std::string_view(long_name)}) {
    event.name = name;
    events.push_back(event);
  }
  event.kind = EventKind::kFork;
  event.name = "4711";
  event.number = 300;
  events.push_back(event);
  ExpectRoundTrip(events);
}

TEST(RoundTripTest, ContextHoldsUntilItChanges) {
  std::vector<Event> events;
  for (std::uint32_t i = 0; i < 100; ++i) {
    Event event = Alloc(0x1000 + 16 * i, 16);
    event.thread = i % 7 == 0 ? 0xffffffffu : i / 10;
    event.state = i / 30;
    event.time_ns = i / 5 * 1000000007ull;
    events.push_back(event);
  }
  ExpectRoundTrip(events);
}

TEST(RoundTripTest, TimeNeverGoesBack) {
  std::vector<Event> events = {Alloc(8, 1), Alloc(16, 1), Alloc(24, 1)};
  events[0].time_ns = 100;
  events[1].time_ns = 50;
  events[2].time_ns = 101;
  const ScratchFile file;
  WriteTrace(file.path(), events);
  const auto read = ReadAll(file.path());
  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(read[1].event.time_ns, 100u);
  EXPECT_EQ(read[2].event.time_ns, 101u);
}

TEST(RoundTripTest, OverlongNamesAreCut) {
  const std::string name(70000, 'n');
  Event event;
  event.kind = EventKind::kMark;
  event.name = name;
  const ScratchFile file;
  WriteTrace(file.path(), {event});
  const auto read = ReadAll(file.path());
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].name, name.substr(0, 65536));
}

// Names fill the wide column long before the heads fill theirs.
TEST(RoundTripTest, ManyLongNames) {
  const std::string name(60000, 'n');
  Event event;
  event.kind = EventKind::kMark;
  event.name = name;
  ExpectRoundTrip(std::vector<Event>(200, event));
}

TEST(RoundTripTest, RandomTracesOfSeveralBlocks) {
  for (const unsigned seed : {1u, 2u, 3u}) {
    std::mt19937_64 random(seed);
    const auto below = [&random](std::uint64_t n) { return random() % n; };
    std::vector<Event> events;
    std::uint64_t requests = 0, time_ns = 0;
    const std::string names[] = {"", "finalise", "request 17"};
    for (int i = 0; i < 200000; ++i) {
      Event event;
      event.kind =
          static_cast<EventKind>(below(100) == 0 ? 5 + below(5) : below(5));
      event.layer = static_cast<Layer>(below(4));
      event.thread = static_cast<std::uint32_t>(below(3));
      event.state = static_cast<std::uint32_t>(below(50) == 0);
      event.time_ns = time_ns += below(20) == 0 ? below(1u << 30) : 0;
      event.size_bytes = below(20) == 0 ? random() >> below(64) : below(600);
      event.address = below(20) == 0 ? random() >> below(64)
                                     : 0x7f0000000000 + 16 * below(1u << 30);
      if (IsRequest(event.kind)) {
        if (below(10) == 0) event.depth = static_cast<std::uint8_t>(below(256));
        if (event.kind == EventKind::kAligned) {
          event.align_bytes = std::uint64_t{1} << below(64);
        } else if (event.kind == EventKind::kRealloc) {
          event.old_address = below(9) == 0 ? 0 : 8 * random();
          if (below(10) == 0) event.lag = below(requests + 1);
        } else if (event.kind == EventKind::kFree) {
          event.size_bytes = 0;
        }
        ++requests;
      } else {
        event.layer = Layer::kObject;
        if (event.kind > EventKind::kArenaRelease) {
          event.layer = Layer{};
          event.address = event.size_bytes = 0;
          if (event.kind == EventKind::kMemory) {
            event.rss_bytes = random();
          } else {
            event.name = names[below(3)];
            if (event.kind == EventKind::kFork) event.number = random();
          }
        }
      }
      events.push_back(event);
    }
    ExpectRoundTrip(events);
  }
}

// Requests by the row, with more heads than a block's table has room for,
// deaths near and far, types, call sites, and between them what is not plain.
TEST(RoundTripTest, RowsOfPlainRequestsAreTheSameEvents) {
  constexpr std::uint64_t kBias = 16;
  std::mt19937 random(4);
  const std::vector<std::uint32_t> types = {0, 2, 1};
  const ScratchFile file;
  std::vector<KeptEvent> expected;
  std::uint64_t not_plain = 0;
  {
    TraceWriter writer(file.path(), false);
    for (const char* name : {"int", "list"}) {
      writer.Intern(NameSpace::kType, name);
      writer.Intern(NameSpace::kSite, name);
    }
    std::vector<std::uint64_t> live, given;
    const auto address = [&] {
      if (!given.empty() && random() % 4 != 0) {
        const std::uint64_t last = given.back();
        given.pop_back();
        return last;
      }
      return (random() % 8 == 0 ? 0x7f0000000000u : 0x10000u) +
             random() % 100000 * (random() % 50 == 0 ? 7 : 16);
    };
    const auto take = [&] {
      const std::size_t back = random() % 16 == 0 ? random() : random() % 4;
      const std::size_t at = live.size() - 1 - back % live.size();
      const std::uint64_t block = live[at];
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(at));
      given.push_back(block);
      return block;
    };
    for (int row = 0; row < 2000; ++row) {
      std::vector<std::uint64_t> words;
      std::vector<Event> events;
      const std::uint32_t site = random() % 3;
      for (int i = 0; i < 150; ++i) {
        Event event;
        event.layer = static_cast<Layer>(random() % 4);
        event.thread = static_cast<std::uint32_t>(row / 100);
        event.time_ns = static_cast<std::uint64_t>(row / 10) * 1000;
        const unsigned dice = random() % 20;
        unsigned number = random() % 3;
        std::uint64_t old = 0;
        if (dice < 9 && !live.empty()) {
          event.kind = EventKind::kFree;
          event.address = take();
          event.type = types[number];
        } else {
          event.kind = dice < 18 ? EventKind::kAlloc : EventKind::kZeroed;
          if (dice == 19) {
            event.kind = EventKind::kRealloc;
            event.old_address = old =
                live.empty() || random() % 4 == 0 ? 0 : take();
          }
          event.site = site;
          number = random() % 50 == 0 ? 1023 : random() % 600;
          event.size_bytes = number;
          live.push_back(event.address = address());
        }
        words.push_back(kBias + (event.address << 16 | number << 6 |
                                 static_cast<unsigned>(event.layer) << 3 |
                                 static_cast<unsigned>(event.kind)));
        if (event.kind == EventKind::kRealloc) words.push_back(old);
        events.push_back(event);
      }
      std::size_t word = 0, done = 0;
      while (word < words.size()) {
        PlainRequests plain{&words[word],
                            words.size() - word,
                            kBias,
                            events[0].thread,
                            events[0].time_ns,
                            site,
                            types};
        const PlainTaken taken = writer.AppendPlain(plain);
        word += taken.words;
        done += taken.requests;
        if (taken.requests != 0) continue;
        ++not_plain;
        writer.Append(events[done]);
        word += events[done++].kind == EventKind::kRealloc ? 2 : 1;
      }
      for (const Event& event : events) {
        expected.push_back({event, ""});
        expected.back().event.request = expected.size() - 1;
      }
    }
    writer.Finish(0, 0);
  }
  EXPECT_GT(not_plain, 100u);
  EXPECT_LT(not_plain, 20000u) << "what is plain goes by the row";
  TraceReader reader(file.path());
  const std::vector<KeptEvent> read = ReadAll(reader);
  ASSERT_EQ(read.size(), expected.size());
  for (std::size_t i = 0; i < read.size(); ++i) ASSERT_EQ(read[i], expected[i]);
}

TEST(RoundTripTest, MetadataLastLineOfAKeyWins) {
  const ScratchFile file;
  {
    TraceWriter writer(file.path(), /*exclusive=*/false);
    writer.Meta("program", "python3 -c 'a b'");
    writer.Meta("lost", "before");
    writer.Append(Alloc(8, 8));
    writer.Flush();
    writer.Meta("lost", "two\nlines");
    writer.Meta("two words", "");
    writer.Finish(17, 23);
  }
  TraceReader reader(file.path());
  EXPECT_EQ(reader.Meta("program"), "python3 -c 'a b'");
  EXPECT_EQ(reader.Meta("lost"), "two lines");
  EXPECT_EQ(reader.Meta("two_words", "absent"), "");
  EXPECT_EQ(reader.Meta("nothing", "absent"), "absent");
  EXPECT_EQ(reader.totals().lost, 17u);
  EXPECT_EQ(reader.totals().waited_ns, 23u);
}

TEST(RoundTripTest, MetadataLongerThanABlock) {
  const ScratchFile file;
  const std::string value(2u << 20, 'v');
  {
    TraceWriter writer(file.path(), /*exclusive=*/false);
    for (const char* key : {"a", "b", "c", "d"}) writer.Meta(key, value);
    writer.Finish(0, 0);
    EXPECT_TRUE(writer.ok()) << writer.error();
  }
  TraceReader reader(file.path());
  for (const char* key : {"a", "b", "c", "d"}) {
    EXPECT_EQ(reader.Meta(key), value) << key;
  }
}

TEST(RoundTripTest, ContentHashIsOfTheEventsAlone) {
  const auto hash = [](int meta, int flush_after, std::uint64_t size) {
    const ScratchFile file;
    TraceWriter writer(file.path(), /*exclusive=*/false);
    if (meta != 0) writer.Meta("k", "v");
    for (int i = 0; i < 10; ++i) {
      writer.Append(Alloc(0x1000 + 16 * i, i == 5 ? size : 7));
      if (i == flush_after) writer.Flush();
    }
    writer.Finish(0, 0);
    return TraceReader(file.path()).ContentHash();
  };
  const std::string one = hash(0, -1, 7);
  EXPECT_EQ(one.size(), 16u);
  EXPECT_EQ(one, hash(1, 3, 7)) << "blocks and metadata do not count";
  EXPECT_NE(one, hash(0, -1, 8));
}

}  // namespace
}  // namespace arenalab
