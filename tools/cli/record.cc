// The command runs as a child with the preload library in its environment; this
// process is the collector. Exit status: the command's own; 125 where nothing
// was recorded or the trace could not be written.
#include "tools/cli/record.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tools/cli/elf_program.h"
#include "tools/inspect/living_types.h"
#include "tools/inspect/standing_heaps.h"
#include "tools/version.h"
#include "tracer/collector/traced_command.h"

namespace arenalab {
namespace {

namespace fs = std::filesystem;

constexpr char kDefaultName[] = "arenalab-%n-%t-%p.trace";

RecordOutcome Failed(const std::string& message) {
  std::fprintf(stderr, "arenalab: %s\n", message.c_str());
  return {kOursFailed, ""};
}

// Beside this program, as the build lays them out.
fs::path PreloadLibrary() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return self.parent_path() / "../../tracer/preload/libarenalab_trace.so";
}

// The program's name: of its first Python file, else of the command.
std::string ScriptName(const std::vector<std::string>& command) {
  for (const std::string& word : command) {
    if (word.ends_with(".py")) return fs::path(word).stem();
  }
  return fs::path(command[0]).filename();
}

std::string Grouped(std::uint64_t n) {
  std::string digits = std::to_string(n);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

void Summarise(const std::vector<const ProcessRecording*>& recorded) {
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  for (const ProcessRecording* process : recorded) {
    events += process->events();
    std::error_code error;
    for (const std::string& path : process->trace_paths()) {
      const auto size = fs::file_size(path, error);
      if (!error) bytes += size;
    }
  }
  std::string also;
  if (recorded.size() > 1) {
    also = " in " + std::to_string(recorded.size()) + " processes";
  }
  std::uint64_t lost = 0;
  for (const ProcessRecording* process : recorded) lost += process->lost();
  if (lost != 0) {
    std::fprintf(stderr, "arenalab: warning: %s events were lost\n",
                 Grouped(lost).c_str());
  }
  std::fprintf(stderr,
               "arenalab: %s events%s of Python %s, %.1f MB, %.2f bytes an "
               "event\n",
               Grouped(events).c_str(), also.c_str(),
               recorded[0]->python().c_str(), static_cast<double>(bytes) / 1e6,
               static_cast<double>(bytes) /
                   static_cast<double>(std::max<std::uint64_t>(events, 1)));
  // The main one last: scripts take the last line but one.
  for (std::size_t i = recorded.size(); i-- > 0;) {
    for (const std::string& path : recorded[i]->trace_paths()) {
      std::fprintf(stderr, "%s\n", path.c_str());
    }
  }
  std::fprintf(stderr, "next: arenalab verify %s\n",
               recorded[0]->trace_path().c_str());
}

Window WindowOf(const RecordRequest& request) {
  Window window;
  window.from_mark = request.from_mark;
  window.until_mark = request.until_mark;
  window.duration_ns = static_cast<std::uint64_t>(request.duration_s * 1e9);
  window.keep = static_cast<std::size_t>(request.keep);
  for (const std::string& word : request.rotate) {
    if (!ParseRotation(word, &window)) {
      throw UsageError("--rotate " + word +
                       ": a size (500K, 64M, 2G) or an age (90s, 10min, 2h)");
    }
  }
  if (window.keep != 0 && !window.rotates()) {
    throw UsageError("--keep: how many files of --rotate, which is missing");
  }
  return window;
}

// Why there is no trace, where the window never began.
std::string NeverBegan(const Window& window, const Collector& collector) {
  std::string text = "nothing recorded: no mark `" + window.from_mark +
                     "` was made before the end";
  std::size_t shown = 0;
  for (const std::string& mark : collector.marks_before()) {
    text += (shown == 0 ? "; marks were: " : ", ") + mark;
    if (++shown == 10) break;
  }
  return text;
}

}  // namespace

std::string ExpandName(const std::string& pattern,
                       const std::vector<std::string>& command) {
  std::string name;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      name += pattern[i];
      continue;
    }
    const char what = ++i < pattern.size() ? pattern[i] : '\0';
    if (what == '%') {
      name += '%';
    } else if (what == 'p') {
      name += std::to_string(getpid());
    } else if (what == 'n') {
      name += ScriptName(command);
    } else if (what == 'h') {
      char host[256] = "";
      gethostname(host, sizeof host - 1);
      name += host;
    } else if (what == 't') {
      const time_t now = time(nullptr);
      tm parts;
      localtime_r(&now, &parts);
      char stamp[32];
      strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &parts);
      name += stamp;
    } else {
      throw UsageError("-o " + pattern +
                       ": behind % stands p (process), h (host), n (script's "
                       "name), t (time) or another %");
    }
  }
  return name;
}

