// The time that the allocator inside a worker sees.
//
// The worker defines clock_gettime, gettimeofday and time itself, so that an
// allocator that gives pages back by the clock can be shown the clock of the
// recorded program: a replay of ten minutes takes a second, and would leave it
// no time to purge. Until FollowTrace() all three tell the machine's time.
//
// In worker_clock.cc, linked into workers only. One thread.
#pragma once

#include <cstdint>

namespace arenalab {

// Finds the C library's own clock; before this a system call serves.
void StartClock();

// From here on time stands still at its present value ...
void FollowTrace();
// ... except for this.
void AdvanceTrace(std::uint64_t milliseconds);

// Sleeps.
void Idle(std::uint64_t milliseconds);

// The machine's monotonic clock, whatever FollowTrace() made of it.
std::uint64_t MachineNanoseconds();

// CPU time of this process, all its threads, in user and kernel mode: what a
// timed run counts. A replay waits for nothing, and a busy machine must not
// make an allocator look slow. Two calls cost about a microsecond.
std::uint64_t CpuNanoseconds();

}  // namespace arenalab
