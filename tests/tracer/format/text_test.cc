// The text form: what a line means, what is rejected where, and that
// dump -> import -> dump is the identity.
#include "tracer/format/text.h"

#include <random>
#include <string>

#include "tests/tracer/format/text_fixture.h"

namespace arenalab {
namespace {

using ::testing::HasSubstr;

TEST(TextTest, EveryLineMeansItsEvent) {
  const ScratchFile file;
  Import(
      "# a comment\n"
      "meta python 3.11.2\n"
      "meta program python3 -c 'x = 1'\n"
      "\n"
      "malloc 0 24 addr=0x5000\n"
      "calloc 1 1023 domain=libc thread=2 addr=0x7340 t=1000  # trailing\n"
      "aligned 2 64 100 domain=raw state=3 depth=1 addr=0x9000\n"
      "realloc 0 100 addr=0x5100 lag=2\n"
      "realloc 7 8 addr=0x5200\n"
      "realloc 8 8 addr=0x5300 old=0x1230\n"
      "arena+ 0x7f0000000000 1048576\n"
      "arena- 0x7f0000000000 1048576 thread=1\n"
      "mark finalise t=2000\n"
      "mark \"two words \\\"\\\\\\x0a\"\n"
      "fork 0 4711\n"
      "memory 12345678\n"
      "free 1\n"
      "free-unknown 0x40 domain=mem\n"
      "end lost=3 waited=4",
      file.path());
  TraceReader reader(file.path());
  EXPECT_EQ(reader.Meta("python"), "3.11.2");
  EXPECT_EQ(reader.Meta("program"), "python3 -c 'x = 1'");
  EXPECT_EQ(reader.Meta("addresses", "absent"), "absent");
  EXPECT_EQ(reader.totals().lost, 3u);
  EXPECT_EQ(reader.totals().waited_ns, 4u);
  const auto events = ReadAll(reader);
  ASSERT_EQ(events.size(), 14u);
  EXPECT_EQ(events[0].event.kind, EventKind::kAlloc);
  EXPECT_EQ(events[0].event.layer, Layer::kObject);
  EXPECT_EQ(events[1].event.kind, EventKind::kZeroed);
  EXPECT_EQ(events[1].event.layer, Layer::kLibc);
  EXPECT_EQ(events[1].event.thread, 2u);
  EXPECT_EQ(events[1].event.time_ns, 1000u);
  EXPECT_EQ(events[2].event.kind, EventKind::kAligned);
  EXPECT_EQ(events[2].event.align_bytes, 64u);
  EXPECT_EQ(events[2].event.state, 3u);
  EXPECT_EQ(events[2].event.depth, 1u);
  EXPECT_EQ(events[2].event.thread, 0u);
  EXPECT_EQ(events[2].event.time_ns, 1000u) << "t= holds until changed";
  EXPECT_EQ(events[3].event.old_address, 0x5000u);
  EXPECT_EQ(events[3].event.lag, 2u);
  EXPECT_EQ(events[4].event.old_address, 0u);
  EXPECT_EQ(events[5].event.old_address, 0x1230u);
  EXPECT_EQ(events[6].event.kind, EventKind::kArenaAcquire);
  EXPECT_EQ(events[7].event.kind, EventKind::kArenaRelease);
  EXPECT_EQ(events[8].name, kFinaliseMark);
  EXPECT_EQ(events[9].name, "two words \"\\\n");
  EXPECT_EQ(events[10].event.kind, EventKind::kFork);
  EXPECT_EQ(events[10].name, "4711");
  EXPECT_EQ(events[11].event.rss_bytes, 12345678u);
  EXPECT_EQ(events[12].event.address, 0x7340u);
  EXPECT_EQ(events[12].event.layer, Layer::kLibc) << "as it was allocated";
  EXPECT_EQ(events[13].event.address, 0x40u);
  EXPECT_EQ(events[13].event.layer, Layer::kMem);
}

TEST(TextTest, TypesAndCallSitesAreNames) {
  const std::string text =
      "malloc 0 24 addr=0x5000 site=app.py:12:work\n"
      "malloc 1 24 addr=0x5020 type=Node site=\"my app.py:1:<module>\"\n"
      "realloc 0 48 addr=0x5040 site=app.py:12:work\n"
      "held 0x5020 owner=program lag=1 type=Node\n"
      "held 0x5040 type=dict\n"
      "free 0 type=dict\n"
      "free 1\n";
  const ScratchFile file;
  Import(text, file.path());
  TraceReader reader(file.path());
  const auto events = ReadAll(reader);
  ASSERT_EQ(events.size(), 7u);
  const auto type = [&](std::size_t i) {
    return reader.Name(NameSpace::kType, events[i].event.type);
  };
  const auto site = [&](std::size_t i) {
    return reader.Name(NameSpace::kSite, events[i].event.site);
  };
  EXPECT_EQ(site(0), "app.py:12:work");
  EXPECT_EQ(site(1), "my app.py:1:<module>");
  EXPECT_EQ(type(1), "Node");
  EXPECT_EQ(events[0].event.site, events[2].event.site);
  EXPECT_EQ(events[3].event.kind, EventKind::kHeld);
  EXPECT_EQ(events[3].event.address, 0x5020u);
  EXPECT_EQ(events[3].event.owner, Owner::kProgram);
  EXPECT_EQ(events[3].event.lag, 1u);
  EXPECT_EQ(type(3), "Node");
  EXPECT_EQ(events[4].event.owner, Owner::kUnknown);
  EXPECT_EQ(type(5), "dict");
  EXPECT_EQ(type(6), "");
  EXPECT_EQ(Dumped(file.path()), text);
}

TEST(TextTest, ACallSiteIsOfARequestThatAsks) {
  EXPECT_THAT(Rejected("malloc 0 1 addr=0x10\nfree 0 site=a:1:f\n"),
              HasSubstr("site= is of the request that asks"));
  EXPECT_THAT(Rejected("mark a type=int\n"),
              HasSubstr("type= and site= are of requests"));
}

TEST(TextTest, TextByHandNeedsNoAddresses) {
  const std::string text =
      "meta addresses none\n"
      "malloc 0 24\n"
      "malloc 1 50 domain=raw\n"
      "realloc 0 100\n"
      "free 1\n"
      "calloc 1 8\n"
      "free 0\n";
  EXPECT_EQ(Reimported(text), text);
  const ScratchFile file;
  Import("malloc 0 24\n", file.path());
  EXPECT_EQ(TraceReader(file.path()).Meta("addresses"), "none");
}

// IDs by hand are any numbers; a dump's are the object table's.
TEST(TextTest, IdsAreRenumbered) {
  EXPECT_EQ(Reimported("malloc 4000000000 1\nmalloc 7 2\nfree 4000000000\n"),
            "meta addresses none\nmalloc 0 1\nmalloc 1 2\nfree 0\n");
}

TEST(TextTest, AnAbsentEndStaysAbsent) {
  const std::string text = "malloc 0 1 addr=0x10\nincomplete\n";
  EXPECT_EQ(Reimported(text), text);
  const ScratchFile file;
  Import(text, file.path());
  EXPECT_FALSE(TraceReader(file.path()).complete());
}

// The order of the file while thread 1's realloc of A is under way.
TEST(TextTest, AReallocAcrossThreadsIsKept) {
  const std::string text =
      "malloc 0 1 domain=libc thread=1 addr=0x50\n"
      "malloc 1 2 domain=libc thread=2 addr=0x50\n"
      "realloc 0 9 thread=1 addr=0x90 lag=1\n"
      "free 1 thread=2\n"
      "free 0\n";
  EXPECT_EQ(Reimported(text), text);
}

// The trace is impossible, but a dump must show it and read it back.
TEST(TextTest, ADoubleAllocationIsKept) {
  const std::string text =
      "malloc 0 1 addr=0x50\n"
      "malloc 1 2 addr=0x50\n"
      "free 1\n"
      "free 0\n"
      "free-unknown 0x50\n";
  EXPECT_EQ(Reimported(text), text);
}

TEST(TextTest, NestedRequestsShareTheirAddress) {
  const std::string text =
      "malloc 0 9000 domain=libc depth=2 addr=0x5000\n"
      "malloc 1 9000 domain=raw depth=1 addr=0x5000\n"
      "malloc 2 9000 addr=0x5000\n"
      "free 0 depth=2\n"
      "free 1 depth=1\n"
      "free 2 domain=mem\n";
  EXPECT_EQ(Reimported(text), text);
}

TEST(TextTest, NamesHoldAnything) {
  Event event;
  event.kind = EventKind::kMark;
  std::string every;
  for (int c = 0; c < 256; ++c) every.push_back(static_cast<char>(c));
  for (const std::string& name :
       {std::string(), std::string("#x"), std::string("\""), every,
        std::string("caf\xc3\xa9"), std::string("a=b")}) {
    event.name = name;
    const ScratchFile file;
    WriteTrace(file.path(), {event});
    const ScratchFile again;
    Import(Dumped(file.path()), again.path());
    const auto events = ReadAll(again.path());
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].name, name);
  }
}

