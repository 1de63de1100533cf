// Reads a .trace file: metadata, then events one at a time, in memory bounded
// by one block. The format is ../TRACE_FORMAT.md.
//
//   TraceReader reader("run.trace");            // throws InputError
//   Event event;
//   while (reader.Next(&event)) { ... }         // throws InputError
//   if (!reader.complete()) warn(...);          // known once Next was false
//
// THREADS. One reader, one thread. Files are mapped read-only; a file that
// shrinks while it is read is an error of the caller's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tracer/event.h"
#include "tracer/format/input_error.h"

namespace arenalab {

struct BlockTypes;  // heap_image.h
struct HeapImage;

// The metadata key of a packed trace (pack.h). It is about the file, not about
// the program: readers do not show it among the others.
inline constexpr char kPackedKey[] = "packed";

// What the END block says of the recording.
struct TraceTotals {
  std::uint64_t requests = 0;
  std::uint64_t events = 0;
  std::uint64_t lost = 0;       // events dropped; every reader shouts
  std::uint64_t waited_ns = 0;  // the program waited for the collector
};

// Whether a file can be read that begins as a trace does. "-" is none.
bool IsTraceFile(const std::string& path);

class TraceReader {
 public:
  // Maps the file and walks its block headers, so that metadata (wherever it
  // stands), totals and completeness are known at once; checksums are verified
  // as blocks are read by Next().
  explicit TraceReader(const std::string& path);
  ~TraceReader();
  TraceReader(const TraceReader&) = delete;
  TraceReader& operator=(const TraceReader&) = delete;

  bool Next(Event* event);
  // Back to the first event.
  void Rewind();

  // The name of a type or call site that an event so far had; empty for 0.
  // Stays valid.
  std::string_view Name(NameSpace space, std::uint32_t number) const;

  const std::string& path() const;
  const std::map<std::string, std::string>& meta() const;
  // The value of a key, or `otherwise`.
  std::string Meta(const std::string& key, std::string otherwise = "") const;
  // The generation whose clone tells the addresses that are left out, or "".
  const std::string& packed() const;
  bool complete() const;
  // As the END block says; counted from block headers where there is none.
  const TraceTotals& totals() const;
  // 64 bits of hash over every EVENTS block's content, as 16 hex digits: equal
  // for equal event sequences, whatever the metadata.
  std::string ContentHash() const;

  // The heaps with which the trace begins: none unless it began in the middle
  // of its program. Throws InputError.
  std::vector<HeapImage> Heaps() const;
  // What lives in their blocks, one for each heap, or none at all where the
  // trace does not say. Throws InputError.
  std::vector<BlockTypes> Types(const std::vector<HeapImage>& heaps) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace arenalab
