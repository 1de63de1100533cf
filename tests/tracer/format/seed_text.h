// The seed of both fuzz targets: a text with every kind of line and column.
#pragma once

namespace arenalab {

inline constexpr char kSeedText[] =
    "meta python 3.11.2\n"
    "meta program python3 -c 'x = 1'\n"
    "arena+ 0x7f0000000000 1048576\n"
    "malloc 0 24 addr=0x7f0000000030\n"
    "calloc 1 1023 domain=libc thread=2 addr=0x5000 t=1000\n"
    "aligned 2 64 100 domain=raw state=3 depth=1 addr=0x9000\n"
    "malloc 3 7 domain=libc thread=1 addr=0x5000\n"
    "realloc 1 100 thread=2 addr=0x5101 lag=1\n"
    "realloc 4 8 addr=0x5200\n"
    "realloc 5 8 addr=0x5300 old=0x1230\n"
    "realloc 5 1099511627776 domain=mem addr=0x5300\n"
    "mark finalise t=2000\n"
    "mark \"two words \\\"\\\\\\x0a\"\n"
    "fork 0 4711\n"
    "memory 12345678\n"
    "free 1\n"
    "free 0\n"
    "free-unknown 0x40 domain=mem\n"
    "arena- 0x7f0000000000 1048576 thread=1\n"
    "end lost=3 waited=4\n";

inline constexpr char kSeedTextWithoutAddresses[] =
    "malloc 0 24\nmalloc 9 50 domain=raw\nrealloc 0 100 thread=1\nfree 9\n"
    "calloc 1 8 t=5\nfree 0\nincomplete\n";

}  // namespace arenalab
