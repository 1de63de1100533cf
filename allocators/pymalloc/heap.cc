// Every generation's heap, compiled once.
#include "allocators/pymalloc/generation.h"
#include "allocators/pymalloc/heap_members.h"
#include "allocators/pymalloc/runtime_generation.h"

namespace arenalab {

template class Heap<Cpython23>;
template class Heap<Cpython242>;
template class Heap<Cpython25>;
template class Heap<Classic>;
template class Heap<Cpython374>;
template class Heap<Cpython38>;
template class Heap<Cpython39>;
template class Heap<Cpython310>;
template class Heap<Cpython311>;
template class Heap<Cpython315HugePages>;
template class Heap<RuntimeGeneration>;

static_assert(Allocator<Heap<Classic>>);
static_assert(Allocator<Heap<Cpython311>>);
static_assert(Allocator<Heap<RuntimeGeneration>>);

}  // namespace arenalab
