// Carries the names of types and call sites from one trace into another, event
// by event. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tracer/format/trace_reader.h"
#include "tracer/format/trace_writer.h"

namespace arenalab {

class NameCopy {
 public:
  // Both must outlive it.
  NameCopy(const TraceReader& reader, TraceWriter& writer)
      : reader_(reader), writer_(writer) {}

  // From the reader's numbers to the writer's.
  void Translate(Event* event) {
    if (event->type != 0) {
      event->type = Number(NameSpace::kType, event->type);
    }
    if (event->site != 0) {
      event->site = Number(NameSpace::kSite, event->site);
    }
  }

 private:
  std::uint32_t Number(NameSpace space, std::uint32_t number) {
    auto& numbers = numbers_[static_cast<std::size_t>(space)];
    if (number >= numbers.size()) numbers.resize(number + std::size_t{1});
    if (numbers[number] == 0) {
      numbers[number] = writer_.Intern(space, reader_.Name(space, number));
    }
    return numbers[number];
  }

  const TraceReader& reader_;
  TraceWriter& writer_;
  std::array<std::vector<std::uint32_t>, 2> numbers_;
};

}  // namespace arenalab
