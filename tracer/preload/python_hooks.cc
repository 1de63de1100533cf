// See python_hooks.h. Each hook makes the real call one level deeper, so that
// what the layers below do for it is known to be nested.
#include "tracer/preload/python_hooks.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/preload/python_api.h"
#include "tracer/preload/recorder.h"

// The oldest version of dlsym, so that the library loads on older systems.
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");

extern "C" void __libc_free(void*);

namespace arenalab::preload {
namespace {

constinit PythonApi python{};

// One per allocator that a domain was found with; its address is the hooks'
// context. A wrap is never changed: what lies above it may hold on to it.
struct Wrap {
  PythonAllocator saved;
  Domain domain;
};
constexpr int kDomains = 3;
constexpr int kMaxWraps = 16 * kDomains;
constinit Wrap wraps[kMaxWraps]{};
int wrap_count = 0;
ArenaAllocator saved_arena;
PythonAllocator saved_object;  // what the last wrap of obj found

class Deeper {
 public:
  Deeper() { ++local.depth; }
  ~Deeper() { --local.depth; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;
};

void AfterStateEvent();

// kDumps: mem and obj events are counted, for PlanDumps.
template <Layer kLayer, bool kDumps>
struct Hooks {
  static void* Malloc(void* context, std::size_t size) {
    const PythonAllocator& real = static_cast<Wrap*>(context)->saved;
    void* block;
    {
      Deeper deeper;
      block = real.malloc(real.context, size);
    }
    if (block != nullptr && Records()) {
      RecordBlock<kLayer, EventKind::kAlloc>(block, size);
    }
    if (kDumps && block != nullptr) AfterStateEvent();
    return block;
  }

  static void* Calloc(void* context, std::size_t count, std::size_t size) {
    const PythonAllocator& real = static_cast<Wrap*>(context)->saved;
    void* block;
    {
      Deeper deeper;
      block = real.calloc(real.context, count, size);
    }
    // It succeeded, so the product does not overflow.
    if (block != nullptr && Records()) {
      RecordBlock<kLayer, EventKind::kZeroed>(block, count * size);
    }
    if (kDumps && block != nullptr) AfterStateEvent();
    return block;
  }

  static void* Realloc(void* context, void* old, std::size_t size) {
    const PythonAllocator& real = static_cast<Wrap*>(context)->saved;
    const bool records = Records();
    if (records && old != nullptr) RecordRelease<kLayer>();
    void* block;
    {
      Deeper deeper;
      block = real.realloc(real.context, old, size);
    }
    if (block != nullptr && records) RecordRealloc<kLayer>(old, block, size);
    if (kDumps && block != nullptr) AfterStateEvent();
    return block;
  }

