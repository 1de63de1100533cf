// What a recorded process has in memory, at its marks and at intervals; all of
// it read from here, nothing by the program.
#include <algorithm>

#include "tracer/collector/process_recording.h"

namespace arenalab {
namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
// Memory is read at most so often, and so that reading costs one part in two
// hundred of the time: the kernel walks all of the process's pages for it.
constexpr std::uint64_t kSampleEveryNs = 100 * kMillisecond;
constexpr std::uint64_t kSampleShare = 200;
// In the metadata.
constexpr std::size_t kMostReadings = 4000;

}  // namespace

void ProcessRecording::SampleMemory() {
  const std::uint64_t begin = SinceStart();
  auto memory = MemoryOf(header_->process);
  const std::uint64_t end = SinceStart();
  next_sample_ns_ =
      end + std::max(kSampleEveryNs, (end - begin) * kSampleShare);
  if (!memory || !writer_) return;
  // The ring's own pages are the recording's, not the program's.
  const std::uint64_t ring_bytes =
      ring::kHeaderBytes / 4 +
      header_->fresh_chunks.load() * std::uint64_t{ring::kChunkBytes};
  const auto without = [](std::uint64_t bytes, std::uint64_t ring) {
    return bytes - std::min(bytes, ring);
  };
  memory->resident = without(memory->resident, ring_bytes);
  // This process has them too.
  memory->share =
      without(memory->share, std::min(memory->shared_memory, ring_bytes / 2));
  memory->own = std::min(memory->own, memory->share);
  Event event;
  event.kind = EventKind::kMemory;
  event.time_ns = before_last_drain_ns_;
  event.rss_bytes = memory->resident;
  Write(event);
  if (!readings_.empty() && end < readings_.back().time_ns + readings_apart_ns_)
    return;
  readings_.push_back({end, *memory});
  if (readings_.size() < kMostReadings) return;
  // Half of them, and from here on half as often.
  for (std::size_t i = 1; 2 * i < readings_.size(); ++i)
    readings_[i] = readings_[2 * i];
  readings_.resize((readings_.size() + 1) / 2);
  readings_apart_ns_ = (readings_.back().time_ns - readings_.front().time_ns) /
                       (readings_.size() - 1);
}

void ProcessRecording::WriteReadings() {
  std::string text;
  for (const Reading& reading : readings_) {
    for (const std::uint64_t number :
         {reading.time_ns / kMillisecond, reading.memory.resident / 1024,
          reading.memory.share / 1024, reading.memory.own / 1024}) {
      text += (text.empty() ? "" : " ") + std::to_string(number);
    }
  }
  if (!text.empty()) writer_->Meta("readings", text);
}

}  // namespace arenalab
