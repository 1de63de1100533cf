// What a reader makes of files that are cut, changed, or no trace at all, and a
// writer of disks that are full. A damaged file is an error that says where, or
// a prefix that is said to be incomplete; never a crash, never other events.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "tests/tracer/format/trace_fixture.h"
#include "tracer/format/layout.h"

namespace arenalab {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// Three blocks of events, metadata between them, every column in use.
class DamageTest : public ::testing::Test {
 protected:
  DamageTest() {
    TraceWriter writer(whole_.path(), /*exclusive=*/false);
    writer.Meta("python", "3.11.2");
    for (int block = 0; block < 3; ++block) {
      for (int i = 0; i < 20; ++i) {
        Event event = Alloc(0x7f0000001000 + 4096 * i, 100 * i);
        event.thread = static_cast<std::uint32_t>(i % 2);
        event.time_ns = static_cast<std::uint64_t>(1000 * block + i);
        writer.Append(event);
        writer.Append(Realloc(event.address, event.address + 2048, 5000));
        writer.Append(Free(event.address + 2048));
      }
      Event mark;
      mark.kind = EventKind::kMark;
      mark.name = "between blocks";
      writer.Append(mark);
      writer.Meta("block", std::to_string(block));
      writer.Flush();
    }
    writer.Finish(1, 2);
    EXPECT_TRUE(writer.ok()) << writer.error();
    bytes_ = ReadBytes(whole_.path());
    events_ = ReadAll(whole_.path());
  }

  struct Outcome {
    std::string error;  // of opening or reading; then the rest is a prefix
    bool complete = false;
    std::vector<KeptEvent> events;
  };
  Outcome Read(const std::string& bytes) {
    WriteBytes(damaged_.path(), bytes);
    Outcome outcome;
    try {
      TraceReader reader(damaged_.path());
      outcome.complete = reader.complete();
      for (Event event; reader.Next(&event);) {
        outcome.events.push_back({event, std::string(event.name)});
      }
    } catch (const InputError& error) {
      outcome.error = error.what();
    }
    return outcome;
  }
  bool IsPrefix(const std::vector<KeptEvent>& events) const {
    return events.size() <= events_.size() &&
           std::equal(events.begin(), events.end(), events_.begin());
  }

