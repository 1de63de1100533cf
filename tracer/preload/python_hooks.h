// Finds the interpreter in this process and puts our hooks on its allocators.
#pragma once

#include <cstdint>

namespace arenalab::preload {

// False where there is no CPython 3.6 or later in this process, or one without
// a global lock (its pymalloc is mimalloc). Once, from the constructor.
bool FindPython();
// Wraps every domain whose current allocator is not ours, and the arena
// allocator. Not while other threads run: CPython's setters are not safe then.
void WrapAllocators();
// Whether another tool's allocators stand where ours did: above ours, or
// instead of them; into the ring's header. `within`: one of our hooks has just
// been asked. Under the lock, or when the process ends.
void LookForOtherTools(bool within);
// What ring::kStatsAtVariable asks for; nullptr: nothing. Before the hooks are
// put in: they are others then, which count.
void PlanDumps(const char* list);
// What settings.types and settings.sites ask for; likewise.
void PlanAttribution();
// The pymalloc state that the current thread is in: the interpreter's id where
// it has one of its own, else 0. Under that interpreter's lock.
std::uint32_t CurrentState();
// Of 3.6 and 3.7 only.
bool InterpreterIsInitialised();
// Cheap; false before the interpreter starts.
bool InterpreterIsFinalising();

}  // namespace arenalab::preload
