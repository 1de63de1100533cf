// Where a program's mappings end when its first instruction runs: the address
// below which the kernel puts the next one.
//
// WHY. Where an arena lies modulo the pool size decides how many pools it has.
// For one preloaded library more the dynamic linker maps a page or so more for
// its own books, and all that follows is shifted. With address randomisation
// off the shift is the same in each run: it is measured once, and the library
// maps so many pages that all lies as without it, modulo 2 MiB
// (ARENALAB_SHIFT_PAGES, allocators/preload).
//
// The program is started twice under ptrace and killed before its first
// instruction; constructors have run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/exec/arm.h"

namespace arenalab {

// nullopt: it cannot be started, or ptrace is forbidden.
std::optional<std::uint64_t> MappingFrontier(
    const Arm& arm, const std::vector<std::string>& command);

// `BYTES@ADDRESS`, what is to be mapped below where, or "": nothing to even
// out, it cannot be told, or addresses are randomised anyway.
std::string ShiftFor(const Arm& arm, const std::vector<std::string>& command);

}  // namespace arenalab
