// The loop over the steps, and what is kept beside each slot.
#include "tools/replay/model.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>

#include "allocators/pymalloc/runtime_generation.h"
#include "tools/replay/arena_region.h"
#include "tools/replay/committed.h"
#include "tools/replay/hints.h"
#include "tools/replay/pool_map.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

// Stands for every raw block: one address that is in no arena, in the middle of
// a piece of readable and writable zeros, for the heap looks at the words
// around a foreign block (the address test before 3.10) and copies up to
// max_small_bytes into a block that grew (Reallocate).
class MadeUpRawBlocks {
 public:
  MadeUpRawBlocks() : memory_(new Memory) {}

  void* block() { return memory_->page + kBlockOffset; }

  RawSource source() {
    return {this,
            [](void* self, std::size_t) { return Self(self)->block(); },
            [](void* self, std::size_t, std::size_t) {
              return Self(self)->block();
            },
            [](void* self, std::size_t, std::size_t) {
              return Self(self)->block();
            },
            [](void*, void* p, std::size_t) { return p; },
            [](void*, void*) {},
            [](void*, void*) -> std::size_t { return 0; }};
  }

 private:
  static constexpr std::size_t kBytes = 4096;
  static constexpr std::size_t kBlockOffset = kBytes / 2;
  struct Memory {
    alignas(kBytes) unsigned char page[kBytes] = {};
  };
  static MadeUpRawBlocks* Self(void* context) {
    return static_cast<MadeUpRawBlocks*>(context);
  }
  std::unique_ptr<Memory> memory_;
};

[[noreturn]] void Broken(const char* what, std::uint64_t sample,
                         std::uint64_t expected, std::uint64_t found) {
  std::fprintf(stderr,
               "model: %s at sample %llu: %llu by the events, %llu by the "
               "heap\n",
               what, static_cast<unsigned long long>(sample),
               static_cast<unsigned long long>(expected),
               static_cast<unsigned long long>(found));
  std::abort();
}

template <class HeapT>
class Model : public ArenaListener {
 public:
  Model(const CompiledTrace& trace, const Samples& samples,
        const ModelOptions& options, std::string_view settings,
        const HeapSettings& values)
      : trace_(trace),
        wanted_(samples),
        placements_(options.placements),
        geometry_(values.geometry),
        region_(geometry_.arena_bytes, options.arena_offsets, this),
        committed_(region_, options.page_bytes),
        page_bytes_(options.page_bytes),
        mesh_(options.mesh),
        map_(geometry_, region_, samples.timeline.steps.size(),
             options.map_budget_bytes),
        example_sample_(
            samples.moments.last_valley().value_or(samples.moments.peak)),
        has_lanes_(values.policy.lanes != LaneChoice::kNone),
        cursor_(trace),
        hints_(trace, values.policy.lanes == LaneChoice::kLifetime),
        slots_(trace.slots),
        used_blocks_(geometry_.classes),
        most_used_blocks_(geometry_.classes) {
    HeapOptions heap_options;
    if (options.most_objects > 0) {
      std::vector<std::size_t> moments = samples.moments.valleys;
      moments.push_back(samples.moments.peak);
      moments.push_back(samples.moments.end);
      objects_.emplace(geometry_, region_, trace.slots, std::move(moments),
                       options.most_objects);
    }
    heap_options.arena_source = region_.source();
    heap_options.raw_source = raw_.source();
    heap_options.settings = settings;
    heap_.emplace(heap_options);
  }

  ModelRun Run() {
    Step step;
    for (const std::uint64_t until : wanted_.timeline.steps) {
      while (cursor_.steps() < until && cursor_.Next(&step)) Take(step);
      TakeSample();
    }
    run_.geometry = geometry_;
    run_.arenas_created = region_.created();
    run_.arenas_released = region_.released();
    run_.arenas_high_water = region_.high_water();
    for (std::size_t c = 0; c < geometry_.classes; ++c) {
      run_.segregation_bytes += most_used_blocks_[c] * BlockSize(geometry_, c);
    }
    run_.retention = watch_.Finish(cursor_.request());
    run_.map = map_.Encode();
    run_.map_told = map_.told();
    if (objects_) run_.objects = objects_->Encode(!trace_.owners.empty());
    // What the heap gives back in its destructor is no event of the run.
    placements_ = nullptr;
    return std::move(run_);
  }