RecordOutcome Record(const RecordRequest& request) {
  const Window window = WindowOf(request);
  const fs::path library = PreloadLibrary();
  if (!fs::exists(library)) {
    return Failed("the tracer's library is missing: " + library.string());
  }
  if (fs::canonical(library).string().find_first_of(" :") !=
      std::string::npos) {
    return Failed("LD_PRELOAD cannot name a path with a space or a colon: " +
                  fs::canonical(library).string() + "; move the project");
  }
  const std::string musl = RefuseMusl(request.command[0]);
  if (!musl.empty()) return Failed(musl);
  const std::string output = ExpandName(
      request.output.empty() ? kDefaultName : request.output, request.command);
  std::error_code error;
  if (!request.force && fs::exists(output, error)) {
    return Failed(output + " exists; -f overwrites it");
  }
  const fs::path folder = fs::absolute(output).parent_path();
  fs::create_directories(folder, error);
  if (access(folder.c_str(), W_OK) != 0) {
    return Failed("cannot write into " + folder.string());
  }

  Collector collector({.trace_path = output,
                       .layers = request.layers,
                       .lossy = request.lossy,
                       .children = !request.no_children,
                       .types = request.types,
                       .sites = request.sites,
                       .stacks = request.stacks,
                       .census = ReadLivingTypes,
                       .window = window,
                       .heaps = ReadStandingHeaps,
                       .tool = std::string("arenalab ") + kVersion});
  const int status =
      RunTraced({.words = request.command, .preload = fs::canonical(library)},
                &collector);
  const auto recorded = collector.Recorded();
  if (recorded.empty()) {
    if (status == 126 || status == 127) return {status, ""};
    if (collector.refused() != 0) {
      return Failed(
          "nothing recorded: Python could not make the 32 MiB of shared memory "
          "for its events (a file-size limit? ulimit -f)");
    }
    if (!window.from_mark.empty()) {
      return Failed(NeverBegan(window, collector));
    }
    return Failed("nothing recorded: no Python 3.6 or later ran in `" +
                  request.command[0] +
                  "` (or only one that ignores LD_PRELOAD: a static or setuid "
                  "program)");
  }
  for (const ProcessRecording* process : recorded) {
    if (!process->error().empty()) {
      return Failed(process->error() + "; the trace is incomplete");
    }
    for (const std::string& path : process->trace_paths()) {
      if (!fs::exists(path, error)) {
        return Failed(path + " was removed while it was recorded");
      }
    }
  }
  if (collector.refused() != 0) {
    std::fprintf(stderr,
                 "arenalab: %d more processes ran unrecorded: they could not "
                 "make the 32 MiB of shared memory for their events\n",
                 collector.refused());
  }
  for (const ProcessRecording* process : recorded) {
    for (const std::string& loss : process->losses()) {
      std::fprintf(stderr, "arenalab: warning: %s: %s\n",
                   process->trace_path().c_str(), loss.c_str());
    }
  }
  Summarise(recorded);
  return {status, recorded[0]->trace_path()};
}

void AddRecord(CommandLine& line) {
  Verb verb = line.AddVerb(
      "record", "Record the allocations of a Python program into a trace");
  auto request = std::make_shared<RecordRequest>();
  verb.Value("-o,--output", &request->output,
             "The trace [arenalab-%n-%t-%p.trace: script's name, time, "
             "process; %h is the host]; other processes of the run get .PID "
             "before the suffix");
  verb.Flag("--layers", &request->layers,
            "Also what was asked for while serving another request");
  verb.Flag("--lossy", &request->lossy,
            "Where the program is faster than the recording, drop events "
            "instead of letting it wait; every reader says how many");
  verb.Flag("--no-children", &request->no_children,
            "Only the first process in which an interpreter starts");
  verb.Flag("--types", &request->types,
            "Also the type of each object that is given up, and at the end of "
            "those that live");
  verb.Flag("--callsites", &request->sites,
            "Also the file, line and function that ask (Python 3.8 to 3.13)");
  verb.Flag("--stacks", &request->stacks,
            "Also all that called it: whole Python stacks, up to 256 frames");
  verb.Value("--from-mark", &request->from_mark,
             "Begin at the first mark of this name, made by the program or by "
             "`arenalab mark`; the trace opens with the heap as it is there");
  verb.Value("--until-mark", &request->until_mark, "End at this mark");
  verb.Value("--duration", &request->duration_s,
             "End so many seconds after the beginning; the program goes on")
      .Between(0.001, 1e9);
  verb.Value("--rotate", &request->rotate,
             "A new file when one has this size (64M) or age (10min); each "
             "opens with the heap and is verified alone: app.trace, "
             "app.part2.trace, ...")
      .OneEach();
  verb.Value("--keep", &request->keep,
             "Of the files of --rotate, only the last so many of each process")
      .Between(1, 1'000'000);
  verb.Flag("-f,--force", &request->force, "Overwrite the trace");
  verb.Program(&request->command, "The program, after --").Required();
  verb.Footer(
      "Examples:\n"
      "  arenalab record -- python3 app.py\n"
      "  arenalab record -o app.trace -- python3 -m pytest tests\n"
      "  arenalab record --layers -f -o app.trace -- ./service.sh\n"
      "  arenalab record --from-mark warm --duration 60 -- python3 app.py\n"
      "  arenalab record --rotate 64M --keep 4 -- python3 service.py\n"
      "\n"
      "Ctrl-C is the program's. After its end a first one stops the wait for "
      "processes\nthat it left running and finishes the trace; a second "
      "gives up.\n"
      "\n"
      "Exit status: the command's own (128 + n for a signal, 126 and 127 where "
      "it cannot\nbe run); 125 where nothing was recorded or the trace could "
      "not be written.");
  verb.Does([request] { return Record(*request).status; });
}

}  // namespace arenalab
