// `--placements FILE`: where the model put every block, as text, for whoever
// wants to check it against another implementation.
//
//   EVENT ARENA OFFSET    request number EVENT got the block at OFFSET from the
//                         base of arena number ARENA (arenas count from 0, over
//                         the whole run)
//   EVENT raw             ... got a block from the second allocator
//   arena+ K, arena- K    arena number K was acquired, released
//
// An arena's line stands before the line of the request that caused it. A free
// prints no line of its own.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "tools/output/output_file.h"

namespace arenalab {

class PlacementsFile {
 public:
  // Replaces an existing file, at Close() (tools/output/output_file.h).
  // Throws InputError.
  explicit PlacementsFile(const std::string& path);
  // Removes what was not closed.
  ~PlacementsFile();
  PlacementsFile(const PlacementsFile&) = delete;
  PlacementsFile& operator=(const PlacementsFile&) = delete;

  void Block(std::uint64_t event, std::uint64_t arena, std::uint64_t offset);
  void Raw(std::uint64_t event);
  void ArenaAcquired(std::uint64_t arena);
  void ArenaReleased(std::uint64_t arena);
  // Throws InputError where not everything could be written.
  void Close();

 private:
  std::string path_;
  OutputFile output_;
  std::FILE* file_;
};

}  // namespace arenalab
