// Keeps an image of each forked child and asks it now and then.
#include "tools/cow/cow.h"

#include <chrono>
#include <fstream>
#include <memory>
#include <sstream>

#include "tools/cow/gc_hook.h"
#include "tools/cow/traced_family.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

using Clock = std::chrono::steady_clock;

std::string CommandOf(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline",
                     std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  std::string command = text.str();
  while (!command.empty() && command.back() == '\0') command.pop_back();
  for (char& c : command)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  return command;
}

class Watcher : public FamilyWatcher {
 public:
  explicit Watcher(CowResult* result) : result_(*result) {}

  void Forked(int parent, int child) override {
    Watched& watched = watched_[child];
    watched = {};
    watched.number = result_.children.size();
    CowChild& row = result_.children.emplace_back();
    row.pid = child;
    row.parent = parent;
    row.command = CommandOf(child);
    row.forked_seconds = Seconds();
    std::shared_ptr<ForkImage>& before = last_image_[parent];
    try {
      watched.image =
          std::make_shared<ForkImage>(child, &heaps_[parent], before.get());
      before = watched.image;
      row.has_arenas = watched.image->has_arenas();
      row.counts = watched.image->counts();
      result_.sees_frames = watched.image->sees_frames();
    } catch (const InputError&) {
      // Without an image the child still has shares.
    }
    Sample(child, &watched);
  }

  void Executed(int pid) override {
    const auto at = watched_.find(pid);
    if (at == watched_.end()) return;
    Child(at->second).executed = true;
    Finish(at);
  }

  void Collecting(int pid, bool begins) override {
    const auto at = watched_.find(pid);
    if (at == watched_.end()) return;
    // What was copied before the collection is not the collector's.
    Look(&at->second, at->second.collecting);
    at->second.collecting = begins;
    Child(at->second).collections += begins;
  }

  void Ending(int pid) override {
    heaps_.erase(pid);
    last_image_.erase(pid);
    const auto at = watched_.find(pid);
    if (at == watched_.end()) return;
    Look(&at->second, at->second.collecting);
    Sample(pid, &at->second);
    Finish(at);
  }

  void Tick() override {
    for (auto& [pid, watched] : watched_) {
      Look(&watched, watched.collecting);
      Sample(pid, &watched);
    }
  }

 private:
  struct Watched {
    std::size_t number = 0;
    bool collecting = false;
    std::shared_ptr<ForkImage> image;
  };
  using Map = std::map<int, Watched>;

  double Seconds() const {
    return std::chrono::duration<double>(Clock::now() - begin_).count();
  }
  CowChild& Child(const Watched& watched) {
    return result_.children[watched.number];
  }
  void Look(Watched* watched, bool collecting) {
    if (watched->image == nullptr) return;
    watched->image->Look(collecting);
    Child(*watched).counts = watched->image->counts();
  }
  void Sample(int pid, Watched* watched) {
    const auto shares = SharesOf(pid);
    if (!shares) return;
    CowChild& row = Child(*watched);
    row.samples.push_back({Seconds(), *shares, row.counts.copied()});
  }
  void Finish(Map::iterator at) {
    Child(at->second).ended_seconds = Seconds();
    watched_.erase(at);
  }

  CowResult& result_;
  const Clock::time_point begin_ = Clock::now();
  Map watched_;  // children that are alive, by process
  // Of parents.
  std::map<int, std::vector<KnownHeap>> heaps_;
  std::map<int, std::shared_ptr<ForkImage>> last_image_;
};

}  // namespace

CowResult WatchCopies(const CowOptions& options) {
  CowResult result;
  result.hook = options.hook;
  result.gc_freeze = options.gc_freeze;
  for (const std::string& word : options.command)
    result.command += (result.command.empty() ? "" : " ") + word;
  std::vector<std::string> variables;
  std::unique_ptr<GcHook> hook;
  if (options.hook) {
    hook = std::make_unique<GcHook>(options.gc_freeze);
    variables = hook->variables();
  }
  Watcher watcher(&result);
  result.status =
      RunFamily(options.command, variables, options.every_seconds, &watcher);
  return result;
}

}  // namespace arenalab
