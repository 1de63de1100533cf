// Compiles a trace into ops: chooses the requests that a scope replays, names
// their objects by dense slots, and keeps beside the ops what the launcher
// needs and the replay loop must not carry (request numbers, layers, marks).
//
// A compiled request is a STEP, numbered from 0 without gaps; its number in the
// trace is its REQUEST (Event::request). Requests outside the scope, nested
// ones (depth > 0) and frees of objects that the trace never saw being made
// have a number but no step.
//
// FORK. A child begins with its parent's heap: the parent's requests up to the
// fork are INHERITED steps. They come first and have no request number.
//
// MEMORY. Eight bytes a request in an anonymous file, one byte and one bit
// beside it, sixteen for each change of thread, and the table of live objects.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/replay/op_file.h"
#include "tools/replay/ops.h"
#include "tracer/event.h"
#include "tracer/format/trace_reader.h"

namespace arenalab {

// Whose requests are replayed, all at depth 0.
enum class Scope {
  kPython,        // the mem and object domains
  kPythonAndRaw,  // and the raw domain
  kProcess,       // and the C library's malloc, called by anything else
};
std::string_view ScopeName(Scope scope);
std::optional<Scope> ScopeNamed(std::string_view name);

struct CompiledMark {
  std::string name;
  std::uint64_t step;  // steps before it
};

// What the collector read of the process; the step that comes after it.
struct RecordedMemory {
  std::uint64_t step;
  std::uint64_t rss_bytes;
};

struct RecordedArena {
  std::uint64_t address;
  std::uint64_t size_bytes;
};

// From this step on requests are made by this thread on this interpreter's
// state.
struct Origin {
  std::uint64_t step;
  std::uint32_t thread;
  std::uint32_t state;
};

struct CompiledTrace {
  OpFile ops;  // closed by one kEnd
  // One byte a step. Bit 0: a raw or libc request, which pymalloc never
  // serves. Bits 1-7: requests left out just before it; kFarGap: the next of
  // far_gaps holds their number.
  static constexpr std::uint8_t kFarGap = 127;
  std::vector<std::uint8_t> notes;
  std::vector<std::uint64_t> far_gaps;
  // For hints.h. One bit a step: asked for from the object domain.
  std::vector<bool> in_object_domain;
  std::vector<Origin> origins;  // ascending; the first is of step 0
  // By step, dense numbers from 1, 0: not known. Empty: the trace was recorded
  // without them.
  std::vector<std::uint32_t> types;
  std::vector<std::uint32_t> sites;
  // Who kept the object of a step when it was last looked at: 1 + Owner, 0: it
  // was not. Empty: nothing was looked at.
  std::vector<std::uint8_t> owners;
  // By number; the first is of what is not known.
  std::vector<std::string> type_names;
  std::vector<std::string> site_names;

  Scope scope = Scope::kPython;
  std::uint64_t steps = 0;
  std::uint64_t inherited_steps = 0;
  std::uint64_t litter_steps = 0;  // the first of these; age.h
  std::uint64_t requests = 0;      // in the trace, whatever their scope
  std::uint32_t slots = 0;         // peak number of live objects
  std::uint64_t duration_ns = 0;
  std::uint32_t threads = 0;
  std::uint32_t states = 0;
  std::array<std::uint64_t, 5> by_kind{};   // of the trace, by EventKind
  std::array<std::uint64_t, 4> by_layer{};  // of the trace, by Layer
  std::uint64_t unknown_frees = 0;          // in scope, left out
  std::uint64_t unknown_reallocs = 0;       // in scope, compiled as allocations
  std::uint64_t double_allocations = 0;
  std::vector<CompiledMark> marks;
  std::vector<RecordedMemory> memory;  // in the order of the trace
  std::vector<RecordedArena> arenas;   // in the order of their acquisition
};

// A parent's trace and the number of the fork that made the child.
struct Inheritance {
  std::string path;
  std::uint64_t fork;
};

// Reads the trace to its end, after its ancestors' up to their forks, oldest
// first. Throws InputError as TraceReader::Next() does, and where a fork is not
// there.
CompiledTrace Compile(TraceReader& reader, Scope scope,
                      const std::vector<Inheritance>& ancestors = {});

// One step, decoded.
struct Step {
  OpCode code;
  std::uint32_t slot;
  std::uint64_t size_bytes;
  std::uint32_t align_log2;
  bool foreign;  // a raw or libc request
};

// Walks the steps of a compiled trace.
//
//   StepCursor cursor(compiled);
//   Step step;
//   while (cursor.Next(&step)) { ... }
//
// After Next(): steps() counts the steps walked, request() is one more than the
// number of the last one's request (so every request below it is done; 0 as
// long as steps are inherited), and time_ns() the recorded time, in
// milliseconds' resolution.
class StepCursor {
 public:
  explicit StepCursor(const CompiledTrace& trace)
      : trace_(trace), op_(trace.ops.ops().data()) {}

  bool Next(Step* step) {
    Op op = *op_++;
    while (CodeOf(op) == OpCode::kClock) {
      time_ms_ += SizeOf(op);
      op = *op_++;
    }
    if (CodeOf(op) == OpCode::kEnd) {
      --op_;
      return false;
    }
    step->code = CodeOf(op);
    step->slot = op.slot;
    step->size_bytes = SizeOf(op);
    step->align_log2 = 0;
    if (SizeOf(op) == kWideSize) {
      step->size_bytes = WideSizeOf(*op_++);
    }
    if (step->code == OpCode::kAligned) step->align_log2 = (op_++)->slot;
    const std::uint8_t note = trace_.notes[steps_];
    step->foreign = note & 1;
    std::uint64_t gap = note >> 1;
    if (gap == CompiledTrace::kFarGap) gap = trace_.far_gaps[far_gap_++];
    ++steps_;
    if (steps_ > trace_.inherited_steps) request_ += gap + 1;
    return true;
  }

  std::uint64_t steps() const { return steps_; }
  std::uint64_t request() const { return request_; }
  std::uint64_t time_ns() const { return time_ms_ * 1'000'000; }

 private:
  static std::uint64_t WideSizeOf(Op op) {
    return std::uint64_t{op.word} << 32 | op.slot;
  }

  const CompiledTrace& trace_;
  const Op* op_;
  std::uint64_t steps_ = 0;
  std::uint64_t request_ = 0;
  std::uint64_t time_ms_ = 0;
  std::size_t far_gap_ = 0;
};

// The program of a memory run: the same ops with kSample number i where
// sample_steps[i] steps are done. sample_steps ascends.
OpFile WithSamples(const CompiledTrace& trace,
                   const std::vector<std::uint64_t>& sample_steps);

}  // namespace arenalab
