// What is read of a process must not depend on its being alive.
#include "tracer/collector/process_files.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace arenalab {
namespace {

TEST(ProcessFilesTest, ALivingProcessHasMemoryAndACommandLine) {
  EXPECT_GT(ResidentBytes(getpid()).value_or(0), std::uint64_t{1} << 20);
  EXPECT_NE(CommandLine(getpid()).find("process_files_test"),
            std::string::npos);
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
    while (ResidentBytes(child).has_value()) {
    }
    EXPECT_EQ(CommandLine(child), "");
    EXPECT_EQ(waitpid(child, nullptr, 0), child);
  }
}

TEST(ProcessFilesTest, OneThatIsGoneHasNeither) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_EQ(ResidentBytes(child), std::nullopt);
  EXPECT_EQ(CommandLine(child), "");
  EXPECT_TRUE(ProcessHandle(child).HasEnded());
}

}  // namespace
}  // namespace arenalab
