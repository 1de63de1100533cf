// The worker's clock functions, which stand before the C library's; contract in
// worker_clock.h.
#include "tools/replay/worker_clock.h"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

namespace arenalab {
namespace {

using ClockGettime = int (*)(clockid_t, timespec*);

constexpr std::uint64_t kSecond = 1000000000;

// Serves calls from before main(), such as a library's constructor.
int AskKernel(clockid_t clock, timespec* now) {
  return static_cast<int>(syscall(SYS_clock_gettime, clock, now));
}

ClockGettime machine_clock = AskKernel;
bool follows_trace = false;
std::uint64_t trace_nanoseconds = 0;  // since FollowTrace()
std::uint64_t monotonic_start = 0;
std::uint64_t boot_start = 0;
std::uint64_t real_start = 0;

std::uint64_t Read(clockid_t clock) {
  timespec now{};
  machine_clock(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * kSecond +
         static_cast<std::uint64_t>(now.tv_nsec);
}

// Where a clock that measures passing time stood at FollowTrace(); nullptr for
// those that measure work (a thread's CPU time), which stay real.
const std::uint64_t* StartOf(clockid_t clock) {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI:
      return &real_start;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_MONOTONIC_RAW:
      return &monotonic_start;
    case CLOCK_BOOTTIME:
      return &boot_start;
    default:
      return nullptr;
  }
}

}  // namespace

void StartClock() {
  void* found = dlsym(RTLD_NEXT, "clock_gettime");
  if (found != nullptr) {
    machine_clock = reinterpret_cast<ClockGettime>(found);
  }
}

void FollowTrace() {
  monotonic_start = Read(CLOCK_MONOTONIC);
  boot_start = Read(CLOCK_BOOTTIME);
  real_start = Read(CLOCK_REALTIME);
  follows_trace = true;
}

void AdvanceTrace(std::uint64_t milliseconds) {
  trace_nanoseconds += milliseconds * 1000000;
}

void Idle(std::uint64_t milliseconds) {
  timespec left{static_cast<time_t>(milliseconds / 1000),
                static_cast<long>(milliseconds % 1000 * 1000000)};
  while (nanosleep(&left, &left) != 0) {
  }
}

std::uint64_t MachineNanoseconds() { return Read(CLOCK_MONOTONIC); }

std::uint64_t CpuNanoseconds() { return Read(CLOCK_PROCESS_CPUTIME_ID); }

}  // namespace arenalab

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  const std::uint64_t* start =
      arenalab::follows_trace ? arenalab::StartOf(clock) : nullptr;
  if (start == nullptr) return arenalab::machine_clock(clock, now);
  const std::uint64_t nanoseconds = *start + arenalab::trace_nanoseconds;
  now->tv_sec = static_cast<time_t>(nanoseconds / arenalab::kSecond);
  now->tv_nsec = static_cast<long>(nanoseconds % arenalab::kSecond);
  return 0;
}

int gettimeofday(timeval* now, void*) noexcept {
  timespec exact{};
  clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* result) noexcept {
  timespec exact{};
  clock_gettime(CLOCK_REALTIME, &exact);
  if (result != nullptr) *result = exact.tv_sec;
  return exact.tv_sec;
}

}  // extern "C"
