// What `arenalab verify` found out: plain values, from which the text, the JSON
// and the exit status are made.
//
//   served    requests whose result pymalloc provided, in the interpreter or in
//             the clone (malloc, calloc, realloc of the mem and obj domains)
//   compared  those of them whose address was compared
//   mismatch  a compared result that differs, a request that one side served
//             and the other did not, or an arena that only one side acquired or
//             released at that point
//
// THREADS. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tracer/event.h"

namespace arenalab {

enum class VerifyStatus {
  kEqual,
  kMismatch,
  kCannot,  // nothing was proved either way; `reason` says why
};

enum class MismatchKind {
  kAddress,          // both served the request, at different addresses
  kOnlyInterpreter,  // the interpreter served it, the clone went to raw
  kOnlyClone,        // the clone served it, the interpreter went to raw
  kArenaOnlyInterpreter,
  kArenaOnlyClone,
  kReleaseOnlyInterpreter,
  kReleaseOnlyClone,
  kReleaseOther,      // both released an arena, not the same one
  kUnknownBlock,      // given up, inside an arena, but never allocated
  kDoubleAllocation,  // handed out while the recording had it live
};

// A place in the recording's address space as the clone sees it.
struct Place {
  std::uint64_t address = 0;  // 0: the C library's, not an arena's
  std::uint64_t arena = 0;    // ordinal of acquisition in its state, from 0
  std::uint64_t offset = 0;   // bytes from the arena's base
  bool in_arena = false;
};

struct Mismatch {
  MismatchKind what = MismatchKind::kAddress;
  std::string file;         // the trace that holds the request
  std::uint64_t event = 0;  // request number, `EVENT` of the text form
  EventKind kind{};         // of the request
  Layer layer{};
  std::uint32_t state = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t class_bytes = 0;  // 0: no class serves it
  Place expected;                 // what the clone did
  Place recorded;                 // what the interpreter did
};

struct VerifyReport {
  VerifyStatus status = VerifyStatus::kCannot;
  std::string reason;  // kCannot only: one sentence
  std::string lost;  // what the recording, or an ancestor's, lost; "" = nothing
  std::vector<std::string> warnings;

  std::string file;
  std::string python;
  std::string geometry;         // canonical name of the generation replayed
  std::uint64_t requests = 0;   // all in the trace, whatever the layer
  std::uint64_t inherited = 0;  // requests replayed from parents' prefixes
  std::uint64_t served = 0;
  std::uint64_t compared = 0;
  std::uint64_t inherited_compared = 0;  // of them, in the parents' prefixes
  std::uint64_t frees = 0;  // frees of blocks that pymalloc had served
  std::uint64_t arenas_acquired = 0;  // by the interpreter, arena-sized only
  std::uint64_t arenas_released = 0;
  std::uint64_t unknown_objects = 0;  // frees, reallocs of blocks never seen
  // Of the heap with which a trace begins that begins in the middle; its arenas
  // count as acquired.
  std::uint64_t seeded_blocks = 0;
  std::uint64_t seeded_arenas = 0;
  std::uint64_t states = 0;  // allocator states (interpreters)
  std::uint64_t mismatches = 0;
  std::optional<Mismatch> first;
};

std::string_view NameOf(VerifyStatus status);
std::string_view NameOf(MismatchKind kind);
std::string_view NameOf(EventKind kind);
std::string_view NameOf(Layer layer);

// Several lines for people; no line longer than a terminal is wide.
std::string VerifyText(const VerifyReport& report);
// One JSON object, schema `arenalab.verify/1`, with a final newline.
std::string VerifyJson(const VerifyReport& report);

}  // namespace arenalab
