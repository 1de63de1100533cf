// Everything that `arenalab inspect` finds out about one target, and its three
// forms: a screen, JSON, one line.
//
// Errors: InputError if the target is no Python process (nothing in it is
// pymalloc's), may not be read, or ended meanwhile.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/inspect/block_census.h"
#include "tools/inspect/heap_reading.h"
#include "tools/inspect/thread_states.h"
#include "tools/inspect/whose_memory.h"

namespace arenalab {

struct HeapInspection {
  HeapReading reading;
  Census census;
};

// How the target was held still (--freeze).
struct Standstill {
  double stopped_ms = 0;
  std::uint64_t bytes = 0;       // of arenas, read meanwhile
  std::uint64_t bytes_late = 0;  // of arenas, read when it ran again
};

struct Inspection {
  std::string target;       // "process 4711"
  std::string python;       // "3.11.2"; empty: its text was not found
  bool by_headers = false;  // header_search.h
  std::optional<Standstill> standstill;
  // The interpreter's own; nullopt: could not be told.
  std::optional<std::vector<ThreadState>> thread_states;
  std::vector<HeapInspection> heaps;  // one an allocator state, by address
  std::optional<WhoseMemory> whose;   // a core does not tell
};

// Called for each live block with what it holds; its bytes are not there.
using BlockVisitor =
    std::function<void(const LiveBlock& block, const HeldObject& held)>;

struct InspectOptions {
  BlockVisitor visit;
  bool freeze = false;  // hold the process still while its arenas are read
  double most_stopped_ms = 50;
  bool by_headers = false;    // do not look for the interpreter's records
  std::string snapshot_path;  // write one; empty: do not
};

Inspection InspectProcess(int pid, const InspectOptions& options = {});
Inspection InspectCore(const std::string& path,
                       const InspectOptions& options = {});

// The pymalloc part of sys._debugmallocstats(), for each heap.
std::string DebugMallocStatsText(const Inspection& inspection);

// Whose memory it is (not of a core), what holds the arenas, what would give
// memory back.
std::vector<std::string> VerdictSentences(const Inspection& inspection);

// One screen.
std::string InspectionText(const Inspection& inspection);

// Schema arenalab.inspect/1. Bytes are whole numbers.
nlohmann::ordered_json InspectionJson(const Inspection& inspection);

// For --watch.
std::string InspectionLine(const Inspection& inspection);

// What is more in `after` than in `before`, both of schema arenalab.inspect/1:
// owners of memory, classes and types, most bytes first. Throws InputError,
// naming the file, if one is not.
std::string DifferenceText(const std::string& before_path,
                           const std::string& after_path);

}  // namespace arenalab
