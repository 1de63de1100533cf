// The workloads on a sound heap and on heaps that break their promises.
#include "tools/bench/workload.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace arenalab {
namespace {

HeapCalls Libc() {
  return {.version = "",
          .threads = Threads::kNative,
          .holds_contents = true,
          .allocate = [](void*, std::size_t n) { return std::malloc(n); },
          .free = [](void*, void* p) { std::free(p); },
          .snapshot = [](void*) { return HeapSnapshot{}; }};
}

struct Case {
  const Workload* workload;
  unsigned threads;
};

class WorkloadTest : public testing::TestWithParam<Case> {};

TEST_P(WorkloadTest, DoesItsWorkAndFindsItsContent) {
  const HeapCalls calls = Libc();
  const LinkedHeap linked{.calls = &calls, .heap = nullptr, .error = nullptr};
  WorkloadHeap heap(linked, /*locked=*/false);
  const WorkloadOutcome outcome = GetParam().workload->run(
      heap, {.threads = GetParam().threads, .divide = 200});
  EXPECT_GT(outcome.operations, 0u);
  EXPECT_EQ(outcome.operations % 2, 0u) << "what is allocated is freed";
  EXPECT_EQ(outcome.wrong, 0u);
  EXPECT_EQ(outcome.live_bytes >= 0, GetParam().workload->of_memory);
  // All that it mapped for itself is given back.
  EXPECT_EQ(MappedByWorkloads(), 0);
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const Workload& workload : Workloads()) {
    for (const unsigned threads : {1u, 2u, 3u}) {
      if (threads == 1 || !workload.one_at_a_time) {
        cases.push_back({&workload, threads});
      }
    }
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, WorkloadTest, testing::ValuesIn(Cases()),
                         [](const auto& info) {
                           std::string name(info.param.workload->name);
                           std::erase(name, '-');
                           return name + std::to_string(info.param.threads);
                         });

TEST(WorkloadsTest, ThereAreTwelve) { EXPECT_EQ(Workloads().size(), 12u); }

TEST(WorkloadsTest, ABlockHandedOutTwiceIsFoundByEveryone) {
  static char block[1 << 16];
  HeapCalls calls = Libc();
  calls.allocate = [](void*, std::size_t) -> void* { return block; };
  calls.free = [](void*, void*) {};
  const LinkedHeap linked{.calls = &calls, .heap = nullptr, .error = nullptr};
  WorkloadHeap heap(linked, false);
  for (const Workload& workload : Workloads()) {
    EXPECT_GT(workload.run(heap, {.threads = 1, .divide = 200}).wrong, 0u)
        << workload.name;
  }
}

TEST(WorkloadsTest, SurvivorsByHand) {
  // Ten pools' worth: ten objects of 64 bytes stay; 2550 made, all freed.
  const HeapCalls calls = Libc();
  const LinkedHeap linked{.calls = &calls, .heap = nullptr, .error = nullptr};
  WorkloadHeap heap(linked, false);
  const WorkloadOutcome outcome =
      RunSurvivorPerPool(heap, {.threads = 1, .divide = 204});
  EXPECT_EQ(outcome.live_bytes, 10 * 64);
  EXPECT_EQ(outcome.operations, 2u * 2550u);
}

TEST(WorkloadsTest, SharedLinesByHand) {
  alignas(64) static char memory[256];
  std::vector<FilledList> by_thread(2);
  by_thread[0].push_back({memory, 8, 0});
  by_thread[1].push_back({memory + 8, 8, 0});   // the same line
  by_thread[1].push_back({memory + 64, 8, 0});  // one of its own
  WorkloadOutcome outcome;
  TakeSharedLines(by_thread, &outcome);
  EXPECT_EQ(outcome.lines, 2);
  EXPECT_EQ(outcome.shared_lines, 1);
}

}  // namespace
}  // namespace arenalab
