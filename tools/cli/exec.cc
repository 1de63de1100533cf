// One allocator: this process becomes the program. Several: each runs it in
// turns, and a table is printed. The same for remedies.
#include "tools/cli/exec.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "tools/cli/elf_program.h"
#include "tools/cli/progress.h"
#include "tools/cli/verb.h"
#include "tools/exec/arm.h"
#include "tools/exec/arms.h"
#include "tools/exec/frontier.h"
#include "tools/exec/measured_run.h"
#include "tools/exec/remedies.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

namespace fs = std::filesystem;

struct ExecFlags {
  std::string allocators = "pymalloc";
  std::string scope = "mem+obj";
  bool stats = false;
  std::string stats_file;
  int rounds = 3;
  bool json = false;
  std::vector<std::string> command;
};

struct RemedyFlags {
  int rounds = 3;
  bool json = false;
  std::vector<std::string> command;
};

ArmComparison Compare(const std::string& verb, const std::vector<Arm>& arms,
                      const std::vector<std::string>& command, int rounds) {
  Progress progress(verb);
  return CompareArms(arms, command, rounds,
                     [&](const std::string& name, int done, int total) {
                       progress.Part(name, done, total);
                     });
}

// What a table is about, or nothing that could be compared.
int StatusOf(const ArmComparison& comparison) {
  const ArmResult& first = comparison.arms.front();
  if (first.median.status == 126 || first.median.status == 127) {
    return first.median.status;
  }
  bool differs = false;
  for (const ArmResult& result : comparison.arms) {
    if (result.median.status == first.median.status) continue;
    std::fprintf(stderr,
                 "arenalab: on %s the program ended with status %d, "
                 "on %s with %d\n",
                 result.arm.name.c_str(), result.median.status,
                 first.arm.name.c_str(), first.median.status);
    differs = true;
  }
  return differs ? kOursFailed : first.median.status;
}

int Exec(const ExecFlags& flags) {
  const std::string musl = RefuseMusl(flags.command[0]);
  if (!musl.empty()) {
    std::fprintf(stderr, "arenalab: %s\n", musl.c_str());
    return kOursFailed;
  }
  const Scope scope = ParseScope(flags.scope);
  std::vector<std::string> names = SplitAllocators(flags.allocators);
  if (names.size() == 1) {
    Arm arm = AllocatorArm(names[0], scope);
    if (flags.stats || !flags.stats_file.empty()) {
      if (arm.name == "native") {
        throw UsageError(
            "--stats: nothing of ours is in a native run to report; "
            "pass-through is nearest to it");
      }
      arm.variables.push_back(
          {"ARENALAB_STATS", flags.stats_file.empty()
                                 ? "1"
                                 : fs::absolute(flags.stats_file).string()});
    }
    if (const std::string shift = ShiftFor(arm, flags.command);
        !shift.empty()) {
      arm.variables.push_back({"ARENALAB_SHIFT", shift});
    }
    return BecomeProgram(arm, flags.command);
  }
  if (flags.stats || !flags.stats_file.empty()) {
    throw UsageError("--stats is for one allocator; give one");
  }
  std::vector<Arm> arms;
  if (names[0] != "native") arms.push_back(AllocatorArm("native", scope));
  for (const std::string& name : names) {
    arms.push_back(AllocatorArm(name, scope));
  }
  const ArmComparison comparison =
      Compare("exec", arms, flags.command, flags.rounds);
  std::fputs(flags.json ? ArmJson(comparison, flags.command).c_str()
                        : ArmTable(comparison).c_str(),
             stdout);
  return StatusOf(comparison);
}

