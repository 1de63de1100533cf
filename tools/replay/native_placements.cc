// The worker's log beside the steps of the trace; contract in
// native_placements.h.
#include "tools/replay/native_placements.h"

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "allocators/native/placement_log.h"
#include "tools/replay/measure.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

// A file name of this process' own that is gone at the end.
class TemporaryPath {
 public:
  TemporaryPath()
      : path_(std::filesystem::temp_directory_path() /
              ("arenalab." + std::to_string(getpid()) + ".placements")) {}
  ~TemporaryPath() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  TemporaryPath(const TemporaryPath&) = delete;
  TemporaryPath& operator=(const TemporaryPath&) = delete;
  std::string string() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

// Writes the arenas' lines up to the next block; false at the log's end.
bool NextBlock(std::istream& log, PlacementsFile* file, std::uint64_t* word) {
  while (log.read(reinterpret_cast<char*>(word), sizeof(*word))) {
    switch (KindOfPlacement(*word)) {
      case PlacementKind::kAcquired:
        file->ArenaAcquired(ArenaOfPlacement(*word));
        break;
      case PlacementKind::kReleased:
        file->ArenaReleased(ArenaOfPlacement(*word));
        break;
      case PlacementKind::kBlock:
      case PlacementKind::kRaw:
        return true;
    }
  }
  return false;
}

}  // namespace

void WriteNativePlacements(AllocatorSpec spec, const CompiledTrace& trace,
                           PlacementsFile* file) {
  const TemporaryPath path;
  spec.environment.push_back(std::string(kPlacementLogVariable) + "=" +
                             path.string());
  CheckReplay(spec,
              {.fd = trace.ops.fd(),
               .ops = trace.ops.ops().size(),
               .slots = trace.slots},
              {});
  std::ifstream log(path.string(), std::ios::binary);
  StepCursor cursor(trace);
  Step step;
  std::uint64_t word = 0;
  while (cursor.Next(&step)) {
    if (step.code == OpCode::kFree) continue;
    if (!NextBlock(log, file, &word)) {
      throw InputError("allocator '" + spec.spelled +
                       "': its log of placements ends early, at request " +
                       std::to_string(cursor.request() - 1));
    }
    if (cursor.steps() <= trace.inherited_steps) continue;  // have no number
    const std::uint64_t event = cursor.request() - 1;
    if (KindOfPlacement(word) == PlacementKind::kRaw) {
      file->Raw(event);
    } else {
      file->Block(event, ArenaOfPlacement(word), OffsetOfPlacement(word));
    }
  }
  NextBlock(log, file, &word);  // what the last frees released
}

}  // namespace arenalab