  static void Free(void* context, void* block) {
    const PythonAllocator& real = static_cast<Wrap*>(context)->saved;
    // Before the real call: after it, the address may be another's.
    if (block != nullptr && Records()) RecordFree<kLayer>(block);
    {
      Deeper deeper;
      real.free(real.context, block);
    }
    if (kDumps && block != nullptr) AfterStateEvent();
  }
};

// pymalloc prints its statistics only while no hook sits on the object domain:
// so for one call the saved one is put back. Under the lock. Returns how many
// bytes it wrote, at most `most`.
std::uint32_t PrintStatistics(char* to, std::size_t most) {
  if (python.print_statistics == nullptr) return 0;
  char* text = nullptr;
  std::size_t bytes = 0;
  const std::uint32_t depth = local.depth;
  local.depth = kMuted;
  FILE* out = open_memstream(&text, &bytes);
  if (out != nullptr) {
    PythonAllocator ours;
    python.get_allocator(kObjectDomain, &ours);
    python.set_allocator(kObjectDomain, &saved_object);
    python.print_statistics(out);
    python.set_allocator(kObjectDomain, &ours);
    fclose(out);
    if (bytes > most) bytes = most;
    memcpy(to, text, bytes);
    __libc_free(text);
  }
  local.depth = depth;
  return static_cast<std::uint32_t>(bytes);
}

// Its statistics tell pymalloc's generation. We are inside it here: it asks for
// its first arena.
void KeepStatistics(ring::Header* header) {
  header->statistics_bytes.store(
      PrintStatistics(header->statistics, sizeof(header->statistics)));
}

struct DumpPlan {
  std::uint64_t events[ring::kDumps];
  std::size_t count;
  std::size_t taken;
  std::uint64_t passed;  // mem and obj events so far
};
constinit DumpPlan plan{};

void TakeDump(std::uint64_t event) {
  for (std::size_t i = 0; i < plan.count; ++i) {
    if (plan.events[i] != event || plan.taken == ring::kDumps) continue;
    ring::Dump& dump = hot.header->dumps[plan.taken++];
    dump.event = event;
    dump.bytes.store(PrintStatistics(dump.text, sizeof(dump.text)));
    return;
  }
}

// Behind the record and behind the real call.
void AfterStateEvent() {
  if (!settings.dumps || local.depth != 0 || hot.header == nullptr ||
      CurrentState() != 0) {
    return;
  }
  TakeDump(plan.passed++);
  if (TellFinalising()) TakeDump(ring::kAtFinalise);
}

void* ArenaAlloc(void*, std::size_t size) {
  void* base;
  {
    Deeper deeper;
    base = saved_arena.alloc(saved_arena.context, size);
  }
  if (base == nullptr) return nullptr;
  const std::uint32_t depth = local.depth;
  local.depth = 0;  // arena events have none
  // A state's first small request begins with this one.
  if (CurrentState() != 0) BeginManyStates();
  CheckFinalising();
  AppendState(
      ring::Pack(ring::Op::kArenaAcquire, reinterpret_cast<std::uint64_t>(base),
                 ring::kWideSize),
      {.wide_size = size});
  local.depth = depth;
  if (hot.header != nullptr && hot.header->statistics_bytes.load() == 0) {
    KeepStatistics(hot.header);
  }
  return base;
}

void ArenaFree(void*, void* base, std::size_t size) {
  const std::uint32_t depth = local.depth;
  local.depth = 0;
  CheckFinalising();
  AppendState(
      ring::Pack(ring::Op::kArenaRelease, reinterpret_cast<std::uint64_t>(base),
                 ring::kWideSize),
      {.wide_size = size});
  local.depth = depth;
  Deeper deeper;
  saved_arena.free(saved_arena.context, base, size);
}

// What stands beneath, in the interpreter's own word, asked before our hook is
// put on top. Not from the constructor: 3.12 needs its runtime for it. What
// stands there then is the default; pymalloc's statistics tell which.
void KeepAllocatorName(const PythonAllocator& object) {
  const char* name = nullptr;
  if (python.allocator_name != nullptr) {
    name = python.allocator_name();
  } else if (python.pymalloc_enabled != nullptr) {
    // 3.6 does not say whether its debug layer is there, the only one of its
    // allocators that has a context.
    name = object.context != nullptr   ? "pymalloc_debug"
           : python.pymalloc_enabled() ? "pymalloc"
                                       : "malloc";
  }
  if (name == nullptr) name = "unknown";
  strncpy(settings.allocator, name, sizeof(settings.allocator) - 1);
  if (hot.header != nullptr) {
    memcpy(hot.header->allocator, settings.allocator,
           sizeof(settings.allocator));
  }
}

template <Layer kLayer>
PythonAllocator OurAllocator(Wrap* wrap) {
  if (kLayer != Layer::kRaw && settings.dumps) {
    using Counting = Hooks<kLayer, true>;
    return {wrap, Counting::Malloc, Counting::Calloc, Counting::Realloc,
            Counting::Free};
  }
  using Plain = Hooks<kLayer, false>;
  return {wrap, Plain::Malloc, Plain::Calloc, Plain::Realloc, Plain::Free};
}

PythonAllocator OurAllocatorOf(Domain domain, Wrap* wrap) {
  switch (domain) {
    case kRawDomain:
      return OurAllocator<Layer::kRaw>(wrap);
    case kMemDomain:
      return OurAllocator<Layer::kMem>(wrap);
    default:
      return OurAllocator<Layer::kObject>(wrap);
  }
}

bool IsOurs(Domain domain, const PythonAllocator& allocator) {
  return allocator.malloc == OurAllocatorOf(domain, nullptr).malloc;
}

// nullptr where there are too many.
Wrap* WrapOf(Domain domain, const PythonAllocator& saved) {
  for (Wrap* wrap = wraps; wrap != wraps + wrap_count; ++wrap) {
    if (wrap->domain == domain &&
        memcmp(&wrap->saved, &saved, sizeof(saved)) == 0) {
      return wrap;
    }
  }
  if (wrap_count == kMaxWraps) return nullptr;
  wraps[wrap_count] = {saved, domain};
  return &wraps[wrap_count++];
}

template <typename Function>
void Find(Function* out, const char* name) {
  *out = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

// "3.6.1 ..." or later.
bool VersionIsServed(const char* version) {
  return strncmp(version, "3.", 2) == 0 && atoi(version + 2) >= 6;
}

}  // namespace

bool FindPython() {
  Find(&python.get_allocator, "PyMem_GetAllocator");
  Find(&python.set_allocator, "PyMem_SetAllocator");
  Find(&python.get_arena_allocator, "PyObject_GetArenaAllocator");
  Find(&python.set_arena_allocator, "PyObject_SetArenaAllocator");
  Find(&python.version, "Py_GetVersion");
  if (python.get_allocator == nullptr || python.set_allocator == nullptr ||
      python.get_arena_allocator == nullptr ||
      python.set_arena_allocator == nullptr || python.version == nullptr) {
    return false;
  }
  Find(&python.print_statistics, "_PyObject_DebugMallocStats");
  Find(&python.allocator_name, "_PyMem_GetCurrentAllocatorName");
  if (python.allocator_name == nullptr) {
    Find(&python.allocator_name, "_PyMem_GetAllocatorsName");  // 3.7
  }
  Find(&python.pymalloc_enabled, "_PyMem_PymallocEnabled");
  Find(&python.is_finalising, "Py_IsFinalizing");
  if (python.is_finalising == nullptr) {
    Find(&python.is_finalising, "_Py_IsFinalizing");
  }
  Find(&python.finalising, "_Py_Finalizing");
  Find(&python.thread_state, "PyThreadState_GetUnchecked");
  if (python.thread_state == nullptr) {
    Find(&python.thread_state, "_PyThreadState_UncheckedGet");  // 3.12
  }
  Find(&python.interpreter_of, "PyThreadState_GetInterpreter");
  Find(&python.interpreter_id, "PyInterpreterState_GetID");
  Find(&python.has_feature, "_PyInterpreterState_HasFeature");
  Find(&python.interpreter_config, "_PyInterpreterConfig_InitFromState");
  Find(&python.is_initialised, "Py_IsInitialized");
  settings.python = python.version();
  settings.starting = python.is_initialised != nullptr &&
                      (strncmp(settings.python, "3.6.", 4) == 0 ||
                       strncmp(settings.python, "3.7.", 4) == 0);
  return VersionIsServed(settings.python) &&
         strstr(settings.python, "free-threading") == nullptr;
}

void WrapAllocators() {
  PythonAllocator current[kDomains];
  int foreign = 0;
  for (int domain = 0; domain < kDomains; ++domain) {
    python.get_allocator(static_cast<Domain>(domain), &current[domain]);
    foreign += IsOurs(static_cast<Domain>(domain), current[domain]) ? 0 : 1;
  }
  // CPython swaps single domains for a moment now and then; all three at once
  // is a choice.
  if (foreign == kDomains && wrap_count > 0) {
    KeepAllocatorName(current[kObjectDomain]);
    // 3.7 allocates before it does so; what it did between then and now passed
    // by the hooks.
    if (hot.header != nullptr &&
        hot.header->streams[ring::kStateStream].published.load() != 0) {
      hot.header->lost_hooks.fetch_add(1);
    }
  }
  for (int i = 0; foreign != 0 && i < kDomains; ++i) {
    const auto domain = static_cast<Domain>(i);
    if (IsOurs(domain, current[i])) continue;
    Wrap* wrap = WrapOf(domain, current[i]);
    if (wrap == nullptr) {
      if (hot.header != nullptr) hot.header->lost_hooks.fetch_add(1);
      continue;
    }
    if (domain == kObjectDomain) saved_object = current[i];
    PythonAllocator ours = OurAllocatorOf(domain, wrap);
    python.set_allocator(domain, &ours);
  }
  ArenaAllocator arena;
  python.get_arena_allocator(&arena);
  if (arena.alloc != ArenaAlloc) {
    saved_arena = arena;
    arena = {nullptr, ArenaAlloc, ArenaFree};
    python.set_arena_allocator(&arena);
  }
}

void PlanDumps(const char* list) {
  while (list != nullptr && *list != 0 && plan.count < ring::kDumps) {
    const bool finalise = strncmp(list, "finalise", 8) == 0;
    plan.events[plan.count++] =
        finalise ? ring::kAtFinalise : strtoull(list, nullptr, 10);
    settings.dumps = true;
    list = strchr(list, ',');
    if (list != nullptr) ++list;
  }
}

std::uint32_t CurrentState() {
  // Neither: before 3.12, where all share one.
  if (python.has_feature == nullptr && python.interpreter_config == nullptr) {
    return 0;
  }
  void* const thread = python.thread_state();
  if (thread == nullptr) return 0;
  void* const interpreter = python.interpreter_of(thread);
  const std::int64_t id = python.interpreter_id(interpreter);
  if (id <= 0) return 0;
  if (python.has_feature != nullptr) {
    return python.has_feature(interpreter, kUseMainObmalloc)
               ? 0
               : static_cast<std::uint32_t>(id);
  }
  InterpreterConfig config{};
  if (python.interpreter_config(&config, interpreter) != 0) return 0;
  return config.use_main_obmalloc ? 0 : static_cast<std::uint32_t>(id);
}

bool InterpreterIsInitialised() { return python.is_initialised() != 0; }

bool InterpreterIsFinalising() {
  if (python.is_finalising != nullptr) return python.is_finalising() != 0;
  return python.finalising != nullptr && *python.finalising != nullptr;
}

}  // namespace arenalab::preload
