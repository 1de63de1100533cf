// Collects a run: every process that makes a ring in the run's directory, until
// the run's last process has ended.
//
//   Collector collector(options);       // makes the directory
//   ... start the program with collector.Environment() ...
//   while (processes are left) collector.Round();   // sleeps a little itself
//   collector.Finish();
//
// THREADS. One.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tracer/collector/process_recording.h"

namespace arenalab {

struct CollectorOptions {
  // Of the first process with an interpreter; the others get `.PID` before the
  // suffix.
  std::string trace_path;
  bool layers = false;
  bool lossy = false;    // a full ring drops events
  bool children = true;  // else only the first process with an interpreter
  bool types = false;
  bool sites = false;
  bool stacks = false;  // and a site is a whole stack
  // Asked with `types`, at marks and at the end; may be empty.
  LivingReader census;
  Window window;
  HeapReader heaps;  // asked where the window cuts
  std::string tool;  // name and version
};

class Collector {
 public:
  // Throws std::runtime_error where no directory for the rings can be made.
  explicit Collector(CollectorOptions options);
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  // What the program's environment must hold besides the preload library.
  std::map<std::string, std::string> Environment() const;

  // Takes up new processes, drains all once, closes the traces of those that
  // have ended, and sleeps, the longer the less there was, or until a process
  // begins, ends or is marked.
  void Round();
  // No process is left: closes all traces.
  void Finish();

  // Processes that could not make a ring; they ran unrecorded.
  int refused() const { return refused_; }

  // The names of marks that came while the window had not begun: which names
  // there are, if it never did.
  const std::set<std::string>& marks_before() const {
    return run_.marks_before;
  }

  // All that left a trace, in the order in which they began.
  std::vector<const ProcessRecording*> Recorded() const;

 private:
  void Watch();
  void Sleep(std::uint64_t events);
  std::uint64_t Drained() const;
  void FindRings();
  void TakeMarks();
  void EndWindow();
  bool IsLive(const std::string& ring_name) const;
  std::string TracePath(pid_t process);

  CollectorOptions options_;
  std::string directory_;
  ProcessRecording::Run run_;
  std::vector<std::unique_ptr<ProcessRecording>> live_;
  std::vector<std::unique_ptr<ProcessRecording>> done_;
  std::map<std::string, std::string> traces_;  // by ring
  std::map<std::pair<std::string, std::uint64_t>, pid_t> children_;
  // Where the window cuts: the file in which a fork stands, or "".
  std::map<std::pair<std::string, std::uint64_t>, std::string> fork_files_;
  std::uint64_t window_ends_ns_ = 0;  // MonotonicNs(); 0: not yet known
  std::set<std::string> paths_;
  int refused_ = 0;
  long sleep_ns_;
  int watch_ = -1;       // of the directory; -1: it is read every round
  bool changed_ = true;  // since it was read
};

}  // namespace arenalab
