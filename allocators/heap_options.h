// What a heap is made from. Every allocator is constructed from one of these
// and takes from it what concerns it.
#pragma once

#include <string_view>

#include "allocators/arena_source.h"

namespace arenalab {

struct HeapOptions {
  ArenaSource arena_source = MmapArenaSource();
  RawSource raw_source = LibcRawSource();
  // The heap's own tables. CPython takes them from the raw domain too; apart
  // here, so that a model whose raw blocks are made up still has real tables.
  RawSource metadata_source = LibcRawSource();
  // The part in braces of `-a 'name{key:value,key:value}'`, without the braces.
  // What it may hold is each allocator's own; each checks it before the heap
  // is made (CheckSettings). Must outlive the construction only.
  std::string_view settings;
};

}  // namespace arenalab
