// See process_recording.h.
#include "tracer/collector/process_recording.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "tracer/collector/interpreter.h"

namespace arenalab {
namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
// Memory is read at most so often, and so that reading costs one part in two
// hundred of the time: the kernel walks all of the process's pages for it.
constexpr std::uint64_t kSampleEveryNs = 100 * kMillisecond;
constexpr std::uint64_t kSampleShare = 200;
// In the metadata.
constexpr std::size_t kMostReadings = 4000;
// Ended threads are looked for, and the trace's block is written out.
constexpr std::uint64_t kCareEveryNs = 500 * kMillisecond;
// While many threads hold a slot.
constexpr std::uint64_t kCrowdedCareEveryNs = 20 * kMillisecond;

std::uint64_t MonotonicNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

std::string Iso8601(std::int64_t seconds) {
  const time_t time = seconds;
  tm parts;
  gmtime_r(&time, &parts);
  char text[32];
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

// A text of the ring's header, whatever the program did to it.
template <std::size_t kSize>
std::string Text(const char (&field)[kSize]) {
  return {field, strnlen(field, kSize)};
}

// With \n for the end of a line.
std::string OnOneLine(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (c == '\n') {
      line += "\\n";
    } else {
      line += c;
    }
  }
  return line;
}

}  // namespace

std::unique_ptr<ProcessRecording> ProcessRecording::Open(
    const std::string& directory, const std::string& ring_name,
    const Run* run) {
  const std::string path = directory + "/" + ring_name;
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return nullptr;
  struct stat status;
  void* memory = MAP_FAILED;
  if (fstat(file, &status) == 0 && status.st_size == ring::kRingBytes) {
    memory = mmap(nullptr, ring::kRingBytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                  file, 0);
  }
  close(file);
  unlink(path.c_str());
  if (memory == MAP_FAILED) return nullptr;
  auto* header = static_cast<ring::Header*>(memory);
  if (header->magic != ring::kMagic) {
    munmap(memory, ring::kRingBytes);
    return nullptr;
  }
  return std::unique_ptr<ProcessRecording>(
      new ProcessRecording(header, ring_name, run));
}

ProcessRecording::ProcessRecording(ring::Header* header, std::string ring_name,
                                   const Run* run)
    : header_(header),
      ring_name_(std::move(ring_name)),
      run_(run),
      handle_(header->process),
      program_(PastableCommand({header->command, header->command_bytes})),
      merger_(header, this) {
  if (run->census) header->census.store(ring::Census::kOffered);
}

ProcessRecording::~ProcessRecording() { munmap(header_, ring::kRingBytes); }

std::uint64_t ProcessRecording::lost() const {
  return header_->lost_events.load();
}

std::string ProcessRecording::python() const {
  return PythonRelease(Text(header_->python));
}

std::uint64_t ProcessRecording::SinceStart() const {
  return MonotonicNs() - header_->started_ns;
}

bool ProcessRecording::Round() {
  header_->heartbeat.fetch_add(1);
  const bool started =
      header_->streams[ring::kStateStream].published.load() != 0;
  // Until an interpreter starts, events wait in the ring, unless it gets full.
  if (path_.empty()) {
    if (!started && header_->fresh_chunks.load() < ring::kChunks / 2) {
      return false;
    }
    OpenTrace();
  }
  const bool wants_census =
      header_->census.load(std::memory_order_acquire) == ring::Census::kWanted;
  const bool found = DrainOnce(false);
  if (wants_census) {
    TakeCensus();
    header_->census.store(ring::Census::kTaken);
  }
  const std::uint64_t now = SinceStart();
  if (now >= next_sample_ns_) SampleMemory();
  const bool crowded = merger_.threads() > ring::kStreams / 2;
  if (now >= next_care_ns_ ||
      (crowded && now + kCareEveryNs > next_care_ns_ + kCrowdedCareEveryNs)) {
    next_care_ns_ = now + kCareEveryNs;
    merger_.ReleaseEndedThreads([this](pid_t thread) {
      return ThreadExists(header_->process, thread);
    });
    WriteMeta(false);
    if (writer_) writer_->Flush();
  }
  NoteError();
  return found;
}

bool ProcessRecording::DrainOnce(bool ended) {
  const std::uint64_t now = SinceStart();
  const bool found = merger_.Drain(before_last_drain_ns_, ended);
  before_last_drain_ns_ = now;
  if (merger_.damaged()) header_->closed.store(1);
  return found;
}

void ProcessRecording::Finish() {
  if (finished_) return;
  finished_ = true;
  const bool started =
      header_->streams[ring::kStateStream].published.load() != 0;
  if (!started) {
    if (!path_.empty()) unlink(path_.c_str());
    path_.clear();
    return;
  }
  if (path_.empty()) OpenTrace();
  // Twice: the first may complete a target that was set before the end.
  DrainOnce(true);
  DrainOnce(true);
  if (writer_ && writer_->ok()) {
    WriteMeta(true);
    WriteReadings();
    writer_->Finish(lost(), header_->waited_ns.load());
  }
  NoteError();
}

void ProcessRecording::NoteError() {
  if (!writer_ || writer_->ok() || !error_.empty()) return;
  error_ = writer_->error();
}