  const ScratchFile whole_;
  const ScratchFile damaged_;
  std::string bytes_;
  std::vector<KeptEvent> events_;
};

TEST_F(DamageTest, TheFileItselfIsFine) {
  const Outcome outcome = Read(bytes_);
  EXPECT_EQ(outcome.error, "");
  EXPECT_TRUE(outcome.complete);
  EXPECT_EQ(outcome.events, events_);
  EXPECT_EQ(events_.size(), 3u * 61u);
}

TEST_F(DamageTest, CutAtEveryByteItIsAnIncompletePrefix) {
  std::size_t most = 0, lengths = 0;
  for (std::size_t at = 0; at < bytes_.size(); ++at) {
    const Outcome outcome = Read(bytes_.substr(0, at));
    EXPECT_FALSE(outcome.complete) << at;
    EXPECT_TRUE(IsPrefix(outcome.events)) << at;
    EXPECT_EQ(outcome.events.size() % 61, 0u) << "whole blocks, at " << at;
    if (at < layout::kFileHeaderBytes) {
      EXPECT_THAT(outcome.error, HasSubstr("nothing was recorded")) << at;
    } else {
      EXPECT_EQ(outcome.error, "") << at;
    }
    if (outcome.events.size() > most || lengths == 0) ++lengths;
    EXPECT_GE(outcome.events.size(), most) << at;
    most = std::max(most, outcome.events.size());
  }
  EXPECT_EQ(most, events_.size()) << "only END is missing";
  EXPECT_EQ(lengths, 4u) << "0, 1, 2 and 3 blocks";
}

TEST_F(DamageTest, ACutFileCountsWhatItHas) {
  // END is the last 48 bytes.
  WriteBytes(damaged_.path(), bytes_.substr(0, bytes_.size() - 48));
  TraceReader reader(damaged_.path());
  EXPECT_FALSE(reader.complete());
  EXPECT_EQ(reader.totals().events, events_.size());
  EXPECT_EQ(reader.totals().requests, 3u * 60u);
  EXPECT_EQ(reader.Meta("block"), "2");
}

TEST_F(DamageTest, EveryBitOfEveryByteIsGuarded) {
  for (std::size_t at = 0; at < bytes_.size(); ++at) {
    for (const int mask : {0x01, 0x10, 0x80, 0xff}) {
      std::string changed = bytes_;
      changed[at] = static_cast<char>(changed[at] ^ mask);
      const Outcome outcome = Read(changed);
      EXPECT_NE(outcome.error, "") << "byte " << at << " mask " << mask;
      EXPECT_TRUE(IsPrefix(outcome.events)) << at;
      EXPECT_THAT(outcome.error, StartsWith(damaged_.path() + ": "));
      EXPECT_THAT(outcome.error, HasSubstr("byte ")) << at;
    }
  }
}

TEST_F(DamageTest, AChecksumErrorNamesItsBlock) {
  // The first block is metadata, at 16; the second, events, behind it.
  layout::BlockHeader first;
  std::memcpy(&first, bytes_.data() + 16, sizeof first);
  const std::size_t second = 16 + sizeof first + first.stored_bytes;
  std::string changed = bytes_;
  changed[second + 30] = static_cast<char>(changed[second + 30] ^ 4);
  const Outcome outcome = Read(changed);
  EXPECT_EQ(outcome.error, damaged_.path() + ": block at byte " +
                               std::to_string(second) +
                               ": checksum does not match; the file is "
                               "damaged");
}

TEST_F(DamageTest, AMissingBlockIsNoticed) {
  layout::BlockHeader header;
  std::size_t at = 16;
  std::vector<std::pair<std::size_t, std::size_t>> events_blocks;
  while (at < bytes_.size()) {
    std::memcpy(&header, bytes_.data() + at, sizeof header);
    const std::size_t size = sizeof header + header.stored_bytes;
    if (header.type == layout::kEventsBlock)
      events_blocks.push_back({at, size});
    at += size;
  }
  ASSERT_EQ(events_blocks.size(), 3u);
  for (const auto& [begin, size] : events_blocks) {
    std::string changed = bytes_;
    changed.erase(begin, size);
    // What follows does not fit; behind the last, END tells.
    EXPECT_THAT(Read(changed).error,
                HasSubstr(begin == events_blocks.back().first
                              ? "but its end says"
                              : "a block is missing or out of place"))
        << begin;
  }
}

TEST_F(DamageTest, BytesBehindTheEndAreAnError) {
  EXPECT_THAT(Read(bytes_ + "x").error,
              HasSubstr("byte " + std::to_string(bytes_.size()) +
                        ": the trace ends here but the file goes on"));
}

TEST_F(DamageTest, OtherVersionsAreRefused) {
  std::string changed = bytes_;
  for (const int version : {1, 3}) {
    changed[8] = static_cast<char>(version);
    EXPECT_THAT(
        Read(changed).error,
        HasSubstr("byte 8: trace format version " + std::to_string(version) +
                  "; this arenalab reads version 2 only"));
  }
}

TEST_F(DamageTest, WhatIsNoTraceIsRefused) {
  EXPECT_THAT(Read("").error, HasSubstr("is empty, not a trace"));
  EXPECT_THAT(Read("malloc 0 24\n").error, HasSubstr("arenalab trace import"));
  EXPECT_THAT(Read("x").error, HasSubstr("not a trace"));
  EXPECT_THROW(
      {
        try {
          TraceReader reader("/");
        } catch (const InputError& error) {
          EXPECT_THAT(error.what(), HasSubstr("is a directory"));
          throw;
        }
      },
      InputError);
  EXPECT_THROW(TraceReader(damaged_.path() + ".absent"), InputError);
}

TEST_F(DamageTest, NoPermissionIsAnError) {
  // Root may read anything: a child gives that up.
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    chmod(whole_.path().c_str(), 0);
    if (geteuid() == 0 && setuid(65534) != 0) _exit(77);
    try {
      TraceReader reader(whole_.path());
    } catch (const InputError& error) {
      _exit(std::string(error.what()).find("Permission denied") !=
                    std::string::npos
                ? 0
                : 2);
    }
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "cannot become another user";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(DamageTest, APipeIsReadWhole) {
  const std::string command = "cat '" + whole_.path() + "'";
  std::FILE* const pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  EXPECT_EQ(ReadAll("/proc/self/fd/" + std::to_string(fileno(pipe))), events_);
  pclose(pipe);
}

TEST(WriterFailureTest, AFullDiskIsRememberedAndNothingThrows) {
  TraceWriter writer("/dev/full", /*exclusive=*/false);
  for (int i = 0; i < 300000; ++i) writer.Append(Alloc(8 * (i + 1), 8));
  writer.Finish(0, 0);
  EXPECT_FALSE(writer.ok());
  EXPECT_EQ(writer.error(), "/dev/full: cannot write: No space left on device");
}

TEST(WriterFailureTest, AFolderThatIsAbsent) {
  TraceWriter writer("/nonexistent/x.trace", /*exclusive=*/true);
  writer.Append(Alloc(8, 8));
  writer.Finish(0, 0);
  EXPECT_FALSE(writer.ok());
  EXPECT_THAT(writer.error(), HasSubstr("cannot create: No such file"));
}

TEST(WriterFailureTest, ExclusiveLeavesAnExistingFileAlone) {
  const ScratchFile file;
  WriteBytes(file.path(), "precious");
  TraceWriter writer(file.path(), /*exclusive=*/true);
  writer.Append(Alloc(8, 8));
  writer.Finish(0, 0);
  EXPECT_THAT(writer.error(), HasSubstr("File exists"));
  EXPECT_EQ(ReadBytes(file.path()), "precious");
}

// The limit's signal would end the process; in a child, as a limit on the size
// of files is for good.
TEST(WriterFailureTest, AFileSizeLimitIsAnErrorAndLeavesAPrefix) {
  const ScratchFile file;
  constexpr int kEvents = 1000000;
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const rlimit limit{1u << 20, 1u << 20};
    setrlimit(RLIMIT_FSIZE, &limit);
    TraceWriter writer(file.path(), /*exclusive=*/false);
    std::uint64_t noise = 1;
    for (int i = 0; i < kEvents; ++i) {
      noise = noise * 6364136223846793005u + 1442695040888963407u;
      writer.Append(Alloc((noise >> 20) * 8, noise >> 57));
    }
    writer.Finish(0, 0);
    _exit(writer.ok()                                                  ? 1
          : writer.error().find("File too large") == std::string::npos ? 2
                                                                       : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  TraceReader reader(file.path());
  EXPECT_FALSE(reader.complete());
  EXPECT_GT(reader.totals().events, 0u);
  EXPECT_LT(reader.totals().events, static_cast<std::uint64_t>(kEvents));
}

TEST(WriterFailureTest, WithoutFinishThereIsNoEnd) {
  const ScratchFile file;
  {
    TraceWriter writer(file.path(), /*exclusive=*/false);
    writer.Append(Alloc(8, 8));
  }
  TraceReader reader(file.path());
  EXPECT_FALSE(reader.complete());
  EXPECT_EQ(ReadAll(reader).size(), 1u);
}

TEST(WriterFailureTest, WhatWasFlushedIsReadWhileTheWriterGoesOn) {
  const ScratchFile file;
  TraceWriter writer(file.path(), /*exclusive=*/false);
  writer.Append(Alloc(8, 8));
  writer.Flush();
  writer.Append(Alloc(16, 8));
  EXPECT_EQ(ReadAll(file.path()).size(), 1u);
  writer.Finish(0, 0);
  EXPECT_EQ(ReadAll(file.path()).size(), 2u);
  writer.Append(Alloc(24, 8));
  writer.Finish(0, 0);
  EXPECT_EQ(ReadAll(file.path()).size(), 2u) << "after Finish: nothing";
}

}  // namespace
}  // namespace arenalab
