// Where a process's recording begins and ends within its life: see
// process_recording.h, A WINDOW BEGINS.
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "tracer/collector/interpreter.h"
#include "tracer/collector/process_recording.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

// A thread may have a raw or libc event in hand, and be about to publish it.
constexpr int kMostDrains = 2000;

void SleepMs(long ms) {
  const timespec time = {0, ms * 1'000'000};
  nanosleep(&time, nullptr);
}

std::string FileName(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

// Once it is known whether this process is recorded from its birth on: true. A
// forked child is what its parent was at the fork.
bool ProcessRecording::DecideBeginning() {
  if (run_->is_over) {
    Close();
    return false;
  }
  if (decided_) return true;
  const std::string parent(header_->parent,
                           strnlen(header_->parent, sizeof(header_->parent)));
  waits_ = !run_->window.from_mark.empty();
  if (!parent.empty() && header_->parent_fork != ring::kUnknownFork) {
    const auto file = run_->file_of_fork(parent, header_->parent_fork);
    // Its record is on its way.
    if (!file && run_->is_live(parent)) return false;
    if (!file || (file->empty() && !waits_)) {
      header_->closed.store(1);
      finished_ = true;
      return false;
    }
    waits_ = file->empty();
  }
  decided_ = true;
  auto expected = ring::Hold::kAtMarks;
  if (!waits_) {
    header_->hold.compare_exchange_strong(expected, ring::Hold::kNone);
  }
  return true;
}

// The file and the number of the fork of which this process is the child.
std::string ProcessRecording::ParentAt() const {
  const std::string parent(header_->parent,
                           strnlen(header_->parent, sizeof(header_->parent)));
  if (parent.empty()) return "";
  if (!plain_) {
    const auto file = run_->file_of_fork(parent, header_->parent_fork);
    if (file && !file->empty()) return *file;
  }
  return run_->trace_of_ring(parent);
}

// What an event means for the window. False: it is not to be written.
bool ProcessRecording::WatchWindow(const Event& event) {
  if (past_end_) return false;
  if (event.kind == EventKind::kArenaAcquire && event.state != 0) {
    foreign_arenas_.insert(event.address);
  } else if (event.kind == EventKind::kArenaRelease) {
    foreign_arenas_.erase(event.address);
  } else if (event.kind == EventKind::kFork && run_->note_fork) {
    run_->note_fork(ring_name_, event.number,
                    writer_ ? FileName(path_) : std::string());
  } else if (event.kind == EventKind::kMark && waits_ && begins_.empty()) {
    if (event.name == run_->window.from_mark) {
      AskForPart("mark " + std::string(event.name));
    } else {
      run_->marks_before.emplace(event.name);
    }
  } else if (event.kind == EventKind::kMark && writer_ &&
             event.name == run_->window.until_mark) {
    Write(event);
    past_end_ = true;
    return false;
  }
  return writer_ != nullptr;
}

// It begins as soon as the program stands, if it does not already.
void ProcessRecording::AskForPart(const std::string& why) {
  begins_ = why;
  auto expected = ring::Hold::kAtMarks;
  if (header_->hold.compare_exchange_strong(expected, ring::Hold::kWanted)) {
    return;
  }
  expected = ring::Hold::kNone;
  header_->hold.compare_exchange_strong(expected, ring::Hold::kWanted);
}

void ProcessRecording::TakeStanding() {
  if (header_->hold.load(std::memory_order_acquire) != ring::Hold::kStanding) {
    return;
  }
  for (int i = 0; i < kMostDrains; ++i) {
    DrainOnce(false);
    if (merger_.state_drained() || HasEnded()) break;
    SleepMs(1);
  }
  if (!begins_.empty() && !past_end_) {
    std::vector<HeapImage> heaps;
    std::string failure;
    // Under a debug layer the program's blocks are not pymalloc's own.
    const std::string name(
        header_->allocator,
        strnlen(header_->allocator, sizeof(header_->allocator)));
    const bool pymalloc =
        AllocatorBeneath(name, header_->statistics_bytes.load() != 0) ==
        "pymalloc";
    try {
      heaps =
          run_->heaps(header_->process, [this, pymalloc](std::uint64_t base) {
            return pymalloc && foreign_arenas_.count(base) == 0;
          });
    } catch (const InputError& error) {
      failure = error.what();
    }
    ClosePart();
    OpenPart(begins_);
    // Of the state that stands still, and no other.
    for (HeapImage& heap : heaps) heap.state = 0;
    if (heaps.size() > 1) failure = "more than one heap was found";
    if (failure.empty()) {
      writer_->Heaps(heaps, {});
    } else {
      writer_->Meta("lost.window",
                    "the heap at the window's beginning could not be read (" +
                        failure + ")");
    }
    if (begins_.starts_with("mark ")) {
      Event mark;
      mark.kind = EventKind::kMark;
      mark.time_ns = before_last_drain_ns_;
      mark.name = std::string_view(begins_).substr(5);
      Write(mark);
    }
    waits_ = false;
    begins_.clear();
    while (run_->window.keep != 0 && parts_.size() > run_->window.keep) {
      unlink(parts_.front().c_str());
      parts_.pop_front();
      events_ -= part_events_.front();
      events_before_ -= part_events_.front();
      part_events_.pop_front();
    }
  }
  header_->hold.store(waits_ ? ring::Hold::kAtMarks : ring::Hold::kNone,
                      std::memory_order_release);
}

void ProcessRecording::CheckRotation() {
  const Window& window = run_->window;
  if (!window.rotates() || !writer_ || !begins_.empty()) return;
  const bool full =
      window.rotate_bytes != 0 && writer_->bytes() >= window.rotate_bytes;
  const bool old = window.rotate_ns != 0 &&
                   SinceStart() - part_began_ns_ >= window.rotate_ns;
  if (full || old) AskForPart("part " + std::to_string(part_ + 1));
}

void ProcessRecording::Close() {
  if (finished_) return;
  if (!past_end_) DrainOnce(false);
  ClosePart();
  finished_ = true;
  header_->closed.store(1);
  header_->hold.store(ring::Hold::kNone);
}

}  // namespace arenalab
