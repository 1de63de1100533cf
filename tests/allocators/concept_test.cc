// The concept in the negative: what looks like an allocator and is not must not
// compile as one. (A concept that is always true is worse than none.)
#include <gtest/gtest.h>

#include <cstddef>
#include <string_view>

#include "allocators/allocator.h"

namespace arenalab {
namespace {

// A model of the concept; each broken one differs from it in one point.
struct Whole {
  static constexpr Threads kThreads = Threads::kOne;
  static constexpr Heaps kHeaps = Heaps::kMany;
  static constexpr std::string_view kName = "whole";
  explicit Whole(const HeapOptions&) {}
  Whole(const Whole&) = delete;
  Whole& operator=(const Whole&) = delete;
  void* Allocate(std::size_t) noexcept { return nullptr; }
  void* AllocateZeroed(std::size_t, std::size_t) noexcept { return nullptr; }
  void* AllocateAligned(std::size_t, std::size_t) noexcept { return nullptr; }
  void* Reallocate(void*, std::size_t) noexcept { return nullptr; }
  void Free(void*) noexcept {}
  std::size_t UsableSize(void*) const noexcept { return 0; }
  HeapSnapshot Snapshot() const noexcept { return {}; }
};
static_assert(Allocator<Whole>);

// A name hides the base's, so each struct below takes away or changes one
// member. Constructors and the deleted copy are inherited.
struct MayThrow : Whole {
  using Whole::Whole;
  void* Allocate(std::size_t) { return nullptr; }
};
static_assert(!Allocator<MayThrow>);

struct TypedBlocks : Whole {
  using Whole::Whole;
  char* Allocate(std::size_t) noexcept { return nullptr; }
};
static_assert(!Allocator<TypedBlocks>);

struct ZeroedWithoutCount : Whole {
  using Whole::Whole;
  void* AllocateZeroed(std::size_t) noexcept { return nullptr; }
};
static_assert(!Allocator<ZeroedWithoutCount>);

struct HiddenAligned : Whole {
  using Whole::Whole;

 private:
  using Whole::AllocateAligned;
};
static_assert(!Allocator<HiddenAligned>);

struct ReallocateThatTells : Whole {
  using Whole::Whole;
  bool Reallocate(void*, std::size_t) noexcept { return false; }
};
static_assert(!Allocator<ReallocateThatTells>);

struct SizedFree : Whole {
  using Whole::Whole;
  void Free(void*, std::size_t) noexcept {}
};
static_assert(!Allocator<SizedFree>);

struct UsableSizeThatChanges : Whole {
  using Whole::Whole;
  std::size_t UsableSize(void*) noexcept { return 0; }
};
static_assert(!Allocator<UsableSizeThatChanges>);

struct SnapshotThatThrows : Whole {
  using Whole::Whole;
  HeapSnapshot Snapshot() const { return {}; }
};
static_assert(!Allocator<SnapshotThatThrows>);

struct Nameless : Whole {
  using Whole::Whole;

 private:
  using Whole::kName;
};
static_assert(!Allocator<Nameless>);

struct NumberOfThreads : Whole {
  using Whole::Whole;
  static constexpr int kThreads = 1;
};
static_assert(!Allocator<NumberOfThreads>);

struct WithoutOptions : Whole {
  WithoutOptions() : Whole(HeapOptions{}) {}
};
static_assert(!Allocator<WithoutOptions>);

// Two owners of one heap would free it twice.
struct Copyable {
  static constexpr Threads kThreads = Threads::kOne;
  static constexpr Heaps kHeaps = Heaps::kMany;
  static constexpr std::string_view kName = "copyable";
  explicit Copyable(const HeapOptions&) {}
  void* Allocate(std::size_t) noexcept { return nullptr; }
  void* AllocateZeroed(std::size_t, std::size_t) noexcept { return nullptr; }
  void* AllocateAligned(std::size_t, std::size_t) noexcept { return nullptr; }
  void* Reallocate(void*, std::size_t) noexcept { return nullptr; }
  void Free(void*) noexcept {}
  std::size_t UsableSize(void*) const noexcept { return 0; }
  HeapSnapshot Snapshot() const noexcept { return {}; }
};
static_assert(!Allocator<Copyable>);

static_assert(!Allocator<int>);

// The checks above are the compiler's; this says that they were compiled.
TEST(AllocatorConcept, IsCheckedInBothDirections) {
  EXPECT_TRUE(Allocator<Whole>);
  EXPECT_FALSE(Allocator<MayThrow>);
}

}  // namespace
}  // namespace arenalab
