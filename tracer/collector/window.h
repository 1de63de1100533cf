// Which part of a run is recorded, and into how many files: the options of
// `arenalab record` that bound a recording.
//
//   process   ──────────┬───────────────┬───────────────┬──────►
//             not       │ app.trace     │ app.part2.    │ app.part3.trace
//             recorded  ▲ --from-mark   ▲ trace         ▲
//                       heap            heap            heap
//
// A file that begins in the middle of its program opens with the program's heap
// (TRACE_FORMAT.md, HEAP), read while it stands still, and is verified alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace arenalab {

struct Window {
  std::string from_mark;           // empty: from the beginning
  std::string until_mark;          // empty: to the end
  std::uint64_t duration_ns = 0;   // of the run, from its first file; 0: all
  std::uint64_t rotate_bytes = 0;  // a new file when one has so many; 0: never
  std::uint64_t rotate_ns = 0;     // or is so old
  std::size_t keep = 0;            // the last so many of a process; 0: all

  bool rotates() const { return rotate_bytes != 0 || rotate_ns != 0; }
  // Whether files may begin in the middle of their program.
  bool cuts() const { return rotates() || !from_mark.empty(); }
};

// "64M", "2G", "500K" into bytes, "90s", "10min", "2h" into nanoseconds. False
// for anything else, and for nothing at all.
bool ParseRotation(const std::string& text, Window* window);

// The path of a process's file number `part`, from 1: `app.part2.trace`.
std::string PartPath(std::string_view path, std::size_t part);

}  // namespace arenalab
