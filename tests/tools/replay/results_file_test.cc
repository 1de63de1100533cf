// What is read as results and what is not; how files are written: whole, only
// over what may be replaced, and into a device without taking its place.
#include "tools/replay/results_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kSmallest[] =
    R"({"schema":"arenalab.results/1","allocators":[{"name":"pymalloc"}]})";

std::string Scratch(const std::string& name) {
  const std::string path = testing::TempDir() + "/" + name;
  std::filesystem::remove(path);
  return path;
}

std::string Written(const std::string& name, const std::string& content) {
  const std::string path = Scratch(name);
  std::ofstream(path) << content;
  return path;
}

TEST(ReadResultsTest, TakesResultsAndNothingElse) {
  EXPECT_EQ(ReadResults(Written("good.json", kSmallest)),
            Json::parse(kSmallest));
  for (const char* wrong :
       {"", "{", "[]", "3", R"({"schema":"arenalab.results/2"})",
        R"({"allocators":[]})", R"({"schema":"arenalab.results/1"})",
        R"({"schema":"arenalab.results/1","allocators":{}})",
        R"({"schema":"arenalab.results/1","allocators":[3]})",
        R"({"schema":"arenalab.results/1","allocators":[{"name":3}]})"}) {
    EXPECT_THROW(ReadResults(Written("wrong.json", wrong)), InputError)
        << wrong;
  }
  EXPECT_THROW(ReadResults(Scratch("none.json")), InputError);
  EXPECT_THROW(ReadResults(testing::TempDir()), InputError);
}

TEST(WriteResultsTest, ReplacesOnlyWhenTold) {
  const std::string path = Scratch("r.json");
  WriteResults({{"a", 1}}, path, false);
  EXPECT_THROW(WriteResults({{"a", 2}}, path, false), InputError);
  EXPECT_EQ(Json::parse(std::ifstream(path))["a"], 1);
  WriteResults({{"a", 3}}, path, true);
  EXPECT_EQ(Json::parse(std::ifstream(path))["a"], 3);
  EXPECT_THROW(WriteResults({{"a", 1}}, "/dev/null/folder/r.json", false),
               InputError);
}

TEST(WriteResultsTest, ADeviceIsWrittenToAndStaysADevice) {
  EXPECT_THROW(WriteResults({{"a", 1}}, "/dev/full", true), InputError);
  struct stat status;
  ASSERT_EQ(stat("/dev/full", &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode));
}

TEST(WriteResultsTest, AFileThatDoesNotFitIsNotLeftHalf) {
  const std::filesystem::path folder = testing::TempDir() + "/half";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  signal(SIGXFSZ, SIG_IGN);
  rlimit limit;
  getrlimit(RLIMIT_FSIZE, &limit);
  rlimit small = limit;
  small.rlim_cur = 100;
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(
      WriteResults({{"a", std::string(1000, 'x')}}, folder / "r.json", false),
      InputError);
  setrlimit(RLIMIT_FSIZE, &limit);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

}  // namespace
}  // namespace arenalab
