// The promise itself, on every interpreter of this machine: what it does is
// recorded, and the clone of its generation gives every address that it gave.
#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <fstream>

#include "tests/tools/verify/recorded_program.h"
#include "tools/verify/verify.h"
#include "tracer/format/trace_reader.h"

namespace arenalab {
namespace {

namespace fs = std::filesystem;

// Strings, containers and instances of many sizes that live for different
// times; more than a million requests.
constexpr char kMixed[] = R"(
import json, random
random.seed(1)
class Node:
    def __init__(self, depth):
        self.name = 'node %d' % random.randrange(10**6)
        self.children = [Node(depth - 1) for _ in range(3)] if depth else []
kept = []
for round in range(6):
    tree = Node(7)
    kept.append(tree.children[round % 3])
    table = [{str(j): ['x' * random.randrange(400)
                       for _ in range(random.randrange(20))]}
             for j in range(3000)]
    kept.append(json.loads(json.dumps(table))[::40])
    grown = bytearray()
    for i in range(20000):
        grown += b'abc'
    text = ''
    for i in range(3000):
        text += 'y'
        kept.append(str(i) * 3)
    if round == 3:
        kept = kept[::2]
)";

// Four threads that allocate at the same time and free each other's objects.
constexpr char kThreads[] = R"(
import threading, random
shared = [None] * 2000
def work(seed):
    r = random.Random(seed)
    for i in range(60000):
        shared[r.randrange(2000)] = ['z' * r.randrange(600), i * 1.5, {}]
threads = [threading.Thread(target=work, args=(s,)) for s in range(4)]
for t in threads: t.start()
for t in threads: t.join()
)";

// A child that goes on with its parent's heap, and one of its own.
constexpr char kForks[] = R"(
import os, sys
def churn(n):
    for i in range(n):
        kept[i % len(kept)] = {'i': i, 's': 'q' * (i % 300)}
kept = [None] * 5000
churn(60000)
pid = os.fork()
if pid == 0:
    churn(50000)
    if os.fork() == 0:
        churn(40000)
        os._exit(0)
    os.wait()
    os._exit(0)
churn(30000)
os.waitpid(pid, 0)
churn(30000)
)";

// Two interpreters with a lock and a heap of their own, at the same time as the
// main one (3.12+).
constexpr char kIsolated[] = R"(
import sys, threading
if sys.version_info >= (3, 13):
    import _interpreters as interpreters
    create, run = interpreters.create, interpreters.exec
elif sys.version_info >= (3, 12):
    import _xxsubinterpreters as interpreters
    create, run = interpreters.create, interpreters.run_string
else:
    sys.exit(0)
code = """
import json
table = [{'a': str(i) * 3, 'b': [i] * 5} for i in range(5000)]
json.loads(json.dumps(table))
del table
kept = [(i, i + 1.5) for i in range(5000)]
"""
ids = [create() for _ in range(2)]
threads = [threading.Thread(target=run, args=(i, code)) for i in ids]
for t in threads: t.start()
kept = [[k] for k in range(50000)]
for t in threads: t.join()
for i in ids: interpreters.destroy(i)
)";

class InterpretersTest : public testing::TestWithParam<std::string> {
 protected:
  // The traces of one run, the main process's first.
  std::vector<std::string> Traces(const std::string& name,
                                  const char* program) {
    const fs::path folder =
        fs::path(testing::TempDir()) / (Label(GetParam()) + "_" + name);
    fs::remove_all(folder);
    fs::create_directories(folder);
    const std::string script = folder / "program.py";
    std::ofstream(script) << program;
    const std::string trace = folder / "run.trace";
    EXPECT_EQ(Record(trace, Quoted(GetParam()) + " " + Quoted(script)), 0)
        << std::ifstream(trace + ".log").rdbuf();
    std::vector<std::string> traces{trace};
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() == ".trace" && entry.path() != trace) {
        traces.push_back(entry.path());
      }
    }
    return traces;
  }

  static void ExpectEqual(const VerifyReport& report) {
    EXPECT_EQ(report.status, VerifyStatus::kEqual) << VerifyText(report);
    EXPECT_EQ(report.served, report.compared);
    EXPECT_TRUE(report.warnings.empty()) << report.warnings[0];
  }

 public:
  // The folder above bin/ (`3.11.7`, `usr`), as a test's name may be written.
  static std::string Label(const std::string& interpreter) {
    const std::string folder =
        fs::path(interpreter).parent_path().parent_path().filename();
    std::string label;
    for (const char c : folder) {
      label.push_back(std::isalnum(static_cast<unsigned char>(c)) != 0 ? c
                                                                       : '_');
    }
    return label;
  }
};

TEST_P(InterpretersTest, AMillionRequestsHaveTheClonesAddresses) {
  const VerifyReport report = Verify(Traces("mixed", kMixed)[0], {});
  ExpectEqual(report);
  EXPECT_GE(report.requests, 1'000'000u);
  EXPECT_GT(report.arenas_released, 0u);
  std::printf("%s, %s: %llu served, %llu arenas released\n",
              report.python.c_str(), report.geometry.c_str(),
              static_cast<unsigned long long>(report.served),
              static_cast<unsigned long long>(report.arenas_released));
}

TEST_P(InterpretersTest, ThreadsShareOneHeapInOneOrder) {
  const VerifyReport report = Verify(Traces("threads", kThreads)[0], {});
  ExpectEqual(report);
  EXPECT_GE(report.served, 300'000u);
}

TEST_P(InterpretersTest, AForkedChildGoesOnWithItsParentsHeap) {
  const std::vector<std::string> traces = Traces("forks", kForks);
  ASSERT_EQ(traces.size(), 3u);
  int children = 0;
  for (const std::string& trace : traces) {
    const VerifyReport report = Verify(trace, {});
    ExpectEqual(report);
    children += report.inherited != 0 ? 1 : 0;
  }
  EXPECT_EQ(children, 2);
}

TEST_P(InterpretersTest, EachIsolatedInterpreterHasAHeapOfItsOwn) {
  const VerifyReport report = Verify(Traces("isolated", kIsolated)[0], {});
  ExpectEqual(report);
  if (report.states == 1 && report.served < 100'000) {
    GTEST_SKIP() << report.python << " has no isolated interpreters";
  }
  EXPECT_EQ(report.states, 3u);
}

TEST_P(InterpretersTest, AnotherPymallocIsAMismatch) {
  const std::string trace = Traces("other", "list(range(1000))")[0];
  const VerifyReport own = Verify(trace, {});
  ExpectEqual(own);
  const std::string other =
      own.geometry == "cpython-3.9" ? "cpython-3.11" : "cpython-3.9";
  const bool same_until_a_release =
      own.geometry == "cpython-3.8" || own.geometry == "cpython-3.7.4";
  const VerifyReport report = Verify(
      trace,
      {.geometry = same_until_a_release ? "classic" : other, .tampering = {}});
  EXPECT_EQ(report.status, VerifyStatus::kMismatch) << VerifyText(report);
}

INSTANTIATE_TEST_SUITE_P(Machine, InterpretersTest,
                         testing::ValuesIn(Interpreters()),
                         [](const auto& info) {
                           return InterpretersTest::Label(info.param);
                         });

// A machine without any says so.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(InterpretersTest);
TEST(MachineTest, HasAnInterpreter) {
  if (Interpreters().empty()) GTEST_SKIP() << "no python3 on this machine";
}

}  // namespace
}  // namespace arenalab
