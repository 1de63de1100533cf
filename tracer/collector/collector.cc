// See collector.h.
#include "tracer/collector/collector.h"

#include <dirent.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>

namespace arenalab {
namespace {

// Between rounds: so that about kEventsPerRound come together. They stay within
// the processor's cache (at full speed a program makes 120 to 240 MB of records
// a second), and rounds are few where a program needs both cores. An idle one
// costs nothing.
constexpr std::uint64_t kEventsPerRound = 1 << 15;
constexpr long kShortestSleepNs = 1'000'000;
constexpr long kLongestSleepNs = 20'000'000;

std::string MakeRunDirectory() {
  const char* temporary = std::getenv("TMPDIR");
  const std::string elsewhere = temporary != nullptr ? temporary : "/tmp";
  for (const std::string& parent : {std::string("/dev/shm"), elsewhere}) {
    struct statfs space;
    // Containers often have a tiny /dev/shm. A page that cannot be had there
    // would kill the program.
    if (statfs(parent.c_str(), &space) != 0 ||
        space.f_bavail * static_cast<std::uint64_t>(space.f_bsize) <
            4 * ring::kRingBytes) {
      continue;
    }
    std::string path = parent + "/arenalab-XXXXXX";
    if (mkdtemp(path.data()) != nullptr) return path;
  }
  throw std::runtime_error(
      "no room for the recording's shared memory in /dev/shm or " + elsewhere +
      " (128 MiB): set TMPDIR");
}

std::uint64_t MonotonicNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

std::vector<std::string> FilesIn(const std::string& directory) {
  std::vector<std::string> names;
  if (DIR* open = opendir(directory.c_str())) {
    while (const dirent* entry = readdir(open)) names.push_back(entry->d_name);
    closedir(open);
  }
  return names;
}

}  // namespace

Collector::Collector(CollectorOptions options)
    : options_(std::move(options)),
      directory_(MakeRunDirectory()),
      sleep_ns_(kShortestSleepNs) {
  run_.id = directory_.substr(directory_.rfind('-') + 1);
  Watch();
  run_.tool = options_.tool;
  if (options_.types) run_.census = options_.census;
  run_.window = options_.window;
  run_.heaps = options_.heaps;
  run_.note_fork = [this](const std::string& ring, std::uint64_t fork,
                          const std::string& file) {
    fork_files_[{ring, fork}] = file;
  };
  run_.file_of_fork = [this](const std::string& ring,
                             std::uint64_t fork) -> std::optional<std::string> {
    const auto found = fork_files_.find({ring, fork});
    if (found == fork_files_.end()) return std::nullopt;
    return found->second;
  };
  run_.is_live = [this](const std::string& ring) { return IsLive(ring); };
  run_.trace_path = [this](pid_t process) { return TracePath(process); };
  run_.trace_of_ring = [this](const std::string& ring) {
    const auto found = traces_.find(ring);
    return found == traces_.end() ? std::string() : found->second;
  };
  run_.child_of_fork = [this](const std::string& ring, std::uint64_t fork) {
    const auto found = children_.find({ring, fork});
    return found == children_.end() ? pid_t{0} : found->second;
  };
}

Collector::~Collector() {
  if (watch_ >= 0) close(watch_);
  for (const std::string& name : FilesIn(directory_)) {
    if (name.ends_with(ring::kRingSuffix) ||
        name.ends_with(ring::kMarkSuffix) || name == ring::kMainLink) {
      unlink((directory_ + "/" + name).c_str());
    }
  }
  rmdir(directory_.c_str());
}

std::map<std::string, std::string> Collector::Environment() const {
  return {
      {ring::kRunVariable, directory_},
      {ring::kCollectorVariable, std::to_string(getpid())},
      {ring::kLayersVariable, options_.layers ? "1" : "0"},
      {ring::kLossyVariable, options_.lossy ? "1" : "0"},
      {ring::kAloneVariable, options_.children ? "0" : "1"},
      {ring::kTypesVariable, options_.types ? "1" : "0"},
      {ring::kWindowVariable, options_.window.from_mark.empty() ? "0" : "1"},
      {ring::kSitesVariable, options_.sites ? "1" : "0"},
      {ring::kStacksVariable, options_.stacks ? "1" : "0"}};
}

// The first to need one is the run's main process.
std::string Collector::TracePath(pid_t process) {
  constexpr std::string_view kSuffix = ".trace";
  std::string path = options_.trace_path;
  if (!paths_.empty()) {
    const bool suffixed = path.ends_with(kSuffix);
    if (suffixed) path.resize(path.size() - kSuffix.size());
    path += "." + std::to_string(process);
    const std::string end = suffixed ? std::string(kSuffix) : "";
    // A process may start one interpreter after another.
    const std::string stem = path;
    path += end;
    for (int n = 2; paths_.contains(path); ++n) {
      path = stem + "-" + std::to_string(n) + end;
    }
  }
  paths_.insert(path);
  return path;
}

void Collector::FindRings() {
  std::vector<std::unique_ptr<ProcessRecording>> found;
  for (const std::string& name : FilesIn(directory_)) {
    if (name.front() == '.' || !name.ends_with(ring::kRingSuffix)) continue;
    auto process = ProcessRecording::Open(directory_, name, &run_);
    if (process) found.push_back(std::move(process));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a->header().started_ns < b->header().started_ns;
  });
  for (auto& process : found) {
    const ring::Header& header = process->header();
    if (header.parent[0] != 0) {
      children_[{header.parent, header.parent_fork}] = process->process();
    }
    // The same process again: another program runs in it, the older ring's
    // memory is gone.
    for (auto& older : live_) {
      if (older->process() != process->process()) continue;
      older->Finish();
      older->ReleaseMemory();
    }
    live_.push_back(std::move(process));
  }
}

