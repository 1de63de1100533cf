// From events to ops.
#include "tools/replay/compile.h"

#include <algorithm>
#include <bit>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "tracer/call_site.h"
#include "tracer/format/object_table.h"

namespace arenalab {
namespace {

constexpr std::pair<Scope, std::string_view> kScopeNames[] = {
    {Scope::kPython, "python"},
    {Scope::kPythonAndRaw, "python+raw"},
    {Scope::kProcess, "process"},
};

bool InScope(const Event& event, Scope scope) {
  if (event.depth > 0) return false;
  switch (event.layer) {
    case Layer::kMem:
    case Layer::kObject:
      return true;
    case Layer::kRaw:
      return scope != Scope::kPython;
    case Layer::kLibc:
      return scope == Scope::kProcess;
  }
  return false;
}

class Compiler {
 public:
  explicit Compiler(Scope scope) { out_.scope = scope; }

  void Take(const Event& event) {
    out_.threads = std::max(out_.threads, event.thread + 1);
    out_.states = std::max(out_.states, event.state + 1);
    out_.duration_ns =
        std::max(out_.duration_ns, clock_base_ns_ + event.time_ns);
    if (IsRequest(event.kind)) {
      ++out_.requests;
      ++out_.by_kind[static_cast<std::size_t>(event.kind)];
      ++out_.by_layer[static_cast<std::size_t>(event.layer)];
      if (!InScope(event, out_.scope) || !TakeRequest(event)) ++gap_;
    } else if (event.kind == EventKind::kArenaAcquire) {
      out_.arenas.push_back({event.address, event.size_bytes});
    } else if (event.kind == EventKind::kMemory) {
      out_.memory.push_back({out_.steps, event.rss_bytes});
    } else if (event.kind == EventKind::kMark) {
      out_.marks.push_back({std::string(event.name), out_.steps});
    } else if (event.kind == EventKind::kHeld) {
      TakeType(objects_.Identify(event).object, event);
    }
  }

  // What has been taken so far is what the child inherits.
  void Fork() {
    out_.requests = 0;
    out_.by_kind = {};
    out_.by_layer = {};
    out_.threads = 0;
    out_.states = 0;
    out_.marks = {{"fork", out_.steps}};
    out_.memory.clear();  // the parent's
    out_.inherited_steps = out_.steps;
    // The parent's names are numbered otherwise.
    out_.types.clear();
    out_.sites.clear();
    out_.owners.clear();
    gap_ = 0;
    clock_base_ns_ = out_.duration_ns;
  }

  CompiledTrace Finish() {
    out_.ops.Append(MakeOp(OpCode::kEnd, 0, 0));
    out_.ops.Seal();
    out_.slots = objects_.high_water();
    if (!out_.types.empty()) out_.types.resize(out_.steps);
    if (!out_.sites.empty()) out_.sites.resize(out_.steps);
    if (!out_.owners.empty()) out_.owners.resize(out_.steps);
    out_.double_allocations = objects_.unexplained();
    return std::move(out_);
  }

 private:
  // False where the request compiles to nothing.
  bool TakeRequest(const Event& event) {
    const Identified identified = objects_.Identify(event);
    if (identified.object == kNoObject) {
      ++out_.unknown_frees;
      return false;
    }
    TakeTime(clock_base_ns_ + event.time_ns);
    OpCode code = static_cast<OpCode>(event.kind);
    if (event.kind == EventKind::kRealloc &&
        (event.old_address == 0 || identified.unknown_old)) {
      // realloc(NULL), or of a block older than the trace: an allocation.
      code = OpCode::kAlloc;
      out_.unknown_reallocs += identified.unknown_old;
    }
    const bool foreign =
        event.layer == Layer::kRaw || event.layer == Layer::kLibc;
    AppendNote(foreign);
    AppendOrigin(event);
    AppendOp(code, identified.object, event);
    NoteLife(code, identified.object, event);
    ++out_.steps;
    return true;
  }

