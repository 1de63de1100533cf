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
#include "tools/inspect/whose_memory.h"

namespace arenalab {

struct HeapInspection {
  HeapReading reading;
  Census census;
};

struct Inspection {
  std::string target;                 // "process 4711"
  std::vector<HeapInspection> heaps;  // one an allocator state, by address
  std::optional<WhoseMemory> whose;   // a core does not tell
};

// Called for each live block with what it holds.
using BlockVisitor =
    std::function<void(const LiveBlock& block, const HeldObject& held)>;

Inspection InspectProcess(int pid, const BlockVisitor& visit = {});
Inspection InspectCore(const std::string& path, const BlockVisitor& visit = {});

// The pymalloc part of sys._debugmallocstats(), for each heap.
std::string DebugMallocStatsText(const Inspection& inspection);

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
