// What -a may say, and how each wrong thing is refused.
#include "tools/replay/allocator_spec.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

std::string ErrorOf(const std::string& text) {
  try {
    ParseAllocatorList(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

std::string SoundLibrary() {
  return std::string(std::getenv("TEST_SRCDIR")) +
         "/arenalab/tests/tools/replay/worker_sound_malloc.so";
}

TEST(AllocatorSpec, ANameIsAWorker) {
  const AllocatorSpec spec = ParseAllocatorSpec("bump");
  EXPECT_EQ(spec.name, "bump");
  EXPECT_EQ(spec.spelled, "bump");
  EXPECT_EQ(fs::path(spec.worker).filename(), "replay_worker_bump");
  EXPECT_TRUE(fs::exists(spec.worker));
  EXPECT_TRUE(spec.environment.empty());
  EXPECT_TRUE(spec.library.empty());
}

TEST(AllocatorSpec, JemallocsSettingsAreMallocConf) {
  const AllocatorSpec spec =
      ParseAllocatorSpec("jemalloc{dirty_decay_ms:0,narenas:1}");
  EXPECT_EQ(spec.name, "jemalloc");
  EXPECT_EQ(spec.settings, "dirty_decay_ms:0,narenas:1");
  EXPECT_EQ(spec.environment,
            Strings{"MALLOC_CONF=dirty_decay_ms:0,narenas:1"});
}

TEST(AllocatorSpec, MimallocsSettingsAreAVariableEach) {
  EXPECT_EQ(
      ParseAllocatorSpec("mimalloc{page_reset:1,decommit_delay:0}").environment,
      (Strings{"MIMALLOC_PAGE_RESET=1", "MIMALLOC_DECOMMIT_DELAY=0"}));
}

TEST(AllocatorSpec, TheSystemsSettingsAreOneVariable) {
  EXPECT_EQ(
      ParseAllocatorSpec("system{arena_max:2,trim_threshold:1}").environment,
      Strings{
          "GLIBC_TUNABLES=glibc.malloc.arena_max=2:glibc.malloc.trim_threshold="
          "1"});
}

TEST(AllocatorSpec, OtherSettingsGoToTheHeapAlone) {
  const AllocatorSpec spec =
      ParseAllocatorSpec("pymalloc{geometry:cpython-3.11}");
  EXPECT_EQ(spec.settings, "geometry:cpython-3.11");
  EXPECT_TRUE(spec.environment.empty());
}

TEST(AllocatorSpec, EmptyBracesAreNoSettings) {
  EXPECT_EQ(ParseAllocatorSpec("jemalloc{}").settings, "");
  EXPECT_TRUE(ParseAllocatorSpec("jemalloc{}").environment.empty());
}

TEST(AllocatorSpec, APathIsALibraryInTheSystemsWorker) {
  const AllocatorSpec spec = ParseAllocatorSpec(SoundLibrary());
  EXPECT_EQ(spec.name, "worker_sound_malloc.so");
  EXPECT_EQ(spec.library, SoundLibrary());
  EXPECT_EQ(fs::path(spec.worker).filename(), "replay_worker_system");
}

TEST(AllocatorList, IsSplitAtCommasOutsideBraces) {
  const std::vector<AllocatorSpec> specs =
      ParseAllocatorList("jemalloc,jemalloc{narenas:1,dirty_decay_ms:0},null");
  ASSERT_EQ(specs.size(), 3u);
  EXPECT_EQ(specs[0].spelled, "jemalloc");
  EXPECT_EQ(specs[1].spelled, "jemalloc{narenas:1,dirty_decay_ms:0}");
  EXPECT_EQ(specs[2].spelled, "null");
}

TEST(AllocatorList, AnUnknownNameIsAnsweredWithTheKnown) {
  EXPECT_EQ(ErrorOf("bump,hoard"),
            "unknown allocator 'hoard': there are bump, jemalloc, mimalloc, "
            "null, pymalloc, system, any malloc library by its path "
            "(./libother.so), and a CPython's own by native:PATH");
}

TEST(AllocatorList, EmptyAndRepeatedEntriesAreRefused) {
  for (const char* text : {"", ",", "bump,", ",bump", "bump,,null"}) {
    EXPECT_NE(ErrorOf(text).find("an entry is empty"), std::string::npos)
        << text;
  }
  EXPECT_NE(ErrorOf("bump,null,bump").find("'bump' is named twice"),
            std::string::npos);
  EXPECT_EQ(ErrorOf("jemalloc,jemalloc{narenas:1}"), "");
}

TEST(AllocatorList, BrokenBracesAreRefused) {
  for (const char* text : {"jemalloc{", "jemalloc{narenas:1", "jemalloc}",
                           "jemalloc{a:1}x", "jemalloc{{a:1}}", "{a:1}"}) {
    EXPECT_NE(ErrorOf(text), "") << text;
  }
  EXPECT_NE(ErrorOf("jemalloc{narenas:1").find("name{key:value,key:value}"),
            std::string::npos);
}

TEST(AllocatorList, SettingsTooLongForTheWorkerAreRefused) {
  EXPECT_NE(ErrorOf("jemalloc{" + std::string(2000, 'x') + "}")
                .find("settings are too long"),
            std::string::npos);
}

TEST(LibraryByPath, MustBeASharedLibraryOfThisMachine) {
  EXPECT_NE(ErrorOf("./no/such/file.so").find("there is no such file"),
            std::string::npos);
  EXPECT_NE(ErrorOf("/").find("there is no such file"), std::string::npos);
  const std::string text_file =
      std::string(std::getenv("TEST_TMPDIR")) + "/text.so";
  std::ofstream(text_file) << "this is no library, however long it may be; it "
                              "has more bytes than a header of one\n";
  EXPECT_NE(ErrorOf(text_file).find("this is no shared library"),
            std::string::npos);
  std::ofstream(text_file, std::ios::trunc) << "\x7f"
                                            << "ELF";
  EXPECT_NE(ErrorOf(text_file).find("this is no shared library"),
            std::string::npos);
}

TEST(LibraryByPath, CannotHaveASpaceOrColonInItsPath) {
  const std::string folder =
      std::string(std::getenv("TEST_TMPDIR")) + "/a folder";
  fs::create_directories(folder);
  fs::copy_file(SoundLibrary(), folder + "/sound.so",
                fs::copy_options::overwrite_existing);
  EXPECT_NE(ErrorOf(folder + "/sound.so").find("a space or a colon"),
            std::string::npos);
}

TEST(LibraryByPath, TakesNoSettings) {
  EXPECT_NE(ErrorOf(SoundLibrary() + "{a:1}").find("takes no settings"),
            std::string::npos);
}

TEST(Workers, AreTakenFromTheNamedFolderAlone) {
  const std::string folder =
      std::string(std::getenv("TEST_TMPDIR")) + "/workers";
  fs::create_directories(folder);
  std::ofstream(folder + "/replay_worker_mine") << "";
  std::ofstream(folder + "/replay_worker_mine.params") << "";
  std::ofstream(folder + "/other") << "";
  setenv("ARENALAB_LIBEXEC", folder.c_str(), 1);
  const std::vector<std::string> known = KnownAllocators();
  const std::string error = ErrorOf("bump");
  setenv("ARENALAB_LIBEXEC", "/nonexistent", 1);
  const std::string none = ErrorOf("bump");
  unsetenv("ARENALAB_LIBEXEC");
  EXPECT_EQ(known, Strings{"mine"});
  EXPECT_NE(error.find("there are mine,"), std::string::npos);
  EXPECT_NE(none.find("no replay workers found"), std::string::npos);
}

}  // namespace
}  // namespace arenalab