 private:
  static constexpr std::uint8_t kRaw = 0xff;
  struct Slot {
    std::uint64_t address = 0;  // of a pool block
    std::uint64_t bytes : 56 = 0;
    std::uint64_t size_class : 8 = kRaw;
    // What of a pool block's life the moments need (retention.h).
    std::uint64_t request = 0;
    std::uint64_t step = 0;
    RetentionWatch::Head watched = 0;
  };

  void OnAcquire(std::size_t slot, std::uint64_t ordinal) override {
    map_.ArenaAcquired(slot);
    arena_births_.resize(ordinal + 1);
    arena_births_[ordinal] = cursor_.request();
    if (placements_ != nullptr) placements_->ArenaAcquired(ordinal);
  }
  void OnRelease(std::size_t slot, std::uint64_t ordinal) override {
    committed_.Release(slot);
    map_.ArenaReleased(slot, ordinal);
    run_.arena_lifetimes.push_back(cursor_.request() - arena_births_[ordinal]);
    if (placements_ != nullptr) placements_->ArenaReleased(ordinal);
  }

  void OnDiscard(std::uint64_t begin, std::uint64_t end) override {
    committed_.GiveBack(begin, end);
  }

  void Take(const Step& step) {
    Slot& slot = slots_[step.slot];
    if (has_lanes_ || objects_) hint_ = hints_.Next();
    taken_ = step.slot;
    if (step.foreign) {
      // The raw domain and the C library: the second allocator's whatever its
      // size.
      Forget(slot);
      if (step.code != OpCode::kFree) {
        Remember(slot, raw_.block(), step.size_bytes);
      }
      return;
    }
    switch (step.code) {
      case OpCode::kAlloc:
        Remember(slot, heap_->AllocateHinted(step.size_bytes, hint_),
                 step.size_bytes);
        break;
      case OpCode::kZeroed:
        Remember(slot, heap_->AllocateZeroedHinted(1, step.size_bytes, hint_),
                 step.size_bytes);
        break;
      case OpCode::kAligned:
        Remember(slot, raw_.block(), step.size_bytes);
        break;
      case OpCode::kRealloc:
        Reallocate(slot, step.size_bytes);
        break;
      case OpCode::kFree:
        if (slot.size_class == kRaw) {
          heap_->Free(raw_.block());
        } else {
          heap_->Free(reinterpret_cast<void*>(slot.address));
        }
        Forget(slot);
        return;
      default:
        return;
    }
    // Inherited requests have no number.
    if (placements_ != nullptr && cursor_.steps() > trace_.inherited_steps) {
      Place(slot);
    }
  }

  void Reallocate(Slot& slot, std::uint64_t bytes) {
    void* old = slot.size_class == kRaw ? raw_.block()
                                        : reinterpret_cast<void*>(slot.address);
    void* now = heap_->ReallocateHinted(old, bytes, hint_);
    if (now == nullptr) {
      ++run_.failed_requests;
    } else if (now == old && slot.size_class != kRaw) {
      // In place: the same class, another size.
      requested_ += bytes - slot.bytes;
      slot.bytes = bytes;
      committed_.Write(slot.address, bytes);
      if (objects_) objects_->Resized(taken_, bytes);
    } else {
      Forget(slot);
      Remember(slot, now, bytes);
    }
  }

  void Remember(Slot& slot, void* p, std::uint64_t bytes) {
    const auto address = reinterpret_cast<std::uint64_t>(p);
    slot.bytes = bytes;
    if (!region_.Contains(address)) {
      run_.failed_requests += p == nullptr;
      slot.size_class = kRaw;
      large_requested_ += bytes;
      return;
    }
    // In 2.3 a raw block that shrinks to nothing moves to a block of one byte.
    const std::uint64_t served = std::max<std::uint64_t>(bytes, 1);
    const std::uint32_t size_class = ClassOf(geometry_, served);
    slot.address = address;
    slot.size_class = static_cast<std::uint8_t>(size_class);
    slot.request = cursor_.request() - (cursor_.request() != 0);
    slot.step = cursor_.steps() - 1;
    requested_ += bytes;
    rounded_ += BlockSize(geometry_, size_class);
    most_used_blocks_[size_class] =
        std::max(most_used_blocks_[size_class], ++used_blocks_[size_class]);
    map_.BlockTaken(address);
    if (objects_)
      objects_->Born(taken_, address, bytes, size_class, hint_, hints_.owner());
    const std::uint64_t pool_base = address & ~(geometry_.pool_bytes - 1);
    const PoolHeader* pool = PoolAt(pool_base);
    committed_.Write(pool_base, sizeof(PoolHeader));
    committed_.Write(address, served);
    committed_.Write(
        pool_base + pool->next_offset - BlockSize(geometry_, size_class),
        sizeof(std::uint64_t));
  }