TEST(TextTest, ErrorsNameTheLine) {
  const auto expect = [](const std::string& text, const std::string& message) {
    EXPECT_THAT(Rejected(text), HasSubstr(message)) << text;
  };
  expect("malloc 0 1\nmallok 1 2\n", "input.txt:2: unknown word 'mallok'");
  expect("malloc\n", ":1: the line ends where an ID belongs");
  expect("malloc 0\n", ":1: the line ends where a size belongs");
  expect("malloc 0 -1\n", ":1: '-1' is not a size");
  expect("malloc 0 18446744073709551616\n", "(at most 18446744073709551615)");
  expect("malloc 4294967295 1\n", "an ID over 4294967294");
  expect("malloc 0 1\n\n# x\nmalloc 0 1\n", ":4: ID 0 is live already");
  expect("free 0\n", ":1: ID 0 is not live");
  expect("malloc 0 1\nfree 0\nfree 0\n", ":3: ID 0 is not live");
  expect("aligned 0 3 8\n", "power of two");
  expect("aligned 0 0 8\n", "power of two");
  expect("malloc 0 1 addr=10\n", "an address begins with 0x");
  expect("malloc 0 1 addr=0xg\n", "'g' is not an address");
  expect("malloc 0 1 addr=0x10\nmalloc 1 1\n", ":2: no addr=");
  expect("malloc 0 1\nmalloc 1 1 addr=0x10\n", ":2: addr=, but");
  expect("meta addresses none\nmalloc 0 1 addr=0x10\n", "meta addresses none");
  expect("malloc 0 1 lag=1\n", "unknown column 'lag=1'");
  expect("free-unknown 0x10 addr=0x10\n", "unknown column 'addr=0x10'");
  expect("mark x depth=1\n", "unknown column 'depth=1'");
  expect("malloc 0 1 depth=256\n", "(at most 255)");
  expect("malloc 0 1 thread=4294967296\n", "(at most 4294967295)");
  expect("malloc 0 1 domain=heap\n", "raw, mem, obj or libc");
  expect("malloc 0 1 t=5\nmalloc 1 1 t=4\n", ":2: time goes back");
  expect("malloc 0 1 thread\n", "'' is not a thread");
  expect("malloc 0 1 addr=0x10\nrealloc 0 1 addr=0x20 old=0x10\n",
         "old= is for an ID that is not live");
  expect("malloc 0 1 addr=0x10\nrealloc 1 1 addr=0x20 old=0x10\n",
         "old= names the address of a live object");
  expect("malloc 0 1 addr=0x10\nfree-unknown 0x10\n", "use `free ID`");
  expect("malloc 0 1 addr=0x10\nmalloc 1 1 addr=0x10\nfree 0\n",
         "given to another ID");
  expect("malloc 0 1\nfree 0 domain=raw\n", "not allocated in domain=raw");
  expect("malloc 0 1\nrealloc 0 2 domain=libc\n", "domain=libc");
  expect("mark\n", "a name is");
  expect("mark \"x\n", "a name is");
  expect("mark \"\\q\"\n", "a name is");
  expect("mark \"\\x4\"\n", "a name is");
  expect("mark \"x\"y\n", "a blank belongs");
  expect("end\nmalloc 0 1\n", ":2: nothing may follow");
  expect("end found=1\n", "unknown column 'found=1'");
  expect("incomplete now\n", "'now' is too much");
  expect(std::string("malloc 0 1\0\n", 12), ":1: ");
}

