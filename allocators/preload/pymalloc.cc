// The clone of pymalloc under a real interpreter: the generation of that
// interpreter, or what ARENALAB_PYMALLOC says: a generation's name
// (`cpython-3.9`, `classic`) or settings as for `-a 'pymalloc{...}'`, which
// start from the interpreter's own geometry.
//
// WHERE MEMORY COMES FROM. Arenas from the interpreter's own arena allocator.
// What the clone does not serve goes to the interpreter's own pymalloc, which
// does not serve it either: it counts it (sys.getallocatedblocks) and passes it
// on to the raw domain. The same way every block is freed that the clone does
// not know: one that was there before it.
//
// THE ADDRESSES are to be those that the interpreter alone would have, modulo
// what decides them: the array of arena records and the radix tree's nodes are
// asked for when CPython asks, from where it asks; its root is static, as
// CPython's is; and this library lies where it shifts no other mapping
// (preload_library.bzl).
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "allocators/preload/heap_of_states.h"
#include "allocators/preload/taken_environment.h"
#include "allocators/preload/underlay.h"
#include "allocators/pymalloc/debug_malloc_stats.h"
#include "allocators/pymalloc/generation.h"
#include "allocators/pymalloc/heap_members.h"
#include "allocators/pymalloc/runtime_generation.h"

namespace arenalab::preload {
namespace {

constinit PythonApi python{};
constinit PythonAllocator native_object{};
constinit PythonAllocator native_raw{};
constinit ArenaAllocator native_arena{};
constinit char settings[1024]{};

// A policy of its own that pays (workloads/study/README.md), with constants as
// a generation has: the pages of a pool without a live block are given back.
struct FreePoolsGivenBack {
  static constexpr std::string_view kName = "cpython-3.11,madvise_free_pools:1";
  static constexpr GeometryValues kGeometry = Cpython311::kGeometry;
  static constexpr PolicyValues kPolicy = [] {
    PolicyValues policy = Cpython311::kPolicy;
    policy.discard_free_pools = true;
    return policy;
  }();
};

// What the chosen heap's type decides.
struct Functions {
  const char* (*start)();
  PythonAllocator allocator;
  void (*visit_statistics)(void (*)(std::int64_t, const Statistics&,
                                    const GeometryValues&, const PolicyValues&,
                                    void*),
                           bool current_only, void*);
  long (*live_blocks)();
  void (*expect_another)();
};
constinit Functions chosen{};

// CPython's own limit, in every version that is served.
constexpr std::size_t kNativeSmallBytes = 512;

// While the raw domain is asked on behalf of a large block of mem or obj.
bool serves_large = false;

ArenaSource Arenas() {
  return {nullptr,
          [](void*, std::size_t bytes) {
            return native_arena.alloc(native_arena.context, bytes);
          },
          [](void*, void* base, std::size_t bytes) {
            native_arena.free(native_arena.context, base, bytes);
          },
          [](void*, void* address, std::size_t bytes) {
            madvise(address, bytes, MADV_DONTNEED);
          }};
}

bool NativeServes(std::size_t bytes) {
  return bytes != 0 && bytes <= kNativeSmallBytes;
}

RawSource Large() {
  RawSource source{};
  source.allocate = [](void*, std::size_t bytes) {
    return NativeServes(bytes)
               ? native_raw.malloc(native_raw.context, bytes)
               : native_object.malloc(native_object.context, bytes);
  };
  source.allocate_zeroed = [](void*, std::size_t count, std::size_t bytes) {
    if (NativeServes(count * bytes)) {
      return native_raw.calloc(native_raw.context, count, bytes);
    }
    serves_large = true;
    void* block = native_object.calloc(native_object.context, count, bytes);
    serves_large = false;
    return block;
  };
  // CPython has no aligned requests.
  source.allocate_aligned = [](void*, std::size_t, std::size_t) -> void* {
    return nullptr;
  };
  source.reallocate = [](void*, void* block, std::size_t bytes) {
    return native_object.realloc(native_object.context, block, bytes);
  };
  source.free = [](void*, void* block) {
    native_object.free(native_object.context, block);
  };
  source.usable_size = [](void*, void*) { return std::size_t{0}; };
  return source;
}

// CPython's root of the radix tree is part of its static state.
constexpr std::size_t kRootBytes = std::size_t{1} << 18;
alignas(64) constinit unsigned char root[kRootBytes]{};
bool root_is_taken = false;

RawSource Tables() {
  RawSource source{};
  source.allocate = [](void*, std::size_t bytes) {
    return native_raw.malloc(native_raw.context, bytes);
  };
  source.allocate_zeroed = [](void*, std::size_t count, std::size_t bytes) {
    return native_raw.calloc(native_raw.context, count, bytes);
  };
  source.reallocate = [](void*, void* block, std::size_t bytes) {
    return native_raw.realloc(native_raw.context, block, bytes);
  };
  source.free = [](void*, void* block) {
    native_raw.free(native_raw.context, block);
  };
  return source;
}

// The tables of the main interpreter's heap, which is never destroyed.
RawSource MainTables() {
  RawSource source = Tables();
  source.allocate_zeroed = [](void*, std::size_t count,
                              std::size_t bytes) -> void* {
    // The first that is asked for is the root.
    if (!root_is_taken && count * bytes <= kRootBytes) {
      root_is_taken = true;
      return root;
    }
    return native_raw.calloc(native_raw.context, count, bytes);
  };
  return source;
}

template <class H>
struct Under {
  static constinit HeapOfStates<H> states;

