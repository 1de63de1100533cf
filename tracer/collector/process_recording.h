// The recording of one process: its ring, the merged order, its trace file.
//
// No file is made before an interpreter has started in the process (its first
// mem or obj event): a program that only links libpython leaves nothing.
//
// ERRORS. A trace that cannot be written is given up (error()), while the ring
// is still drained, so that the program goes on untouched.
// THREADS. The collector's only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tracer/collector/living_object.h"
#include "tracer/collector/merger.h"
#include "tracer/collector/process_files.h"
#include "tracer/format/trace_writer.h"
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
  };

  // Maps the file and unlinks it. nullptr where it is not a whole ring.
  static std::unique_ptr<ProcessRecording> Open(const std::string& directory,
                                                const std::string& ring_name,
                                                const Run* run);
  ~ProcessRecording() override;
  ProcessRecording(const ProcessRecording&) = delete;
  ProcessRecording& operator=(const ProcessRecording&) = delete;

  // Drains the ring once. True if there was something.
  bool Round();
  // The process has ended, or another program runs in it: drains the rest and
  // closes the trace. Once.
  void Finish();
  bool finished() const { return finished_; }
  bool HasEnded() const { return handle_.HasEnded(); }
  // A mark from outside, where the program is now.
  void Mark(std::string_view name);

  const std::string& ring_name() const { return ring_name_; }
  const ring::Header& header() const { return *header_; }
  pid_t process() const { return header_->process; }
  std::uint64_t events() const { return merger_.events(); }
  std::uint64_t lost() const;
  std::string python() const;
  // Empty where no interpreter has started in it.
  const std::string& trace_path() const { return path_; }
  const std::string& error() const { return error_; }
  // What the trace lacks, in words; known once it is finished.
  const std::vector<std::string>& losses() const { return losses_; }

 private:
  ProcessRecording(ring::Header* header, std::string ring_name, const Run* run);

  void OnEvent(const Event& event) override;
  std::uint32_t OnName(NameSpace space, std::string_view name) override;
  std::uint64_t SinceStart() const;
  bool DrainOnce(bool ended);
  void OpenTrace();
  void WriteMeta(bool final);
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
