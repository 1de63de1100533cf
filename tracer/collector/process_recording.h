// The recording of one process: its ring, the merged order, its trace file.
//
// No file is made before an interpreter has started in the process (its first
// mem or obj event): a program that only links libpython leaves nothing. Nor
// before its window begins (window.h); what comes earlier is drained and
// forgotten.
//
// A WINDOW BEGINS, and so does each further file of a rotation, while the
// program stands still (ring::Hold): all it has published is drained first,
// then its heap is read, then it goes on. So the new file has the heap as it
// was before its own first event.
//
// ERRORS. A trace that cannot be written is given up (error()), while the ring
// is still drained, so that the program goes on untouched.
// THREADS. The collector's only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tracer/collector/living_object.h"
#include "tracer/collector/merger.h"
#include "tracer/collector/process_files.h"
#include "tracer/collector/window.h"
#include "tracer/format/name_table.h"
#include "tracer/format/trace_writer.h"
#include "tracer/ring/chunk_budget.h"
#include "tracer/ring/ring.h"

namespace arenalab {

class ProcessRecording : private EventSink {
 public:
  // What the collector knows and the process does not.
  struct Run {
    std::string id;
    std::string tool;  // name and version, for the trace's metadata
    // The path of the trace of a process, given once for each that needs one.
    std::function<std::string(pid_t)> trace_path;
    // The file name of the trace that was recorded from a ring; empty: none.
    std::function<std::string(const std::string& ring_name)> trace_of_ring;
    // The number of the child that a fork made; 0 where not known (yet).
    std::function<pid_t(const std::string& ring_name, std::uint64_t fork)>
        child_of_fork;
    LivingReader census;  // may be empty
    HeapReader heaps;     // asked where the window cuts
    Window window;
    // Where the window cuts: a fork was recorded, in the file of that name;
    // empty: its parent is not recorded now.
    std::function<void(const std::string& ring_name, std::uint64_t fork,
                       const std::string& file)>
        note_fork;
    // Likewise: what was noted; nullopt: not yet, or the parent is gone.
    std::function<std::optional<std::string>(const std::string& ring_name,
                                             std::uint64_t fork)>
        file_of_fork;
    std::function<bool(const std::string& ring_name)> is_live;
    // Marks that came while a window had not begun.
    mutable std::set<std::string> marks_before;
    bool is_over = false;  // the window has ended for all processes
  };

  // Maps the file and unlinks it. nullptr where it is not a whole ring.
  static std::unique_ptr<ProcessRecording> Open(const std::string& directory,
                                                const std::string& ring_name,
                                                const Run* run);
  ~ProcessRecording() override;
  ProcessRecording(const ProcessRecording&) = delete;
  ProcessRecording& operator=(const ProcessRecording&) = delete;

  // Drains the ring once.
  void Round();
  // The process has ended, or another program runs in it: drains the rest and
  // closes the trace. Once.
  void Finish();
  bool finished() const { return finished_; }
  // Gives the ring's memory up, all but what the members below tell. REQUIRES:
  // finished, and no process has it mapped any more.
  void ReleaseMemory();
  // The end of the window: closes the trace; the program goes on unrecorded.
  void Close();
  // A file is being written.
  bool is_open() const { return writer_ != nullptr && !finished_; }
  bool HasEnded() const { return handle_.HasEnded(); }
  int end_descriptor() const { return handle_.descriptor(); }
  // A mark from outside, where the program is now.
  void Mark(std::string_view name);

  const std::string& ring_name() const { return ring_name_; }
  const ring::Header& header() const { return *header_; }
  pid_t process() const { return header_->process; }
  // In the files that were kept.
  std::uint64_t events() const { return events_; }
  // All that were read from the ring.
  std::uint64_t drained_events() const { return merger_.events(); }
  ring::ChunkUser chunk_user() const {
    return {header_, merger_.threads() + 1};
  }
  std::uint64_t lost() const;
  std::string python() const;
  // The last one's; empty where no interpreter has started in it, or no window
  // begun.
  const std::string& trace_path() const { return path_; }
  // Those that were kept, the oldest first.
  const std::deque<std::string>& trace_paths() const { return parts_; }
  const std::string& error() const { return error_; }
  // What the trace lacks, in words; known once it is finished.
  const std::vector<std::string>& losses() const { return losses_; }

 private:
  ProcessRecording(ring::Header* header, std::string ring_name, const Run* run);

  void OnEvent(const Event& event) override;
  PlainTaken OnPlain(const PlainRequests& plain) override;
  std::uint32_t OnName(NameSpace space, std::string_view name) override;
  std::uint64_t SinceStart() const;
  void Write(const Event& event);
  void DrainOnce(bool ended);
  void OpenTrace();
  void OpenPart(const std::string& why);
  void ClosePart();
  // The window (process_window.cc).
  bool DecideBeginning();
  bool WatchWindow(const Event& event);
  void AskForPart(const std::string& why);
  void TakeStanding();
  void CheckRotation();
  std::string ParentAt() const;
  void WriteMeta(bool final);
  std::string Attribution() const;
  void SampleMemory();
  void WriteReadings();
  void TakeCensus();
  void NoteError();
  void Lose(const char* what, const std::string& reason);

  ring::Header* header_;
  std::string ring_name_;
  const Run* run_;
  ProcessHandle handle_;
  std::string program_;
  Merger merger_;
  std::unique_ptr<TraceWriter> writer_;
  std::string path_;
  std::string error_;
  std::vector<std::string> losses_;
  bool finished_ = false;
  bool meta_written_ = false;
  std::uint64_t events_ = 0;

  // The window has not begun: nothing is written.
  bool waits_ = false;
  bool decided_ = false;  // whether it waits
  bool plain_ = true;     // all of every process, in one file each
  bool past_end_ = false;
  std::string begins_;  // why a file is to begin when the program stands
  std::string base_path_;
  std::deque<std::string> parts_;
  std::deque<std::uint64_t> part_events_;  // of each but the last
  std::uint64_t events_before_ = 0;        // this file
  std::size_t part_ = 0;
  std::uint64_t part_began_ns_ = 0;
  std::uint64_t requests_before_ = 0;  // this file
  std::uint64_t lost_before_ = 0;
  std::uint64_t waited_before_ = 0;
  NameTable names_;  // where the window cuts: for all files
  std::set<std::uint64_t> foreign_arenas_;  // of states that are not state 0
  std::uint64_t before_last_drain_ns_ = 0;
  std::uint64_t next_sample_ns_ = 0;
  std::uint64_t next_care_ns_ = 0;
  // TRACE_FORMAT.md, `readings`.
  struct Reading {
    std::uint64_t time_ns;
    ProcessMemory memory;
  };
  std::vector<Reading> readings_;
  std::uint64_t readings_apart_ns_ = 0;
};

}  // namespace arenalab