  // A type is known when the object is given up, and is that of the steps that
  // made it.
  void NoteLife(OpCode code, std::uint32_t object, const Event& event) {
    if (event.site != 0) Put(&out_.sites, out_.steps, event.site);
    if (code == OpCode::kFree) return TakeType(object, event);
    if (object >= lives_.size()) lives_.resize(std::size_t{object} * 2 + 1);
    Life& life = lives_[object];
    life.last_step = out_.steps;
    if (code != OpCode::kRealloc) {
      life.first_step = out_.steps;
      life.born = event.request;
    }
    if (event.type != 0) TakeType(object, event);
  }

  void TakeType(std::uint32_t object, const Event& event) {
    if (event.type == 0 || object >= lives_.size()) return;
    const Life& life = lives_[object];
    if (event.kind == EventKind::kHeld &&
        (event.lag > event.request || life.born >= event.request - event.lag)) {
      return;  // somebody else lived there when it was looked at
    }
    Put(&out_.types, life.first_step, event.type);
    Put(&out_.types, life.last_step, event.type);
    if (event.kind != EventKind::kHeld) return;
    const auto owner =
        static_cast<std::uint8_t>(1 + static_cast<std::uint8_t>(event.owner));
    Put(&out_.owners, life.first_step, owner);
    Put(&out_.owners, life.last_step, owner);
  }

  template <class Number>
  static void Put(std::vector<Number>* numbers, std::uint64_t step,
                  Number number) {
    if (step >= numbers->size()) numbers->resize(step + 1);
    (*numbers)[step] = number;
  }

  void TakeTime(std::uint64_t time_ns) {
    std::uint64_t now_ms = time_ns / 1'000'000;
    while (now_ms > clock_ms_) {
      const std::uint64_t tick =
          std::min<std::uint64_t>(now_ms - clock_ms_, kWideSize - 1);
      out_.ops.Append(
          MakeOp(OpCode::kClock, 0, static_cast<std::uint32_t>(tick)));
      clock_ms_ += tick;
    }
  }

  void AppendNote(bool foreign) {
    std::uint64_t gap = std::exchange(gap_, 0);
    if (gap >= CompiledTrace::kFarGap) {
      out_.far_gaps.push_back(gap);
      gap = CompiledTrace::kFarGap;
    }
    out_.notes.push_back(static_cast<std::uint8_t>(gap << 1 | foreign));
  }

  void AppendOrigin(const Event& event) {
    out_.in_object_domain.push_back(event.layer == Layer::kObject);
    if (out_.origins.empty() || out_.origins.back().thread != event.thread ||
        out_.origins.back().state != event.state) {
      out_.origins.push_back({out_.steps, event.thread, event.state});
    }
  }

  void AppendOp(OpCode code, std::uint32_t slot, const Event& event) {
    const std::uint64_t size =
        event.kind == EventKind::kFree ? 0 : event.size_bytes;
    const bool wide = size >= kWideSize;
    out_.ops.Append(MakeOp(
        code, slot, wide ? kWideSize : static_cast<std::uint32_t>(size)));
    if (wide) out_.ops.Append(std::bit_cast<Op>(size));
    if (code == OpCode::kAligned) {
      out_.ops.Append(Op{
          static_cast<std::uint32_t>(std::countr_zero(event.align_bytes)), 0});
    }
  }

  struct Life {
    std::uint64_t first_step = 0;  // that made the object
    std::uint64_t last_step = 0;   // that moved it last
    std::uint64_t born = 0;        // request
  };