// A name is at most as long as a trace keeps.
void Collector::TakeMarks() {
  for (const std::string& file : FilesIn(directory_)) {
    if (file.front() == '.' || !file.ends_with(ring::kMarkSuffix)) continue;
    const std::string path = directory_ + "/" + file;
    std::ifstream text(path);
    const std::string name{std::istreambuf_iterator<char>(text), {}};
    const pid_t process = std::atoi(file.c_str());
    for (const auto& recording : live_) {
      if (recording->process() == process) recording->Mark(name);
    }
    // When it stands: whoever left it waits for that.
    unlink(path.c_str());
  }
}

bool Collector::IsLive(const std::string& ring_name) const {
  return std::any_of(live_.begin(), live_.end(), [&](const auto& process) {
    return process->ring_name() == ring_name && !process->finished();
  });
}

// The duration counts from the run's first file.
void Collector::EndWindow() {
  if (options_.window.duration_ns == 0 || run_.is_over) return;
  const std::uint64_t now = MonotonicNs();
  if (window_ends_ns_ == 0) {
    if (std::any_of(live_.begin(), live_.end(),
                    [](const auto& process) { return process->is_open(); })) {
      window_ends_ns_ = now + options_.window.duration_ns;
    }
  } else if (now >= window_ends_ns_) {
    run_.is_over = true;
    for (const auto& process : live_) process->Close();
  }
}

// Rings and marks get their names when they are whole.
void Collector::Watch() {
  watch_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (watch_ < 0) return;
  if (inotify_add_watch(watch_, directory_.c_str(),
                        IN_MOVED_TO | IN_CLOSE_WRITE) < 0) {
    close(watch_);
    watch_ = -1;
  }
}

std::uint64_t Collector::Drained() const {
  std::uint64_t events = 0;
  for (const auto& process : live_) events += process->drained_events();
  return events;
}

void Collector::Round() {
  if (changed_) {
    FindRings();
    TakeMarks();
  }
  EndWindow();
  std::vector<ring::ChunkUser> users;
  for (const auto& process : live_) users.push_back(process->chunk_user());
  ring::ShareChunks(users);
  const std::uint64_t before = Drained();
  for (auto& process : live_) {
    const bool ended = process->HasEnded();
    process->Round();
    if (ended) process->Finish();
    if (ended) process->ReleaseMemory();
    if (!process->trace_path().empty()) {
      const std::string& path = process->trace_path();
      traces_.try_emplace(process->ring_name(),
                          path.substr(path.rfind('/') + 1));
    }
  }
  const std::uint64_t events = Drained() - before;
  const auto finished = std::stable_partition(
      live_.begin(), live_.end(),
      [](const auto& process) { return !process->finished(); });
  std::move(finished, live_.end(), std::back_inserter(done_));
  live_.erase(finished, live_.end());
  Sleep(events);
}

void Collector::Sleep(std::uint64_t events) {
  // Twice as long at most.
  const double share = static_cast<double>(kEventsPerRound) /
                       static_cast<double>(std::max<std::uint64_t>(events, 1));
  sleep_ns_ = std::clamp(
      static_cast<long>(static_cast<double>(sleep_ns_) * std::min(share, 2.0)),
      kShortestSleepNs, kLongestSleepNs);
  std::vector<pollfd> wakers;
  if (watch_ >= 0) wakers.push_back({watch_, POLLIN, 0});
  for (const auto& process : live_) {
    wakers.push_back({process->end_descriptor(), POLLIN, 0});
  }
  const timespec time = {0, sleep_ns_};
  ppoll(wakers.data(), wakers.size(), &time, nullptr);
  changed_ = watch_ < 0;
  char notes[4096];
  while (watch_ >= 0 && read(watch_, notes, sizeof(notes)) > 0) changed_ = true;
}

void Collector::Finish() {
  FindRings();
  for (auto& process : live_) {
    process->Round();
    process->Finish();
    done_.push_back(std::move(process));
  }
  live_.clear();
  // What was begun and never got its final name.
  for (const std::string& name : FilesIn(directory_)) {
    refused_ += name.front() == '.' && name.ends_with(ring::kRingSuffix);
  }
}

std::vector<const ProcessRecording*> Collector::Recorded() const {
  std::vector<const ProcessRecording*> recorded;
  for (const auto& process : done_) {
    if (!process->trace_path().empty()) recorded.push_back(process.get());
  }
  std::sort(recorded.begin(), recorded.end(),
            [](const ProcessRecording* a, const ProcessRecording* b) {
              return a->header().started_ns < b->header().started_ns;
            });
  return recorded;
}

}  // namespace arenalab
