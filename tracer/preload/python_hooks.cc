// See python_hooks.h. Each hook makes the real call one level deeper, so that
// what the layers below do for it is known to be nested.
#include "tracer/preload/python_hooks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocators/interpreter/python_api.h"
#include "tracer/preload/attribution.h"
#include "tracer/preload/recorder.h"

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

// Of the state that the state stream is of, at depth 0.
bool Attributes() {
  return local.depth == 0 && (hot.state.state == 0 || CurrentState() == 0);
}

// kWatches: mem and obj events are counted, for PlanDumps, and attributed.
template <Layer kLayer, bool kWatches>
struct Hooks {
  static void* Malloc(void* context, std::size_t size) {
    const PythonAllocator& real = static_cast<Wrap*>(context)->saved;
    void* block;
    {
      Deeper deeper;
      block = real.malloc(real.context, size);
    }
    if (block != nullptr && Records()) {
      if (kWatches && Attributes()) NoteSite();
      RecordBlock<kLayer, EventKind::kAlloc>(block, size);
    }
    if (kWatches && block != nullptr) AfterStateEvent();
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
      if (kWatches && Attributes()) NoteSite();
      RecordBlock<kLayer, EventKind::kZeroed>(block, count * size);
    }
    if (kWatches && block != nullptr) AfterStateEvent();
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
    if (block != nullptr && records) {
      if (kWatches && Attributes()) NoteSite();
      RecordRealloc<kLayer>(old, block, size);
    }
    if (kWatches && block != nullptr) AfterStateEvent();
    return block;
  }

  static void Free(void* context, void* block) {
    const PythonAllocator& real = static_cast<Wrap*>(context)->saved;
    // Before the real call: after it, the address may be another's.
    if (block != nullptr && Records()) {
      std::uint32_t type = 0;
      if (kWatches && kLayer == Layer::kObject && Attributes()) {
        type = TypeOfFreed(block);
        ForgetCode(block);
      }
      RecordFree<kLayer>(block, type);
    }
    {
      Deeper deeper;
      real.free(real.context, block);
    }
    if (kWatches && block != nullptr) AfterStateEvent();
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
  LookForOtherTools(depth != 0);
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
  const char* name = AllocatorName(python, object);
  strncpy(settings.allocator, name, sizeof(settings.allocator) - 1);
  if (hot.header != nullptr) {
    memcpy(hot.header->allocator, settings.allocator,
           sizeof(settings.allocator));
  }
}

template <Layer kLayer>
PythonAllocator OurAllocator(Wrap* wrap) {
  if (kLayer != Layer::kRaw && settings.watches) {
    using Watching = Hooks<kLayer, true>;
    return {wrap, Watching::Malloc, Watching::Calloc, Watching::Realloc,
            Watching::Free};
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

}  // namespace

bool FindPython() {
  if (!FindPython(&python)) return false;
  settings.python = python.version();
  settings.starting =
      python.is_initialised != nullptr &&
      (VersionBegins(python, "3.6.") || VersionBegins(python, "3.7."));
  return !IsFreeThreaded(python);
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

// What asks ours in turn keeps its functions, mostly (as tracemalloc does)
// right where its context points.
void LookForOtherTools(bool within) {
  // 3.6 takes all hooks off at the end of its main.
  if (hot.header == nullptr || VersionBegins(python, "3.6.")) return;
  PythonAllocator top;
  python.get_allocator(kObjectDomain, &top);
  static PythonAllocator seen;
  if (IsOurs(kObjectDomain, top) || memcmp(&seen, &top, sizeof(top)) == 0) {
    return;
  }
  seen = top;
  PythonAllocator kept;
  const bool asks_ours =
      within || (ReadSafely(reinterpret_cast<std::uint64_t>(top.context), &kept,
                            sizeof(kept)) == sizeof(kept) &&
                 IsOurs(kObjectDomain, kept));
  if (asks_ours) {
    hot.header->tool_above.store(1);
  } else {
    hot.header->lost_hooks.fetch_add(1);
  }
}

void PlanDumps(const char* list) {
  while (list != nullptr && *list != 0 && plan.count < ring::kDumps) {
    const bool finalise = strncmp(list, "finalise", 8) == 0;
    plan.events[plan.count++] =
        finalise ? ring::kAtFinalise : strtoull(list, nullptr, 10);
    settings.dumps = settings.watches = true;
    list = strchr(list, ',');
    if (list != nullptr) ++list;
  }
}

void PlanAttribution() {
  // "3.11.2 ..."
  if (settings.types == ring::Reading::kOff &&
      settings.sites == ring::Reading::kOff) {
    return;
  }
  settings.watches = true;
  BeginAttribution(atoi(settings.python + 2));
}

std::uint32_t CurrentState() { return CurrentState(python); }

bool InterpreterIsInitialised() { return python.is_initialised() != 0; }

bool InterpreterIsFinalising() { return IsFinalising(python); }

}  // namespace arenalab::preload