void ProcessRecording::OpenTrace() {
  path_ = run_->trace_path(header_->process);
  writer_ = std::make_unique<TraceWriter>(path_, false);
  writer_->Meta("tool", run_->tool);
  writer_->Meta("run", run_->id);
  writer_->Meta("process", std::to_string(header_->process));
  writer_->Meta("parent-process", std::to_string(header_->parent_process));
  writer_->Meta("started", Iso8601(header_->started_unix));
  writer_->Meta("started-clock-ns", std::to_string(header_->started_ns));
  writer_->Meta("program", program_);
  writer_->Meta("python", python());
  writer_->Meta("pointer-bits", "64");
  writer_->Meta("page-bytes", std::to_string(sysconf(_SC_PAGESIZE)));
  writer_->Meta("addresses", "recorded");
  writer_->Meta("layers", header_->layers != 0 ? "all" : "top");
  const std::string parent = run_->trace_of_ring(Text(header_->parent));
  if (!parent.empty()) {
    if (header_->parent_fork == ring::kUnknownFork) {
      writer_->Meta("lost.parent",
                    "made by a system call that runs no fork handlers; parent "
                    "trace " +
                        parent);
    } else {
      writer_->Meta("parent",
                    parent + " " + std::to_string(header_->parent_fork));
    }
  }
}

void ProcessRecording::WriteMeta(bool final) {
  if (!writer_) return;
  const std::uint32_t bytes = std::min<std::uint32_t>(
      header_->statistics_bytes.load(std::memory_order_acquire),
      sizeof(header_->statistics));
  // What the interpreter says may change until its first arena.
  if (!meta_written_ || final) {
    const std::string version = Text(header_->python);
    const std::string_view statistics = {header_->statistics, bytes};
    writer_->Meta("geometry", PymallocGeneration(version, statistics));
    writer_->SetAlignment(PymallocAlignment(version, statistics));
    writer_->Meta("allocator",
                  AllocatorBeneath(Text(header_->allocator), bytes != 0));
    meta_written_ = bytes != 0;
  }
  if (!final) return;
  for (const ring::Dump& dump : header_->dumps) {
    const std::uint32_t text_bytes = std::min<std::uint32_t>(
        dump.bytes.load(std::memory_order_acquire), sizeof(dump.text));
    if (text_bytes == 0) continue;
    writer_->Meta("debugmallocstats." + (dump.event == ring::kAtFinalise
                                             ? "finalise"
                                             : std::to_string(dump.event)),
                  OnOneLine({dump.text, text_bytes}));
  }
  if (header_->types.load() == ring::Reading::kUnknownLayout) {
    Lose("types",
         "the objects of this Python are laid out in a way that is not known, "
         "or its memory may not be read: no types");
  }
  if (header_->sites.load() == ring::Reading::kUnknownLayout) {
    Lose("sites",
         "the frames of this Python are laid out in a way that is not known "
         "(3.8 to 3.13 are): no call sites");
  }
  if (header_->lost_hooks.load() != 0) {
    Lose("hooks",
         "the interpreter replaced its allocators while it was running; "
         "requests until the hooks were back are missing");
  }
  if (AllocatorBeneath(Text(header_->allocator), bytes != 0) == "debug" &&
      !python().starts_with("3.6.")) {
    Lose("debug",
         "a dozen raw blocks that the debug layer made before the hooks were "
         "back on it are recorded as the C library's, 16 bytes lower");
  }
  if (merger_.damaged()) {
    Lose("damaged",
         "the program overwrote its ring; events after that are missing");
  }
  if (lost() != 0) {
    if (header_->lossy != 0) {
      Lose("ring", "the ring was full and --lossy drops events then");
    } else {
      Lose("threads", "more threads at once than can be recorded");
    }
  }
}

void ProcessRecording::Lose(const char* what, const std::string& reason) {
  writer_->Meta(std::string("lost.") + what, reason);
  losses_.push_back(reason);
}

// What lived before and lives on behind it is what was seen meanwhile.
void ProcessRecording::TakeCensus() {
  if (!run_->census || !writer_ ||
      header_->types.load() != ring::Reading::kWorks) {
    return;
  }
  const std::uint64_t before = merger_.requests();
  std::vector<Event> held;
  run_->census(header_->process, [&](const LivingObject& object) {
    Event event;
    event.kind = EventKind::kHeld;
    event.layer = Layer::kObject;
    event.address = object.address;
    event.type = writer_->Intern(NameSpace::kType, object.type);
    event.owner = object.owner;
    held.push_back(event);
  });
  DrainOnce(false);
  for (Event& event : held) {
    event.lag = merger_.requests() - before;
    event.time_ns = before_last_drain_ns_;
    writer_->Append(event);
  }
}

void ProcessRecording::Mark(std::string_view name) {
  if (!writer_) return;
  DrainOnce(false);
  Event event;
  event.kind = EventKind::kMark;
  event.time_ns = before_last_drain_ns_;
  event.name = name;
  writer_->Append(event);
  SampleMemory();
  TakeCensus();
}

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
  writer_->Append(event);
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

std::uint32_t ProcessRecording::OnName(NameSpace space, std::string_view name) {
  return writer_->Intern(space, name);
}

void ProcessRecording::OnEvent(const Event& event) {
  if (event.kind != EventKind::kFork) {
    writer_->Append(event);
    if (event.kind == EventKind::kMark) next_sample_ns_ = 0;
    return;
  }
  Event named = event;
  const pid_t child = run_->child_of_fork(ring_name_, event.number);
  const std::string name = child != 0 ? std::to_string(child) : "unknown";
  named.name = name;
  writer_->Append(named);
}

}  // namespace arenalab
