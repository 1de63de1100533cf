// See pack.h.
#include "tracer/format/pack.h"

#include <utility>
#include <vector>

#include "tracer/format/heap_image.h"
#include "tracer/format/name_copy.h"

namespace arenalab {
namespace {

// What is packed is kept, and read more often than written.
constexpr int kPackedLevel = 19;
constexpr unsigned kPackedWindowLog2 = 22;

}  // namespace

Packing PackingOf(const TraceReader& reader) {
  Packing packing;
  packing.options.compression_level = kPackedLevel;
  packing.options.window_log2 = kPackedWindowLog2;
  const std::string generation = reader.Meta("geometry");
  if (reader.Meta("allocator", "pymalloc") != "pymalloc" ||
      reader.Meta("addresses", "recorded") == "none" ||
      !reader.Meta("parent").empty() || !reader.Heaps().empty()) {
    return packing;
  }
  packing.options.predictor = MakePredictor(generation);
  if (packing.options.predictor != nullptr) packing.packed = generation;
  return packing;
}

void CopyTrace(TraceReader& reader, const std::string& packed,
               TraceWriter& writer) {
  for (const auto& [key, value] : reader.meta()) writer.Meta(key, value);
  if (!packed.empty()) writer.Meta(kPackedKey, packed);
  const std::vector<HeapImage> heaps = reader.Heaps();
  if (!heaps.empty()) writer.Heaps(heaps, reader.Types(heaps));
  reader.Rewind();
  NameCopy names(reader, writer);
  for (Event event; reader.Next(&event);) {
    names.Translate(&event);
    writer.Append(event);
  }
  if (reader.complete()) {
    writer.Finish(reader.totals().lost, reader.totals().waited_ns);
  } else {
    writer.Flush();
  }
  if (!writer.ok()) throw InputError(writer.error());
}

}  // namespace arenalab