TEST(TextTest, LinesOfOtherSystemsAreRead) {
  EXPECT_EQ(Reimported("malloc 0 1 addr=0x10\r\n\tfree   0\t\r\n"),
            "malloc 0 1 addr=0x10\nfree 0\n");
}

TEST(TextTest, DumpToAFullDiskIsAnError) {
  const ScratchFile file;
  Import("malloc 0 1\n", file.path());
  TraceReader reader(file.path());
  std::FILE* const full = std::fopen("/dev/full", "w");
  ASSERT_NE(full, nullptr);
  EXPECT_THROW(DumpText(reader, full), InputError);
  std::fclose(full);
}

// Anything at all, possible or not: three blocks and more of random events
// over few addresses, so that every kind of misuse occurs.
TEST(TextTest, DumpImportDumpIsTheIdentityOnRandomTraces) {
  for (const unsigned seed : {1u, 2u, 3u, 4u}) {
    std::mt19937_64 random(seed);
    const auto one_in = [&random](int n) { return random() % n == 0; };
    const ScratchFile file;
    {
      TraceWriter writer(file.path(), /*exclusive=*/false);
      writer.Meta("program", "  blanks before and after\t\r ");
      writer.Meta("empty", "");
      std::uint64_t time_ns = 0;
      for (int i = 0; i < 200000; ++i) {
        Event event;
        event.kind =
            static_cast<EventKind>(one_in(50) ? random() % 10 : random() % 5);
        event.layer = static_cast<Layer>(random() % 4);
        event.depth = static_cast<std::uint8_t>(one_in(9) ? random() : 0);
        event.thread = static_cast<std::uint32_t>(random() % 3);
        event.state = static_cast<std::uint32_t>(one_in(9) ? random() : 0);
        event.time_ns = time_ns += one_in(9) ? random() % 100000 : 0;
        event.size_bytes = one_in(9) ? random() >> random() % 64 : i % 600;
        event.align_bytes = std::uint64_t{1} << random() % 64;
        event.address = random() % 2000 * 8;
        event.old_address = one_in(9) ? 0 : random() % 2000 * 8;
        event.lag = one_in(3) ? random() % 3000 : 0;
        event.number = random();
        event.rss_bytes = random();
        event.name = one_in(2) ? "finalise" : "a b\n";
        writer.Append(event);
      }
      if (seed % 2 == 0) writer.Finish(seed, seed - 2);
    }
    const std::string text = Dumped(file.path());
    const ScratchFile again;
    Import(text, again.path());
    EXPECT_EQ(Dumped(again.path()), text) << "seed " << seed;
    EXPECT_EQ(TraceReader(again.path()).ContentHash(),
              TraceReader(file.path()).ContentHash());
  }
}

}  // namespace
}  // namespace arenalab
