// `-a native:/path/to/python`: the allocator of a real CPython, run inside it
// (allocators/native/heap.h). The path is an interpreter's or a libpython's.
//
//   -a native:/usr/bin/python3
//   -a native:./build/python                     a build of one's own
//   -a 'native:/opt/lib/libpython3.13.so{PYTHONMALLOC:mimalloc}'
//
// Errors: InputError, one line: no such file, a script instead of a program, an
// unknown setting. Whether it is a CPython that can be driven, its worker says
// (ProbeAllocator). Threads: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/replay/allocator_spec.h"

namespace arenalab {

inline constexpr std::string_view kNativePrefix = "native:";

// `host` is any worker program of the registry: a libpython is preloaded into
// it, and the worker to preload lies beside it.
AllocatorSpec ParseNativeSpec(std::string_view text, const std::string& host);

// The interpreter's arenas in turn get these bases modulo the pool size, as the
// model's do (ModelOptions::arena_offsets). Throws where one is no multiple of
// the 4 KiB page below ten, or there are more than an environment can carry.
void PlaceNativeArenas(const std::vector<std::size_t>& offsets,
                       AllocatorSpec* spec);

// The release of an interpreter's version text, as geometries are named:
// "3.11.7 (main, ...)" -> "cpython-3.11.7"; "" where it is none.
std::string GeometryNameOfVersion(std::string_view version);

}  // namespace arenalab
