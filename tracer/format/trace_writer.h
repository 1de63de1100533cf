// Writes a .trace file (../TRACE_FORMAT.md) from events in their order.
//
// ERRORS. A write that fails (disk full, file-size limit) is remembered: ok()
// turns false with the reason in error(), later calls do nothing, and the file
// has no END mark, so that it is never taken for whole. Nothing throws: the
// collector must go on serving the program.
// THREADS. One writer, one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tracer/event.h"
#include "tracer/format/address_predictor.h"
#include "tracer/plain_requests.h"

namespace arenalab {

struct BlockTypes;  // heap_image.h
struct HeapImage;

struct TraceWriterOptions {
  int compression_level = 1;  // zstd's; 1: it runs beside the traced program
  // Births that a death may name. 13: what the writer keeps of them stays in a
  // processor's own cache, and a longer one saves little (README.md).
  unsigned window_log2 = 13;
  // Leaves out what it tells; then metadata must say so (kPackedKey).
  std::unique_ptr<AddressPredictor> predictor;
};

class TraceWriter {
 public:
  // Creates the file; with `exclusive`, one that exists is an error. "-" is
  // standard output.
  TraceWriter(const std::string& path, bool exclusive,
              TraceWriterOptions options = {});
  // Flushes what is buffered, without the END mark.
  ~TraceWriter();
  TraceWriter(const TraceWriter&) = delete;
  TraceWriter& operator=(const TraceWriter&) = delete;

  void Meta(std::string_view key, std::string_view value);
  // The heaps with which the trace begins, and unless it is empty, what lives
  // in the blocks of each. REQUIRES: before the first event, once.
  void Heaps(const std::vector<HeapImage>& heaps,
             const std::vector<BlockTypes>& types);
  // pymalloc's, 8 or 16, once it is known: a better guess at its size classes.
  void SetAlignment(int bytes);
  // The number that a type or call site has in the events of this trace.
  std::uint32_t Intern(NameSpace space, std::string_view name);
  // thread, state and time_ns are compared with the last event's and written
  // where they changed; `request` is ignored and counted here. type and site
  // are numbers of Intern().
  void Append(const Event& event);
  // The same of the plain requests with which a row begins; some, or none, may
  // be left for the next call, or for Append.
  PlainTaken AppendPlain(const PlainRequests& plain);
  // Writes the buffered block out, so that a reader sees it.
  void Flush();
  // Flush, END mark, close.
  void Finish(std::uint64_t lost, std::uint64_t waited_ns);

  std::uint64_t requests() const;
  // Written so far.
  std::uint64_t bytes() const;
  bool ok() const;
  const std::string& error() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace arenalab