  void Forget(Slot& slot) {
    if (slot.size_class == kRaw) {
      large_requested_ -= slot.bytes;
    } else {
      requested_ -= slot.bytes;
      rounded_ -= BlockSize(geometry_, slot.size_class);
      --used_blocks_[slot.size_class];
      map_.BlockFreed(slot.address);
      if (objects_) objects_->Died(taken_);
      if (slot.watched != 0) watch_.Died(slot.watched, cursor_.request());
    }
    slot = Slot{};
  }

  void Place(const Slot& slot) {
    const std::uint64_t event = cursor_.request() - 1;
    if (slot.size_class == kRaw) {
      placements_->Raw(event);
      return;
    }
    const ArenaRegion::Arena& arena =
        region_.slots()[region_.SlotOf(slot.address)];
    placements_->Block(event, arena.ordinal, slot.address - arena.base);
  }

  void TakeSample() {
    const std::uint64_t number = run_.samples.size();
    ModelSample sample;
    const Statistics walked = heap_->ComputeStatistics();
    sample.waterfall = {requested_,
                        rounded_ - requested_,
                        walked.pool_header_bytes,
                        walked.quantization_bytes,
                        walked.available_bytes,
                        walked.unused_pools * geometry_.pool_bytes,
                        walked.alignment_bytes,
                        walked.metadata_bytes()};
    const std::uint64_t handed_out =
        region_.live() * geometry_.arena_bytes + walked.metadata_bytes();
    if (sample.waterfall.held_bytes() != handed_out) {
      Broken("held bytes", number, handed_out, sample.waterfall.held_bytes());
    }
    for (std::size_t c = 0; c < geometry_.classes; ++c) {
      if (walked.classes[c].used_blocks != used_blocks_[c]) {
        Broken("live blocks of a class", number, used_blocks_[c],
               walked.classes[c].used_blocks);
      }
      sample.pools.push_back(
          static_cast<std::uint32_t>(walked.classes[c].pools));
      sample.used_blocks.push_back(static_cast<std::uint32_t>(used_blocks_[c]));
    }
    sample.committed_bytes = committed_.bytes();
    sample.large_requested_bytes = large_requested_;
    sample.arenas_live = region_.live();
    run_.samples.push_back(std::move(sample));
    const Moments& moments = wanted_.moments;
    const bool moment = number == moments.peak || number == moments.end ||
                        std::binary_search(moments.valleys.begin(),
                                           moments.valleys.end(), number);
    map_.Sample(moment);
    if (objects_) objects_->Sample();
    if (number == example_sample_) TakeExample();
    if (moment) LookAtMoment(number);
  }

  void LookAtMoment(std::size_t number) {
    ModelPages pages{number, PagePotentialOf(geometry_, region_, map_,
                                             committed_, page_bytes_)};
    if (mesh_) {
      pages.meshed_pairs_bytes = MeshedBytes(geometry_, region_, map_, 2);
      pages.meshed_eights_bytes = MeshedBytes(geometry_, region_, map_, 8);
    }
    run_.pages.push_back(pages);
    const Moments& moments = wanted_.moments;
    if (number != moments.peak && number != moments.end &&
        number != moments.last_valley()) {
      return;
    }
    std::vector<std::uint64_t> ordinals;
    for (const ArenaRegion::Arena& arena : region_.slots()) {
      if (arena.base != 0) ordinals.push_back(arena.ordinal);
    }
    std::vector<RetentionWatch::LiveBlock> blocks;
    for (Slot& slot : slots_) {
      if (slot.size_class == kRaw) continue;
      blocks.push_back(
          {.head = &slot.watched,
           .arena = region_.slots()[region_.SlotOf(slot.address)].ordinal,
           .request = slot.request,
           .step = slot.step,
           .requested_bytes = slot.bytes,
           .size_class = static_cast<std::uint32_t>(slot.size_class)});
    }
    watch_.Look(number, cursor_.request(), std::move(ordinals), blocks);
  }

