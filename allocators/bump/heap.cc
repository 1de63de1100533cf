// The allocator that never reuses; contract in heap.h.
#include "allocators/bump/heap.h"

#include <sys/mman.h>

#include <cstring>

namespace arenalab {
namespace {

constexpr std::size_t kAlignment = 16;
constexpr std::size_t kSizeBytes = sizeof(std::size_t);
constexpr std::size_t kPageBytes = 4096;

std::uintptr_t AlignUp(std::uintptr_t address, std::size_t align) {
  return (address + align - 1) & ~(align - 1);
}

std::size_t& SizeOfBlock(std::uintptr_t block) {
  return *reinterpret_cast<std::size_t*>(block - kSizeBytes);
}

}  // namespace

BumpHeap::BumpHeap(const HeapOptions&) {}

BumpHeap::~BumpHeap() {
  for (Chunk* chunk = chunks_; chunk != nullptr;) {
    Chunk* next = chunk->next;
    munmap(chunk, chunk->bytes);
    chunk = next;
  }
}

BumpHeap::Chunk* BumpHeap::MapChunk(std::size_t bytes) noexcept {
  void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) return nullptr;
  auto* chunk = static_cast<Chunk*>(base);
  chunk->next = chunks_;
  chunk->bytes = bytes;
  chunks_ = chunk;
  held_bytes_ += static_cast<std::int64_t>(bytes);
  ++chunks_created_;
  return chunk;
}

void* BumpHeap::AllocateAligned(std::size_t align, std::size_t bytes) noexcept {
  if (align < kAlignment) align = kAlignment;
  if (bytes == 0) bytes = 1;
  std::size_t room;  // the most that this request can take from a chunk
  if (__builtin_add_overflow(bytes, align + sizeof(Chunk) + kSizeBytes,
                             &room) ||
      room > PTRDIFF_MAX) {
    return nullptr;
  }
  if (room > kOwnMappingBytes) {
    Chunk* chunk = MapChunk(AlignUp(room, kPageBytes));
    if (chunk == nullptr) return nullptr;
    const auto base = reinterpret_cast<std::uintptr_t>(chunk);
    const std::uintptr_t block =
        AlignUp(base + sizeof(Chunk) + kSizeBytes, align);
    SizeOfBlock(block) = bytes;
    ++blocks_;
    return reinterpret_cast<void*>(block);
  }
  std::uintptr_t block = AlignUp(cursor_ + kSizeBytes, align);
  if (block + bytes > limit_) {
    Chunk* chunk = MapChunk(kChunkBytes);
    if (chunk == nullptr) return nullptr;
    const auto base = reinterpret_cast<std::uintptr_t>(chunk);
    limit_ = base + kChunkBytes;
    block = AlignUp(base + sizeof(Chunk) + kSizeBytes, align);
  }
  cursor_ = block + bytes;
  SizeOfBlock(block) = bytes;
  ++blocks_;
  return reinterpret_cast<void*>(block);
}

void* BumpHeap::Allocate(std::size_t bytes) noexcept {
  return AllocateAligned(kAlignment, bytes);
}

// The system's pages come zeroed and none is used twice.
void* BumpHeap::AllocateZeroed(std::size_t count, std::size_t bytes) noexcept {
  std::size_t total;
  if (__builtin_mul_overflow(count, bytes, &total)) return nullptr;
  return Allocate(total);
}

void* BumpHeap::Reallocate(void* p, std::size_t bytes) noexcept {
  if (p == nullptr) return Allocate(bytes);
  const std::size_t old_bytes =
      SizeOfBlock(reinterpret_cast<std::uintptr_t>(p));
  if (bytes <= old_bytes) return p;
  void* larger = Allocate(bytes);
  if (larger != nullptr) std::memcpy(larger, p, old_bytes);
  return larger;
}

void BumpHeap::Free(void*) noexcept {}

std::size_t BumpHeap::UsableSize(void* p) const noexcept {
  return p == nullptr ? 0 : SizeOfBlock(reinterpret_cast<std::uintptr_t>(p));
}

HeapSnapshot BumpHeap::Snapshot() const noexcept {
  return {.held_bytes = held_bytes_,
          .metadata_bytes =
              static_cast<std::int64_t>(kSizeBytes) * blocks_ +
              static_cast<std::int64_t>(sizeof(Chunk)) * chunks_created_,
          .arenas_live = chunks_created_,
          .arenas_created = chunks_created_,
          .arenas_released = 0};
}

}  // namespace arenalab