// Removed when it goes.
class StartupFolder {
 public:
  StartupFolder() {
    std::string name = (fs::temp_directory_path() / "arenalab-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw InputError("cannot make a folder in " +
                       fs::temp_directory_path().string());
    }
    path_ = name;
    std::ofstream(fs::path(path_) / "sitecustomize.py") << kFreezeBeforeFork;
  }
  ~StartupFolder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  StartupFolder(const StartupFolder&) = delete;
  StartupFolder& operator=(const StartupFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

int RunRemedies(const RemedyFlags& flags) {
  // Once to warm the page cache, and to see whether it forks.
  const MeasuredRun first =
      RunMeasured({"as it is", {}, ""}, flags.command, false);
  if (first.status == 126 || first.status == 127) return first.status;
  std::unique_ptr<StartupFolder> startup;
  if (first.forked) startup = std::make_unique<StartupFolder>();
  const ArmComparison comparison =
      Compare("remedies", Remedies(startup ? startup->path() : ""),
              flags.command, flags.rounds);
  std::fputs(flags.json ? ArmJson(comparison, flags.command).c_str()
                        : RemedyTable(comparison, flags.command).c_str(),
             stdout);
  return StatusOf(comparison);
}

}  // namespace

void AddExec(CommandLine& line) {
  Verb verb = line.AddVerb(
      "exec", "Run a Python program on another allocator, or on several");
  auto flags = std::make_shared<ExecFlags>();
  verb.Value(
          "-a,--allocator", &flags->allocators,
          "pymalloc, mimalloc, jemalloc, system, pass-through, native, a "
          "malloc library's path; with settings as for replay. Several, with "
          "commas: a table instead of the program's output")
      .ShowDefault();
  verb.Value(
          "--scope", &flags->scope,
          "What is served: mem+obj (objects and buffers), raw (also Python's "
          "raw domain), process (every malloc)")
      .OneOf({"mem+obj", "raw", "process"})
      .ShowDefault();
  verb.Flag("--stats", &flags->stats,
            "At exit, on stderr: the table of sys._debugmallocstats(), and one "
            "line of figures");
  verb.Value("--stats-file", &flags->stats_file,
             "The same, appended to a file");
  verb.Value("--rounds", &flags->rounds, "Of several: how often each runs")
      .Between(1, 1000)
      .ShowDefault();
  verb.Flag("--json", &flags->json, "Of several: one JSON object, every run");
  verb.Program(&flags->command, "The program, after --").Required();
  verb.Footer(
      "Examples:\n"
      "  arenalab exec --allocator mimalloc -- python3 app.py\n"
      "  arenalab exec -a 'pymalloc{cpython-3.9}' --stats -- python3 app.py\n"
      "  arenalab exec -a jemalloc --scope process -- python3 app.py\n"
      "  arenalab exec -a pymalloc,mimalloc,jemalloc,system -- python3 app.py\n"
      "\n"
      "Memory is resident memory of all processes; `valley` the last local "
      "minimum that\nit rises from again by a fifth of the peak; `end` the "
      "most "
      "of the last 50 ms.\n"
      "\n"
      "Exit status: the program's own (126, 127 where it cannot be run); 125 "
      "where an\nallocator cannot serve this interpreter, or its run of "
      "several "
      "ended otherwise.");
  verb.Does([flags] { return Exec(*flags); });
}

void AddRemedies(CommandLine& line) {
  Verb verb = line.AddVerb(
      "remedies",
      "Run a Python program under settings and allocators that may help, and "
      "say what each saves");
  auto flags = std::make_shared<RemedyFlags>();
  verb.Value("--rounds", &flags->rounds, "How often each runs")
      .Between(1, 1000)
      .ShowDefault();
  verb.Flag("--json", &flags->json, "One JSON object, every run");
  verb.Program(&flags->command, "The program, after --").Required();
  verb.Footer(
      "Examples:\n"
      "  arenalab remedies -- python3 app.py\n"
      "  arenalab remedies --rounds 7 -- python3 -m pytest tests\n"
      "\n"
      "As it is, with MALLOC_ARENA_MAX=2, a trim threshold, jemalloc and "
      "mimalloc (raw\nonly; everything), PYTHONMALLOC=malloc, gc.freeze() "
      "before "
      "a fork where it forks,\nand policies of pymalloc that CPython does not "
      "have. The lines to copy come last.\n"
      "\n"
      "Exit status: the program's own as it is; 125 where it ended otherwise "
      "under a\nremedy.");
  verb.Does([flags] { return RunRemedies(*flags); });
}

}  // namespace arenalab
