// A trace without the words of whoever recorded it: what may go with a public
// bug report. Every number stays as it is.
//
// Names are numbered, not hashed: a hash of a guessable name gives it away.
//
//   metadata   only the keys that describe machine and recording stay (python,
//              geometry, allocator, pointer-bits, page-bytes, addresses,
//              layers, tool); of `parent` the file's name is removed, so that a
//              child cannot be verified any more
//   marks      `finalise` stays; others become mark-1, mark-2, … in order of
//              first appearance
//   types      those of the interpreter (int, dict, ...) stay; others become
//              type-1, type-2, ...
//   sites      become site-1, site-2, ...: no path, line or function
//   forks      a child's name becomes child-N, N the fork's number
//
// Sizes, addresses, threads and times stay: they are the trace. A program that
// encodes a secret in the sizes it asks for is beyond this.
#pragma once

#include "tracer/format/trace_reader.h"
#include "tracer/format/trace_writer.h"

namespace arenalab {

// Calls Finish(), unless the trace has no end itself. Throws InputError.
// One thread; memory: a block and the distinct names of marks.
void Anonymise(TraceReader& reader, TraceWriter& writer);

}  // namespace arenalab
