// See process_recording.h.
#include "tracer/collector/process_recording.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include "tracer/collector/interpreter.h"

namespace arenalab {
namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
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
  plain_ = !run->window.cuts() && run->window.until_mark.empty();
  decided_ = plain_;
}

ProcessRecording::~ProcessRecording() { munmap(header_, ring::kRingBytes); }

// A hole in the file: unmapping alone would keep the pages as long as any page
// of it is mapped. A child that has recorded nothing yet still reads what comes
// before the dumps.
void ProcessRecording::ReleaseMemory() {
  constexpr std::size_t kPage = 4096;
  constexpr std::size_t kKept =
      (offsetof(ring::Header, dumps) + kPage - 1) / kPage * kPage;
  madvise(reinterpret_cast<char*>(header_) + kKept, ring::kRingBytes - kKept,
          MADV_REMOVE);
}

std::uint64_t ProcessRecording::lost() const {
  return header_->lost_events.load();
}

std::string ProcessRecording::python() const {
  return PythonRelease(Text(header_->python));
}

std::uint64_t ProcessRecording::SinceStart() const {
  return MonotonicNs() - header_->started_ns;
}

void ProcessRecording::Round() {
  header_->heartbeat.fetch_add(1);
  const bool started =
      header_->streams[ring::kStateStream].published.load() != 0;
  if (finished_ || !DecideBeginning()) return;
  // Until an interpreter starts, events wait in the ring, unless it gets full.
  if (path_.empty() && !waits_) {
    const std::uint32_t used = header_->fresh_chunks.load();
    if (!started && used < ring::kChunks / 2 &&
        used + ring::kSpareChunks / 2 < ring::AllowedChunks(*header_)) {
      return;
    }
    OpenTrace();
  }
  const bool wants_census =
      header_->census.load(std::memory_order_acquire) == ring::Census::kWanted;
  DrainOnce(false);
  TakeStanding();
  if (past_end_) return Close();
  CheckRotation();
  if (wants_census) {
    TakeCensus();
    header_->census.store(ring::Census::kTaken);
  }
  const std::uint64_t now = SinceStart();
  if (writer_ && now >= next_sample_ns_) SampleMemory();
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
}

void ProcessRecording::DrainOnce(bool ended) {
  const std::uint64_t now = SinceStart();
  merger_.Drain(before_last_drain_ns_, ended);
  before_last_drain_ns_ = now;
  if (merger_.damaged()) header_->closed.store(1);
}

void ProcessRecording::Finish() {
  if (finished_) return;
  if (!DecideBeginning()) {
    finished_ = true;
    return;
  }
  finished_ = true;
  const bool started =
      header_->streams[ring::kStateStream].published.load() != 0;
  if (!started) {
    if (!path_.empty()) unlink(path_.c_str());
    path_.clear();
    parts_.clear();
    return;
  }
  if (path_.empty() && !waits_) OpenTrace();
  // Twice: the first may complete a target that was set before the end.
  DrainOnce(true);
  DrainOnce(true);
  ClosePart();
}

void ProcessRecording::ClosePart() {
  if (writer_ && writer_->ok()) {
    WriteMeta(true);
    WriteReadings();
    writer_->Finish(lost() - lost_before_,
                    header_->waited_ns.load() - waited_before_);
  }
  NoteError();
}

void ProcessRecording::NoteError() {
  if (!writer_ || writer_->ok() || !error_.empty()) return;
  error_ = writer_->error();
}

// The process's first file, at its beginning.
void ProcessRecording::OpenTrace() {
  OpenPart("");
  const std::string parent = ParentAt();
  if (parent.empty()) return;
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

// The next file; `why` it begins in the middle of the program.
void ProcessRecording::OpenPart(const std::string& why) {
  if (base_path_.empty()) base_path_ = run_->trace_path(header_->process);
  path_ = PartPath(base_path_, ++part_);
  parts_.push_back(path_);
  if (part_ > 1) part_events_.push_back(events_ - events_before_);
  events_before_ = events_;
  meta_written_ = false;
  readings_.clear();
  part_began_ns_ = SinceStart();
  requests_before_ = merger_.requests();
  lost_before_ = lost();
  waited_before_ = header_->waited_ns.load();
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
  if (!why.empty()) {
    writer_->Meta("window", std::to_string(requests_before_) + " " + why);
  }
  for (const NameSpace space : {NameSpace::kType, NameSpace::kSite}) {
    for (std::uint32_t i = 1; i <= names_.size(space); ++i) {
      writer_->Intern(space, names_.Name(space, i));
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
    const std::string attribution = Attribution();
    if (!attribution.empty()) writer_->Meta("attribution", attribution);
    meta_written_ = bytes != 0;
  }
  if (!final) return;
  // Their numbers are the process's.
  const bool whole = requests_before_ == 0;
  for (const ring::Dump& dump : header_->dumps) {
    if (!whole) break;
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
         "the interpreter's allocators were replaced while it was running; "
         "requests until the hooks were back are missing");
  }
  if (header_->tool_above.load() != 0) {
    writer_->Meta("above",
                  "another tool's allocators (tracemalloc?) stood above ours: "
                  "raw and libc blocks of its own that it gives up while it "
                  "serves a request look live");
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

// What was asked for and works, in words.
std::string ProcessRecording::Attribution() const {
  std::string text;
  if (header_->types.load() == ring::Reading::kWorks) text = "types";
  if (header_->sites.load() == ring::Reading::kWorks) {
    text += text.empty() ? "" : ", ";
    text += header_->stacks != 0 ? "stacks" : "call sites";
  }
  return text;
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
    event.type = OnName(NameSpace::kType, object.type);
    event.owner = object.owner;
    held.push_back(event);
  });
  DrainOnce(false);
  for (Event& event : held) {
    event.lag = merger_.requests() - before;
    event.time_ns = before_last_drain_ns_;
    Write(event);
  }
}

void ProcessRecording::Mark(std::string_view name) {
  if (finished_) return;
  DrainOnce(false);
  Event event;
  event.kind = EventKind::kMark;
  event.time_ns = before_last_drain_ns_;
  event.name = name;
  if (!WatchWindow(event)) return;
  Write(event);
  SampleMemory();
  TakeCensus();
}

std::uint32_t ProcessRecording::OnName(NameSpace space, std::string_view name) {
  if (!run_->window.cuts()) return writer_->Intern(space, name);
  bool is_new;
  const std::uint32_t number = names_.Intern(space, name, &is_new);
  if (is_new && writer_) writer_->Intern(space, name);
  return number;
}

void ProcessRecording::Write(const Event& event) {
  // What began before this file began with it.
  if (requests_before_ != 0 && event.lag > writer_->requests()) {
    Event shorter = event;
    shorter.lag = writer_->requests();
    return writer_->Append(shorter);
  }
  writer_->Append(event);
}

PlainTaken ProcessRecording::OnPlain(const PlainRequests& plain) {
  // Outside of a window each is looked at, and dropped.
  if (!writer_ || past_end_) return {};
  const PlainTaken taken = writer_->AppendPlain(plain);
  events_ += taken.requests;
  return taken;
}

void ProcessRecording::OnEvent(const Event& event) {
  if (!plain_ && !WatchWindow(event)) return;
  ++events_;
  if (event.kind != EventKind::kFork) {
    Write(event);
    if (event.kind == EventKind::kMark) next_sample_ns_ = 0;
    return;
  }
  Event named = event;
  const pid_t child = run_->child_of_fork(ring_name_, event.number);
  const std::string name = child != 0 ? std::to_string(child) : "unknown";
  named.name = name;
  Write(named);
}

}  // namespace arenalab
