// The checks of `arenalab doctor` that are about this machine.
#include "tools/cli/doctor_machine.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tools/cli/doctor_ptrace.h"
#include "tools/replay/allocator_spec.h"
#include "tools/replay/measure.h"
#include "tools/replay/readable.h"
#include "tracer/format/input_error.h"
#include "tracer/ring/ring.h"

namespace arenalab {
namespace {

namespace fs = std::filesystem;

// A program that does nothing but allocate writes about 50 MB a second.
constexpr double kLittleDiskBytes = 1e9;
// Each process of a run has a ring of its own; a run of a few must fit.
constexpr double kLittleSharedBytes = 4.0 * ring::kRingBytes;

void ExamineEnvironment(Findings* findings) {
  for (const char* name : {"PYTHONMALLOC", "PYTHONDEVMODE"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0' ||
        std::string_view(value) == "pymalloc" ||
        std::string_view(value) == "default") {
      continue;
    }
    findings->push_back({Severity::kBad, "python-malloc",
                         std::string(name) + "=" + value + " is set",
                         "programs run with it do not use pymalloc as it is; "
                         "such recordings cannot be verified",
                         std::string("unset ") + name});
  }
  const char* preload = std::getenv("LD_PRELOAD");
  if (preload != nullptr && *preload != '\0') {
    findings->push_back({Severity::kBad, "preload",
                         std::string("LD_PRELOAD=") + preload + " is set",
                         "another library stands between the program and its "
                         "allocator, in the recording and in the replay",
                         "unset LD_PRELOAD"});
  }
}

void ExamineOwnFiles(Findings* findings) {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const fs::path library =
      self.parent_path() / "../../tracer/preload/libarenalab_trace.so";
  if (fs::exists(library, error)) {
    findings->push_back({Severity::kFine, "recorder",
                         "the recorder's library is there", "", ""});
  } else {
    findings->push_back(
        {Severity::kBad, "recorder", "the recorder's library is missing",
         library.lexically_normal().string(), "bazel build //tracer/..."});
  }
  const std::vector<std::string> known = KnownAllocators();
  if (known.empty()) {
    findings->push_back({Severity::kBad, "worker", "no replay worker is there",
                         "nothing can be replayed in a process of its own",
                         "bazel build //allocators/..."});
  }
  for (const std::string& name : known) {
    try {
      const AllocatorIdentity identity =
          ProbeAllocator(ParseAllocatorSpec(name));
      findings->push_back(
          {Severity::kFine, "worker-" + name,
           "replay on " + name +
               (identity.version.empty() ? "" : " " + identity.version),
           "", ""});
    } catch (const InputError& wrong) {
      findings->push_back({Severity::kBad, "worker-" + name,
                           "replay on " + name + " does not start",
                           wrong.what(),
                           std::string_view(wrong.what()).find("GLIBC_") !=
                                   std::string_view::npos
                               ? "this system's glibc is older than the one "
                                 "it was linked with: replay where it was "
                                 "built, or on Debian 12"
                               : "bazel build //allocators/..."});
    }
  }
}

bool InPath(const std::string& name) {
  const char* path = std::getenv("PATH");
  if (path == nullptr) return false;
  const std::string folders = path;
  for (std::size_t at = 0; at <= folders.size();) {
    const std::size_t end = std::min(folders.find(':', at), folders.size());
    if (access((folders.substr(at, end - at) + "/" + name).c_str(), X_OK) == 0)
      return true;
    at = end + 1;
  }
  return false;
}

void ExamineTools(Findings* findings) {
  const auto want = [&](const char* program, const char* why) {
    if (InPath(program)) return;
    findings->push_back({Severity::kNote, program,
                         std::string(program) + " is not installed", why,
                         "./tools/setup"});
  };
  want("node", "the page cannot be built anew nor its tests run");
  want("chromium", "the tests of the page in a browser are skipped");
}

// Free bytes for this user; negative: unknown.
double FreeBytes(const std::string& folder) {
  struct statvfs space;
  if (statvfs(folder.c_str(), &space) != 0) return -1;
  return static_cast<double>(space.f_bavail) *
         static_cast<double>(space.f_frsize);
}

void ExamineRoom(const std::string& folder, Findings* findings) {
  const double disk = FreeBytes(folder);
  if (disk < 0 || access(folder.c_str(), W_OK) != 0) {
    findings->push_back({Severity::kBad, "disk",
                         folder + " cannot be written to",
                         "a trace has to go somewhere",
                         "arenalab record -o /elsewhere/app.trace ..."});
  } else {
    findings->push_back(
        {disk < kLittleDiskBytes ? Severity::kBad : Severity::kFine, "disk",
         ReadableBytes(disk) + " free in " + folder,
         disk < kLittleDiskBytes
             ? "a recording takes about two bytes an event, up to 50 MB a "
               "second; a full disk ends it, not the program"
             : "",
         disk < kLittleDiskBytes ? "arenalab record -o /elsewhere/app.trace ..."
                                 : ""});
  }
  const double shared = FreeBytes("/dev/shm");
  const bool little = shared < kLittleSharedBytes;
  findings->push_back(
      {little ? Severity::kNote : Severity::kFine, "shared-memory",
       shared < 0 ? "there is no /dev/shm"
                  : ReadableBytes(shared) + " free in /dev/shm",
       little ? "each recorded process has a ring of " +
                    ReadableBytes(static_cast<double>(ring::kRingBytes)) +
                    " there; the recorder takes TMPDIR instead, which may be "
                    "slower"
              : "",
       little ? "docker run --shm-size=1g ..." : ""});
}

std::string FirstLine(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The rest of the line that begins with `key`.
std::string FirstLineWith(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key)) return line.substr(key.size());
  return "";
}

void ExamineKernel(Findings* findings) {
  findings->push_back(
      PtraceFinding(FirstLine("/proc/sys/kernel/yama/ptrace_scope"),
                    FirstLineWith("/proc/self/status", "CapEff:")));
  const std::string aslr = FirstLine("/proc/sys/kernel/randomize_va_space");
  if (aslr == "0") {
    findings->push_back({Severity::kNote, "aslr",
                         "address-space randomisation is off",
                         "every run has the same arena bases; with it some "
                         "arenas have 63 pools and some 64",
                         ""});
  }
  const std::string pages =
      FirstLine("/sys/kernel/mm/transparent_hugepage/enabled");
  if (pages.find("[always]") != std::string::npos) {
    findings->push_back({Severity::kNote, "huge-pages",
                         "transparent huge pages are on for everyone",
                         "resident bytes of real allocators grow in steps of "
                         "2 MiB; the model counts pages of 4 KiB",
                         "echo madvise > "
                         "/sys/kernel/mm/transparent_hugepage/enabled"});
  }
  const unsigned cores = std::thread::hardware_concurrency();
  if (cores == 1) {
    findings->push_back({Severity::kNote, "cores", "there is one core",
                         "program and collector take turns on it: recording "
                         "costs more, and times are noisy",
                         ""});
  }
}

}  // namespace

Findings ExamineMachine(const std::string& folder) {
  Findings findings;
  ExamineEnvironment(&findings);
  ExamineOwnFiles(&findings);
  ExamineTools(&findings);
  ExamineRoom(folder, &findings);
  ExamineKernel(&findings);
  return findings;
}

}  // namespace arenalab