  // Before 3.12 there is one heap, and the hooks' context is it.
  struct OnlyHeap {
    static H* Of(void* context) { return static_cast<H*>(context); }
  };
  struct HeapOfCaller {
    static H* Of(void*) { return states.Current(); }
  };

  // Flat: the heap's fast paths within the hook, as CPython's are within its
  // own function.
  template <class Which>
  struct Hooks {
    [[gnu::flatten]] static void* Malloc(void* context, std::size_t size) {
      return Which::Of(context)->Allocate(size);
    }
    static void* Calloc(void* context, std::size_t count, std::size_t size) {
      return Which::Of(context)->AllocateZeroed(count, size);
    }
    static void* Realloc(void* context, void* block, std::size_t size) {
      return Which::Of(context)->Reallocate(block, size);
    }
    [[gnu::flatten]] static void Free(void* context, void* block) {
      Which::Of(context)->Free(block);
    }
    static PythonAllocator Make(void* context) {
      return {context, Malloc, Calloc, Realloc, Free};
    }
  };

  static const char* Start() {
    if constexpr (requires { H::CheckSettings(settings); }) {
      const char* error = H::CheckSettings(settings);
      if (error != nullptr) return error;
    }
    const HeapOptions others{Arenas(), Large(), Tables(), settings};
    const HeapOptions first{Arenas(), Large(), MainTables(), settings};
    states.Start(python, first, others);
    const bool one =
        python.has_feature == nullptr && python.interpreter_config == nullptr;
    chosen.allocator = one ? Hooks<OnlyHeap>::Make(states.main())
                           : Hooks<HeapOfCaller>::Make(nullptr);
    chosen.expect_another = [] { states.ExpectAnother(); };
    chosen.live_blocks = [] {
      std::uint64_t live = 0;
      states.Visit([&](std::int64_t, H* heap) {
        heap->VisitArenas([&](const ArenaView& arena) {
          heap->VisitPools(
              arena, [&](const PoolHeader& pool) { live += pool.live_blocks; });
        });
      });
      return static_cast<long>(live);
    };
    chosen.visit_statistics = [](auto visit, bool current_only, void* context) {
      if (current_only) {
        H* heap = states.Current();
        visit(0, heap->ComputeStatistics(), heap->geometry(), heap->policy(),
              context);
        return;
      }
      states.Visit([&](std::int64_t id, H* heap) {
        visit(id, heap->ComputeStatistics(), heap->geometry(), heap->policy(),
              context);
      });
    };
    return nullptr;
  }
};

template <class H>
constinit HeapOfStates<H> Under<H>::states{};

// The step between size classes of the interpreter's own pymalloc. Only for
// versions of which the number does not tell it; they release the arena that
// this takes as soon as both blocks are free.
std::size_t NativeAlignment() {
  auto* a = static_cast<char*>(native_object.malloc(native_object.context, 1));
  auto* b = static_cast<char*>(native_object.malloc(native_object.context, 1));
  const auto step = static_cast<std::size_t>(b - a);
  native_object.free(native_object.context, b);
  native_object.free(native_object.context, a);
  return step;
}

// `cpython-3.12.1`, into `out`.
void OwnGeneration(char* out, std::size_t room) {
  const char* version = python.version();
  const std::size_t digits = strspn(version, "0123456789.");
  snprintf(out, room, "cpython-%.*s", static_cast<int>(digits), version);
  // pyenv's 3.6.15 has the 16-byte step of 3.7.4.
  if (VersionBegins(python, "3.6.") && NativeAlignment() == 16) {
    snprintf(out, room, "cpython-3.7.4");
  }
}

// ARENALAB_PYMALLOC, or nothing, into settings that name a geometry.
const char* ReadSettings(const char* text) {
  char own[64];
  OwnGeneration(own, sizeof(own));
  if (text == nullptr || *text == 0) {
    snprintf(settings, sizeof(settings), "geometry:%s", own);
  } else if (strlen(text) + sizeof(own) + 16 > sizeof(settings)) {
    return "ARENALAB_PYMALLOC is too long";
  } else if (strchr(text, ':') == nullptr) {
    snprintf(settings, sizeof(settings), "geometry:%s", text);
  } else if (strstr(text, "geometry:") != nullptr) {
    snprintf(settings, sizeof(settings), "%s", text);
  } else {
    snprintf(settings, sizeof(settings), "geometry:%s,%s", own, text);
  }
  if (strstr(settings, "lanes:") != nullptr &&
      strstr(settings, "lanes:none") == nullptr) {
    return "lanes: nothing is known of a request under an interpreter but its "
           "size";
  }
  return nullptr;
}

const char* Start(const Beneath& beneath) {
  python = beneath.python;
  native_object = beneath.domain[kObjectDomain];
  native_raw = beneath.domain[kRawDomain];
  native_arena = beneath.arena;
  const char* error = ReadSettings(Taken("ARENALAB_PYMALLOC"));
  if (error != nullptr) return error;
  HeapSettings values{};
  if (ReadHeapSettings(settings, &values) == nullptr &&
      values.geometry == FreePoolsGivenBack::kGeometry &&
      values.policy == FreePoolsGivenBack::kPolicy) {
    return Under<Heap<FreePoolsGivenBack>>::Start();
  }
  VisitHeapOfSettings(settings, [&]<class H>() { error = Under<H>::Start(); });
  return error;
}

// Interpreters, and states of their own, are asked for with calloc and are
// larger than anything else that is.
constexpr std::size_t kLeastStateBytes = std::size_t{64} << 10;

void* RawCalloc(void* context, std::size_t count, std::size_t size) {
  if (!serves_large && count * size >= kLeastStateBytes) {
    chosen.expect_another();
  }
  return native_raw.calloc(context, count, size);
}

PythonAllocator WatchedRaw(const Beneath& beneath) {
  PythonAllocator raw = beneath.domain[kRawDomain];
  if (python.has_feature != nullptr || python.interpreter_config != nullptr) {
    raw.calloc = RawCalloc;
  }
  return raw;
}

void PrintOne(std::int64_t id, const Statistics& statistics,
              const GeometryValues& geometry, const PolicyValues& policy,
              void* to) {
  auto* out = static_cast<FILE*>(to);
  if (id != 0) {
    fprintf(out, "interpreter %lld:\n", static_cast<long long>(id));
  }
  WriteDebugMallocStats(
      statistics, geometry, policy,
      [](void* file, const char* text, std::size_t bytes) {
        fwrite(text, 1, bytes, static_cast<FILE*>(file));
      },
      out);
}

void PrintStatistics(FILE* out) {
  const bool runs = IsInitialised(python) && !IsFinalising(python);
  chosen.visit_statistics(PrintOne, runs, out);
}

void Summarise(FILE* out) {
  struct Sum {
    std::uint64_t created = 0, live = 0, high_water = 0, held = 0, blocks = 0;
  } sum;
  chosen.visit_statistics(
      [](std::int64_t, const Statistics& statistics,
         const GeometryValues& geometry, const PolicyValues&, void* context) {
        auto* into = static_cast<Sum*>(context);
        into->created += statistics.arenas_created;
        into->live += statistics.arenas_live;
        into->high_water += statistics.arenas_high_water;
        into->held += statistics.arenas_live * geometry.arena_bytes;
        into->blocks += statistics.allocated_bytes;
      },
      false, &sum);
  const auto number = [](std::uint64_t n) {
    return static_cast<unsigned long long>(n);
  };
  fprintf(out,
          " settings=%s arenas_created=%llu arenas_high_water=%llu "
          "arenas_live=%llu held_bytes=%llu block_bytes=%llu",
          settings, number(sum.created), number(sum.high_water),
          number(sum.live), number(sum.held), number(sum.blocks));
}

}  // namespace

const Underlay underlay = {
    .name = "pymalloc",
    .raw_refusal =
        "the raw domain is asked without the interpreter's lock, and pymalloc "
        "has none of its own: scope mem+obj is all that it can serve",
    .frees_earlier_blocks = true,
    .start = Start,
    .allocator = [](Domain, const Beneath&) { return chosen.allocator; },
    .watched_raw = WatchedRaw,
    .unwatched = [] { chosen.expect_another(); },
    .live_blocks = [] { return chosen.live_blocks(); },
    .print_statistics = PrintStatistics,
    .summarise = Summarise,
};

}  // namespace arenalab::preload
