// Writes small traces for the verifier's tests, request by request, with the
// addresses that the test says.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "tracer/format/trace_writer.h"

namespace arenalab {

class TraceBuilder {
 public:
  TraceBuilder(const std::string& name, std::string_view geometry)
      : path_(testing::TempDir() + "/" + name), writer_(path_, false) {
    Meta("geometry", geometry);
    Meta("allocator", "pymalloc");
    Meta("addresses", "recorded");
  }

  TraceBuilder& Meta(std::string_view key, std::string_view value) {
    writer_.Meta(key, value);
    return *this;
  }
  // Of what follows.
  TraceBuilder& In(Layer layer, std::uint32_t state = 0) {
    layer_ = layer;
    state_ = state;
    return *this;
  }
  TraceBuilder& Malloc(std::uint64_t size, std::uint64_t address) {
    return Put(EventKind::kAlloc, size, address);
  }
  TraceBuilder& Calloc(std::uint64_t size, std::uint64_t address) {
    return Put(EventKind::kZeroed, size, address);
  }
  TraceBuilder& Realloc(std::uint64_t old, std::uint64_t size,
                        std::uint64_t address) {
    return Put(EventKind::kRealloc, size, address, old);
  }
  TraceBuilder& Free(std::uint64_t address) {
    return Put(EventKind::kFree, 0, address);
  }
  TraceBuilder& Acquire(std::uint64_t base, std::uint64_t bytes) {
    return Put(EventKind::kArenaAcquire, bytes, base);
  }
  TraceBuilder& Release(std::uint64_t base, std::uint64_t bytes) {
    return Put(EventKind::kArenaRelease, bytes, base);
  }
  TraceBuilder& Fork(std::uint64_t number) {
    Event event{};
    event.kind = EventKind::kFork;
    event.layer = Layer::kObject;
    event.number = number;
    event.name = "child";
    writer_.Append(event);
    return *this;
  }
  TraceBuilder& Nested(std::uint64_t size, std::uint64_t address) {
    depth_ = 1;
    Put(EventKind::kAlloc, size, address);
    depth_ = 0;
    return *this;
  }

  // The path of the finished file.
  std::string Finish(std::uint64_t lost = 0) {
    writer_.Finish(lost, 0);
    EXPECT_TRUE(writer_.ok()) << writer_.error();
    return path_;
  }
  // The same without the end mark.
  std::string Abandon() {
    writer_.Flush();
    EXPECT_TRUE(writer_.ok()) << writer_.error();
    return path_;
  }

 private:
  TraceBuilder& Put(EventKind kind, std::uint64_t size, std::uint64_t address,
                    std::uint64_t old = 0) {
    Event event{};
    event.kind = kind;
    event.layer = layer_;
    event.state = state_;
    event.depth = depth_;
    event.size_bytes = size;
    event.address = address;
    event.old_address = old;
    writer_.Append(event);
    return *this;
  }

  std::string path_;
  TraceWriter writer_;
  Layer layer_ = Layer::kObject;
  std::uint32_t state_ = 0;
  std::uint8_t depth_ = 0;
};

}  // namespace arenalab
