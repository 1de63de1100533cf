// The text form of a trace (../TRACE_FORMAT.md, "The text form"): one line an
// event, objects named by their ObjectTable numbers. dump -> import -> dump is
// the identity, byte for byte.
//
// One thread. Memory: a block, a line, and what is proportional to the live
// objects. Both throw InputError; import names path and line.
#pragma once

#include <cstdio>
#include <iosfwd>
#include <string>

#include "tracer/format/trace_reader.h"
#include "tracer/format/trace_writer.h"

namespace arenalab {

// From the first event on. A failing write to `out` throws too.
void DumpText(TraceReader& reader, std::FILE* out);

// `name` stands for the text in messages. Calls writer.Finish(), unless the
// text says that the trace is incomplete; then the file has no END mark either.
// A text that is rejected leaves an unfinished file behind: the caller's to
// remove.
void ImportText(std::istream& text, const std::string& name,
                TraceWriter& writer);

}  // namespace arenalab
