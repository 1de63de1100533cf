// Recording, replaying and checking out for the gate; contract in
// ci_recording.h.
#include "tools/cli/ci_recording.h"

#include <spawn.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tools/cli/record.h"
#include "tools/replay/replay.h"
#include "tools/verify/verify.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

// While it lives: a program started from here writes its output to stderr, has
// hash seed 0 and the same addresses every time, and runs in `folder`.
class RecordingState {
 public:
  explicit RecordingState(const std::string& folder)
      : stdout_(dup(STDOUT_FILENO)),
        layout_(personality(0xffffffff)),
        before_(std::filesystem::current_path()) {
    std::filesystem::current_path(folder);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    setenv("PYTHONHASHSEED", "0", 1);
    if (layout_ >= 0) {
      personality(static_cast<unsigned long>(layout_) | ADDR_NO_RANDOMIZE);
    }
  }
  ~RecordingState() {
    std::error_code ignored;
    std::filesystem::current_path(before_, ignored);
    dup2(stdout_, STDOUT_FILENO);
    close(stdout_);
    if (layout_ >= 0) personality(static_cast<unsigned long>(layout_));
  }
  RecordingState(const RecordingState&) = delete;
  RecordingState& operator=(const RecordingState&) = delete;

 private:
  int stdout_;
  int layout_;
  std::filesystem::path before_;
};

int RunGit(std::vector<std::string> words) {
  words.insert(words.begin(), "git");
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // What git says is no data of ours.
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t child = 0;
  const int error =
      posix_spawnp(&child, "git", &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return 127;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

}  // namespace

void RecordForCi(const CiProgram& program, const std::string& folder,
                 const std::string& trace) {
  RecordRequest request;
  request.output = std::filesystem::absolute(trace).string();
  request.force = true;
  request.command = program.command;
  RecordOutcome outcome;
  {
    const RecordingState state(folder);
    outcome = Record(request);
  }
  if (outcome.trace.empty()) {
    throw InputError("program '" + program.name +
                     "': nothing was recorded; arenalab doctor -- " +
                     program.command[0] + " says why");
  }
  if (outcome.status != 0) {
    throw InputError(
        "program '" + program.name + "': the command ended with status " +
        std::to_string(outcome.status) + "; a gate needs one that passes");
  }
}

nlohmann::ordered_json ReplayForCi(const CiConfig& config,
                                   const std::string& trace,
                                   const std::string& allocators, int rounds,
                                   bool canonical) {
  ReplayRequest request;
  request.trace = trace;
  request.allocators = allocators;
  request.repetitions = rounds;
  request.samples = static_cast<std::size_t>(config.samples);
  request.recorded_clock = false;
  request.oracle = false;
  const std::optional<Scope> scope = ScopeNamed(config.scope);
  if (!scope.has_value()) {
    throw InputError(config.file + ": scope is python, python+raw or process");
  }
  request.scope = *scope;
  request.verify =
      nlohmann::ordered_json::parse(VerifyJson(Verify(trace, VerifyOptions{})));
  if (canonical) request.arena_offsets = {0};
  return Replay(request);
}

CheckedOut::CheckedOut(const std::string& ref) {
  std::string folder =
      (std::filesystem::temp_directory_path() / "arenalab-base-XXXXXX")
          .string();
  if (mkdtemp(folder.data()) == nullptr) {
    throw InputError(folder + ": cannot be made");
  }
  folder_ = folder + "/tree";
  if (RunGit({"worktree", "add", "--quiet", "--detach", folder_, ref}) != 0) {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    throw InputError("--baseline-ref " + ref +
                     ": git could not check it out; is it fetched?");
  }
}

CheckedOut::~CheckedOut() {
  RunGit({"worktree", "remove", "--force", folder_});
  std::error_code ignored;
  std::filesystem::remove_all(std::filesystem::path(folder_).parent_path(),
                              ignored);
}

}  // namespace arenalab