  CompiledTrace out_;
  ObjectTable objects_;
  std::vector<Life> lives_;  // by object
  std::uint64_t gap_ = 0;
  std::uint64_t clock_ms_ = 0;
  // Each file's time begins at 0; the child's goes on where the parent's was.
  std::uint64_t clock_base_ns_ = 0;
};

void TakeUntilFork(const Inheritance& ancestor, Compiler* compiler) {
  TraceReader reader(ancestor.path);
  for (Event event; reader.Next(&event);) {
    compiler->Take(event);
    if (event.kind == EventKind::kFork && event.number == ancestor.fork) {
      compiler->Fork();
      return;
    }
  }
  throw InputError(ancestor.path + ": has no fork number " +
                   std::to_string(ancestor.fork) +
                   ", from which the trace says that it begins");
}

// By number, as far as `numbers` go; empty where there are none.
std::vector<std::string> NamesOf(const TraceReader& reader, NameSpace space,
                                 const std::vector<std::uint32_t>& numbers) {
  std::vector<std::string> names;
  if (numbers.empty()) return names;
  const std::uint32_t last = *std::max_element(numbers.begin(), numbers.end());
  for (std::uint32_t number = 0; number <= last; ++number) {
    names.emplace_back(reader.Name(space, number));
  }
  return names;
}

// Of sites that are whole stacks, the innermost frames: all that is shown by
// call site is shown by these.
void FoldStacks(CompiledTrace* trace) {
  std::unordered_map<std::string_view, std::uint32_t> number_of;
  std::vector<std::string> leaves;
  std::vector<std::uint32_t> leaf_of;
  for (const std::string& name : trace->site_names) {
    const auto next = static_cast<std::uint32_t>(leaves.size());
    const auto [found, is_new] = number_of.try_emplace(LeafOf(name), next);
    if (is_new) leaves.emplace_back(found->first);
    leaf_of.push_back(found->second);
  }
  for (std::uint32_t& site : trace->sites) site = leaf_of[site];
  trace->site_names = std::move(leaves);
}

// How many Ops the step or tick at `op` takes.
std::size_t LengthOf(const Op* op) {
  const OpCode code = CodeOf(*op);
  if (code == OpCode::kClock || code == OpCode::kEnd) return 1;
  return 1 + (SizeOf(*op) == kWideSize) + (code == OpCode::kAligned);
}

}  // namespace

std::string_view ScopeName(Scope scope) {
  for (const auto& [value, name] : kScopeNames) {
    if (value == scope) return name;
  }
  return "";
}

std::optional<Scope> ScopeNamed(std::string_view name) {
  for (const auto& [value, known] : kScopeNames) {
    if (known == name) return value;
  }
  return std::nullopt;
}

CompiledTrace Compile(TraceReader& reader, Scope scope,
                      const std::vector<Inheritance>& ancestors) {
  Compiler compiler(scope);
  for (const Inheritance& ancestor : ancestors) {
    TakeUntilFork(ancestor, &compiler);
  }
  reader.Rewind();
  Event event;
  while (reader.Next(&event)) compiler.Take(event);
  CompiledTrace trace = compiler.Finish();
  trace.type_names = NamesOf(reader, NameSpace::kType, trace.types);
  trace.site_names = NamesOf(reader, NameSpace::kSite, trace.sites);
  FoldStacks(&trace);
  return trace;
}

OpFile WithSamples(const CompiledTrace& trace,
                   const std::vector<std::uint64_t>& sample_steps) {
  OpFile out;
  std::uint64_t steps = 0;
  std::size_t sample = 0;
  const Op* op = trace.ops.ops().data();
  for (;;) {
    while (sample < sample_steps.size() && sample_steps[sample] == steps) {
      out.Append(
          MakeOp(OpCode::kSample, static_cast<std::uint32_t>(sample), 0));
      ++sample;
    }
    const std::size_t length = LengthOf(op);
    // A tick belongs to the step after it: it passes no step.
    steps += CodeOf(*op) != OpCode::kClock;
    const bool end = CodeOf(*op) == OpCode::kEnd;
    for (std::size_t i = 0; i < length; ++i) out.Append(*op++);
    if (end) break;
  }
  out.Seal();
  return out;
}

}  // namespace arenalab
