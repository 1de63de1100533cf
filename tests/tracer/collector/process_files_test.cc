// What is read of a process must not depend on its being alive.
#include "tracer/collector/process_files.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string_view>

namespace arenalab {
namespace {

TEST(ProcessFilesTest, ALivingProcessHasMemory) {
  const auto memory = MemoryOf(getpid());
  ASSERT_TRUE(memory.has_value());
  EXPECT_GT(memory->resident, std::uint64_t{1} << 20);
  // As the kernel defines them.
  EXPECT_LE(memory->share, memory->resident);
  EXPECT_LE(memory->own, memory->share);
  EXPECT_GT(memory->own, 0u);
}

TEST(ProcessFilesTest, AWordThatAShellWouldReadOtherwiseIsQuoted) {
  using namespace std::string_view_literals;
  EXPECT_EQ(PastableCommand("python3\0-c\0print('a b')\0\0"sv),
            "python3 -c 'print('\\''a b'\\'')' ''");
  EXPECT_EQ(PastableCommand("one\ntwo\0"sv), "'one two'");
  EXPECT_EQ(PastableCommand("cut off"sv), "'cut off'");
  EXPECT_EQ(PastableCommand(""sv), "");
}

// Between open and read the memory may go: reading is then an error. Of so many
// ends, some fall there.
TEST(ProcessFilesTest, ItMayEndWhileItIsRead) {
  for (int i = 0; i < 300; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      usleep(static_cast<useconds_t>(i));
      _exit(0);
    }
    while (MemoryOf(child).has_value()) {
    }
    EXPECT_EQ(waitpid(child, nullptr, 0), child);
  }
}

TEST(ProcessFilesTest, OneThatIsGoneHasNone) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(MemoryOf(child).has_value());
  EXPECT_TRUE(ProcessHandle(child).HasEnded());
}

}  // namespace
}  // namespace arenalab
