// X3: a million strings are made and all but every k-th dropped. How many
// arenas does that give back? Asked of real interpreters in their own words
// (sys._debugmallocstats); then the same program is recorded, and the recording
// replayed on three generations of the clone.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "allocators/pymalloc/generation.h"
#include "tools/experiments/experiment.h"
#include "tools/experiments/subjects.h"
#include "tools/replay/compile.h"
#include "tools/replay/model.h"
#include "tools/replay/moments.h"
#include "tracer/format/input_error.h"
#include "tracer/format/trace_reader.h"

namespace arenalab {
namespace {

namespace fs = std::filesystem;

// The last strings, after the survivors were counted, are there so that what
// was counted is a valley of the recording.
constexpr char kProgram[] = R"(import sys, os, re, tempfile
def arenas():
    with tempfile.TemporaryFile() as out:
        saved = os.dup(2)
        os.dup2(out.fileno(), 2)
        sys._debugmallocstats()
        os.dup2(saved, 2)
        os.close(saved)
        out.seek(0)
        found = re.search(rb'arenas allocated current\s*=\s*([\d,]+)',
                          out.read())
        # Under a recorder pymalloc says nothing of itself.
        return found.group(1).replace(b',', b'').decode() if found else '0'
keep_every, count = int(sys.argv[1]), int(sys.argv[2])
warm = ['warm %021d' % i for i in range(1000)]
del warm
before = arenas()
strings = ['text %021d' % i for i in range(count)]
peak = arenas()
strings = strings[::keep_every] if keep_every else []
after = arenas()
more = ['text %021d' % i for i in range(count // 2)]
with open(sys.argv[3], 'w') as out:
    out.write('%s %s %s' % (before, peak, after))
)";

struct Counts {
  double before = 0;
  double peak = 0;
  double after = 0;
  // Of the arenas that the strings brought, given back.
  double Released() const {
    return peak > before ? 100 * (peak - after) / (peak - before) : 0;
  }
};

std::string Quoted(const std::string& word) {
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted.append("'\\''");
    } else {
      quoted.push_back(c);
    }
  }
  quoted.push_back('\'');
  return quoted;
}

class Folder {
 public:
  Folder()
      : path_(fs::temp_directory_path() /
              ("arenalab.X3." + std::to_string(getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const char* name) const { return path_ / name; }

 private:
  fs::path path_;
};

// Runs the program under `prefix`; throws with the last line of what was said.
void Run(const Folder& folder, const std::string& prefix,
         const Subject& subject, int keep_every, int count) {
  const std::string script = folder / "pinned.py";
  std::ofstream(script) << kProgram;
  const std::string command =
      prefix + Quoted(subject.path) + " -I " + Quoted(script) + " " +
      std::to_string(keep_every) + " " + std::to_string(count) + " " +
      Quoted(folder / "arenas") + " >" + Quoted(folder / "log") + " 2>&1";
  if (std::system(command.c_str()) == 0) return;
  std::string last;
  std::ifstream log(folder / "log");
  for (std::string line; std::getline(log, line);)
    if (!line.empty()) last = line;
  throw InputError("X3 on " + subject.path + " did not run: " + last);
}

Counts Ask(const Folder& folder, const Subject& subject, int keep_every,
           int count) {
  Run(folder, "", subject, keep_every, count);
  Counts counts;
  std::ifstream(folder / "arenas") >> counts.before >> counts.peak >>
      counts.after;
  if (counts.peak == 0) {
    throw InputError("X3 on " + subject.path +
                     ": sys._debugmallocstats tells of no arenas");
  }
  return counts;
}

// This program is the recorder too.
void Record(const Folder& folder, const Subject& subject, int keep_every,
            int count) {
  const std::string self = fs::read_symlink("/proc/self/exe");
  Run(folder,
      Quoted(self) + " record -f -o " + Quoted(folder / "run.trace") + " -- ",
      subject, keep_every, count);
}

struct ModelCounts {
  double peak = 0;
  double after = 0;
};

ModelCounts Model(const CompiledTrace& trace, const std::string& geometry) {
  const auto values = GeometryOf(geometry);
  const Samples samples = ChooseSamples(trace, values->max_small_bytes, 100);
  const ModelRun run = RunModel("geometry:" + geometry, trace, samples, {});
  const auto valley = samples.moments.last_valley();
  if (!valley.has_value()) throw InputError("X3: the recording has no valley");
  return {static_cast<double>(run.samples[samples.moments.peak].arenas_live),
          static_cast<double>(run.samples[*valley].arenas_live)};
}

}  // namespace

ExperimentResult RunPinnedArenas(const ExperimentRequest& request) {
  const int count = request.quick ? 200000 : 1000000;
  ExperimentResult result;
  result.reported =
      "Arenas before/peak/after on real interpreters: 3.9.18 with 1 of 10,000 "
      "kept 11/321/110 (68 % given back), 1 of 1,000 0 %; 3.11.7 and 3.13.0 "
      "with "
      "1 of 10,000 0 %: an arena of four times the size is pinned as easily.";
  result.measured =
      "CPython      kept          before    peak   after  given back   "
      "its recording, MiB of arenas at peak -> after, on\n" +
      std::string(63, ' ') + "3.8's            3.9's            3.11's\n";
  const Folder folder;
  for (const Subject& subject : Subjects(request)) {
    for (const int keep_every : {0, 10000, 1000}) {
      const std::string kept =
          keep_every == 0
              ? "none"
              : std::string("1 of ").append(Figure(keep_every, 0, 1));
      request.Phase(subject.label + ", kept: " + kept);
      const Counts counts = Ask(folder, subject, keep_every, count);
      Record(folder, subject, keep_every, count);
      result.measured +=
          Cell(subject.label, 13) + Cell(kept, 12) +
          Figure(counts.before, 0, 8) + Figure(counts.peak, 0, 8) +
          Figure(counts.after, 0, 8) + Figure(counts.Released(), 0, 10) + " % ";
      nlohmann::ordered_json replayed;
      TraceReader reader(folder / "run.trace");
      const CompiledTrace trace = Compile(reader, Scope::kPython);
      for (const char* geometry :
           {"cpython-3.8", "cpython-3.9", "cpython-3.11"}) {
        const ModelCounts model = Model(trace, geometry);
        const double mib =
            static_cast<double>(GeometryOf(geometry)->arena_bytes) / (1 << 20);
        result.measured += Figure(model.peak * mib, 1, 7) + " -> " +
                           Cell(Figure(model.after * mib, 1, 1), 6);
        replayed[geometry] = {{"arenas_at_peak", model.peak},
                              {"arenas_after", model.after}};
      }
      result.measured += "\n";
      result.raw.push_back({{"python", subject.version},
                            {"strings", count},
                            {"keep_every", keep_every},
                            {"arenas_before", counts.before},
                            {"arenas_at_peak", counts.peak},
                            {"arenas_after", counts.after},
                            {"given_back_percent", counts.Released()},
                            {"replayed", replayed}});
    }
  }
  result.meaning =
      "One survivor an arena is enough to hold it. At 1 of 10,000 small arenas "
      "without a survivor still exist and go back; of 1 MiB ones none is left "
      "without. At 1 of 1,000 size no longer matters.";
  return result;
}

}  // namespace arenalab