  // The pool with the fewest live blocks that has a free list to show; of
  // equal ones the first.
  void TakeExample() {
    const PoolHeader* best = nullptr;
    ArenaView best_arena{};
    heap_->VisitArenas([&](const ArenaView& arena) {
      heap_->VisitPools(arena, [&](const PoolHeader& pool) {
        if (pool.live_blocks == 0 || pool.free_list == 0 ||
            (best != nullptr && pool.live_blocks >= best->live_blocks)) {
          return;
        }
        best = &pool;
        best_arena = arena;
      });
    });
    if (best == nullptr) return;
    const std::uint64_t base = AddressOf(best);
    const std::size_t block_bytes = BlockSize(geometry_, best->size_class);
    const auto block_of = [&](std::uint64_t offset) {
      return static_cast<std::uint32_t>((offset - geometry_.header_bytes) /
                                        block_bytes);
    };
    PoolExample example{};
    example.sample = example_sample_;
    example.pool = region_.slots()[region_.SlotOf(base)].ordinal *
                       PoolsPerArena(geometry_) +
                   (base - best_arena.first_pool) / geometry_.pool_bytes;
    example.size_class = best->size_class;
    example.live_blocks = static_cast<std::uint32_t>(best->live_blocks);
    example.carved_blocks = block_of(best->next_offset);
    for (std::uint64_t at = best->free_list; at != 0; at = LinkAt(at))
      example.free_list.push_back(block_of(at - base));
    run_.example = std::move(example);
  }

  const CompiledTrace& trace_;
  const Samples& wanted_;
  PlacementsFile* placements_;
  GeometryValues geometry_;
  ArenaRegion region_;
  CommittedPages committed_;
  const std::size_t page_bytes_;
  const bool mesh_;
  PoolMap map_;
  const std::size_t example_sample_;
  std::optional<ObjectList> objects_;
  RetentionWatch watch_;
  std::vector<std::uint64_t> arena_births_;  // by ordinal
  MadeUpRawBlocks raw_;
  const bool has_lanes_;
  StepCursor cursor_;
  HintCursor hints_;
  RequestHint hint_;         // of the step that is taken
  std::uint32_t taken_ = 0;  // its slot
  std::vector<Slot> slots_;
  std::vector<std::uint64_t> used_blocks_;       // by class
  std::vector<std::uint64_t> most_used_blocks_;  // by class
  std::uint64_t requested_ = 0;
  std::uint64_t rounded_ = 0;
  std::uint64_t large_requested_ = 0;
  ModelRun run_;
  // Last: it gives its arenas back to the region, and tells the tables.
  std::optional<HeapT> heap_;
};

}  // namespace

std::vector<std::size_t> RecordedOffsets(const CompiledTrace& trace,
                                         const GeometryValues& geometry) {
  std::vector<std::size_t> offsets;
  for (const RecordedArena& arena : trace.arenas) {
    if (arena.size_bytes == geometry.arena_bytes)
      offsets.push_back(arena.address & (geometry.pool_bytes - 1));
  }
  return offsets;
}

ModelRun RunModel(std::string_view settings, const CompiledTrace& trace,
                  const Samples& samples, const ModelOptions& options) {
  HeapSettings values;
  if (const char* error = ReadHeapSettings(settings, &values)) {
    throw InputError("pymalloc{" + std::string(settings) + "}: " + error);
  }
  if (const char* missing = MissingForLanes(trace, values.policy.lanes)) {
    throw InputError("pymalloc{" + std::string(settings) + "}: " + missing);
  }
  ModelRun run;
  VisitHeapOfSettings(settings, [&]<class HeapT>() {
    run = std::make_unique<Model<HeapT>>(trace, samples, options, settings,
                                         values)
              ->Run();
  });
  run.settings = settings;
  return run;
}

}  // namespace arenalab
