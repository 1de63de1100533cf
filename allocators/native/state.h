// The small-object allocator's state inside a running interpreter (3.12 and
// later), and how it is made as it was before the first request.
//
// The state begins with the heads of the used-pool lists and goes on with the
// arenas' bookkeeping (pycore_obmalloc.h of 3.12 and 3.13; 3.14 the same):
//
//   word   0 .. 63          used[2c], used[2c+1]: first and last pool with free
//                           blocks of class c; both "&used[2c] - 16" if none
//          64               arenas
//          65               maxarenas
//          66               unused_arena_objects
//          67               usable_arenas
//          68 .. 68+P       nfp2lasta, P pools in an arena
//          69+P             narenas_currently_allocated
//          70+P             ntimes_arena_allocated
//          71+P             narenas_highwater
//          72+P             raw_allocated_blocks
//          then             the radix tree of arena addresses
//
// Nobody exports its address. It is found in the writable data of the object
// that has PyObject_Malloc, as the place where all 32 lists hold together: each
// head is empty, or its first and last pool lie in a known arena and point
// back. The counters must then agree with the arenas that were counted, or
// nothing is touched.
//
// The radix tree stays as it is: it answers only for the start's arenas, whose
// blocks nobody frees any more, and for new arenas in entries of their own.
//
// After it the interpreter must not run again: it would free blocks that its
// allocator no longer knows. Threads: the one that holds the interpreter.
#pragma once

#include "allocators/native/arenas.h"

namespace arenalab {

// nullptr, or why it could not be done; then nothing was changed.
const char* ForgetStart(const NativeArenas& arenas, const void* code);

}  // namespace arenalab
