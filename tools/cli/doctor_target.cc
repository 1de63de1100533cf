// The checks of `arenalab doctor` that are about the command to record.
#include "tools/cli/doctor_target.h"

#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <vector>

#include "allocators/pymalloc/generation.h"
#include "tools/cli/elf_program.h"

namespace arenalab {
namespace {

namespace fs = std::filesystem;

// Follows at most so many scripts: shim -> env -> shim ...
constexpr int kMostScripts = 8;

// Asked of the interpreter; one `key value` a line, so that any version can
// answer and nothing needs escaping but the end of a line.
constexpr char kProbe[] =
    "import sys,os\n"
    "try:\n import sysconfig as s\n g=s.get_config_var\n"
    "except Exception: g=lambda n:None\n"
    "print('version','.'.join(map(str,sys.version_info[:3])))\n"
    "print('implementation',sys.implementation.name)\n"
    "print('executable',os.path.realpath(sys.executable))\n"
    "print('debug',int(hasattr(sys,'gettotalrefcount')))\n"
    "print('free-threaded',int(bool(g('Py_GIL_DISABLED'))))\n"
    "print('shared',int(bool(g('Py_ENABLE_SHARED'))))\n"
    "print('pymalloc',int(g('WITH_PYMALLOC') in (None,1)))\n";

std::string Quoted(const std::string& word) {
  std::string quoted = "'";
  for (const char c : word) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted + "'";
}

std::string Joined(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words)
    line += (line.empty() ? "" : " ") + word;
  return line;
}

bool IsPythonName(const std::string& path) {
  return fs::path(path).filename().string().starts_with("python");
}

std::map<std::string, std::string> AskInterpreter(const std::string& program) {
  const std::string line =
      Quoted(program) + " -c " + Quoted(kProbe) + " 2>/dev/null </dev/null";
  std::map<std::string, std::string> answers;
  std::FILE* pipe = popen(line.c_str(), "r");
  if (pipe == nullptr) return answers;
  char* text = nullptr;
  std::size_t room = 0;
  for (ssize_t n; (n = getline(&text, &room, pipe)) > 0;) {
    std::string answer(text, static_cast<std::size_t>(n));
    while (!answer.empty() && answer.back() == '\n') answer.pop_back();
    const std::size_t space = answer.find(' ');
    if (space == std::string::npos) continue;
    answers[answer.substr(0, space)] = answer.substr(space + 1);
  }
  std::free(text);
  if (pclose(pipe) != 0) answers.clear();
  return answers;
}

void ExamineFile(const std::string& path, Findings* findings) {
  const ElfFacts facts = ReadElf(path);
  if (!facts.elf) {
    findings->push_back({Severity::kBad, "elf", path + " is no ELF program",
                         "the recorder is a library that the dynamic loader "
                         "adds to a program",
                         "name the interpreter itself"});
    return;
  }
  if (!facts.is_64_bit) {
    findings->push_back({Severity::kBad, "elf", path + " is a 32-bit program",
                         "the recorder's library is 64-bit",
                         "use a 64-bit interpreter"});
    return;
  }
  if (!facts.dynamic()) {
    findings->push_back({Severity::kBad, "static",
                         path + " is linked statically",
                         "there is no dynamic loader that would add the "
                         "recorder",
                         "use a dynamically linked interpreter"});
    return;
  }
  if (facts.musl()) {
    findings->push_back({Severity::kBad, "musl",
                         path + " is linked with musl (" + facts.loader + ")",
                         "the recorder's library needs glibc",
                         "use a Python for glibc, such as Debian's"});
    return;
  }
  struct stat status;
  if (stat(path.c_str(), &status) == 0 &&
      (status.st_mode & (S_ISUID | S_ISGID)) != 0) {
    findings->push_back({Severity::kBad, "setuid",
                         path + " is a setuid or setgid program",
                         "the loader ignores LD_PRELOAD for it",
                         "record a copy without these bits"});
    return;
  }
  findings->push_back({Severity::kFine, "elf",
                       path + " is a dynamically linked 64-bit program", "",
                       ""});
}

void ExamineAnswers(std::map<std::string, std::string>& answers,
                    Findings* findings) {
  const std::string version = answers["version"];
  if (answers["implementation"] != "cpython") {
    findings->push_back(
        {Severity::kBad, "implementation",
         "it is " + answers["implementation"] + " " + version + ", not CPython",
         "pymalloc is CPython's allocator", "use CPython 3.6 or newer"});
    return;
  }
  const auto generation = ResolveGeometry("cpython-" + version);
  if (generation.has_value()) {
    findings->push_back(
        {Severity::kFine, "version",
         "CPython " + version + ", pymalloc of " + std::string(*generation), "",
         ""});
  } else {
    findings->push_back(
        {Severity::kBad, "version",
         "CPython " + version + ", whose pymalloc there is no clone of",
         "verify and the model have no rules for it",
         "use CPython 3.6 to 3.14"});
  }
  if (answers["free-threaded"] == "1") {
    findings->push_back({Severity::kBad, "free-threaded",
                         "a free-threaded build",
                         "it uses mimalloc; there is no pymalloc in it",
                         "use the ordinary build of " + version});
  }
  if (answers["debug"] == "1") {
    findings->push_back({Severity::kBad, "debug-build", "a debug build",
                         "its debug hooks make every block 24 or 32 bytes "
                         "larger, so nothing is as in production",
                         "use a release build, or set PYTHONMALLOC=pymalloc"});
  }
  if (answers["pymalloc"] == "0") {
    findings->push_back(
        {Severity::kBad, "without-pymalloc", "built --without-pymalloc",
         "every request goes to the C library", "use another build"});
  }
  findings->push_back({Severity::kFine, "libpython",
                       answers["shared"] == "1"
                           ? "libpython is a shared library"
                           : "libpython is inside the executable",
                       "", ""});
}

}  // namespace

Findings ExamineTarget(const std::vector<std::string>& command) {
  Findings findings;
  std::string program = FindProgram(command[0]);
  if (program.empty()) {
    findings.push_back({Severity::kBad, "found",
                        "`" + command[0] + "` is no program in PATH", "",
                        "install it, or give its path"});
    return findings;
  }
  // A pyenv or asdf shim is a bash script named python3: what it starts in the
  // end is what counts, and only it knows.
  std::vector<std::string> script = Shebang(program);
  for (int i = 0; !script.empty() && i < kMostScripts; ++i) {
    if (IsPythonName(program)) break;
    const std::string next = ProgramOfScript(program);
    if (next.empty()) {
      findings.push_back(
          {Severity::kBad, "found",
           program + " is a script for what is not there: #!" + Joined(script),
           "", "install it"});
      return findings;
    }
    program = next;
    script = Shebang(program);
  }
  if (!IsPythonName(program)) {
    findings.push_back(
        {Severity::kNote, "interpreter", program + " is no Python by its name",
         "whatever Python it starts is recorded; doctor cannot look ahead",
         "arenalab doctor -- python3"});
    return findings;
  }
  std::map<std::string, std::string> answers = AskInterpreter(program);
  const std::string real = answers["executable"];
  if (real.empty()) {
    findings.push_back({Severity::kBad, "interpreter",
                        program + " does not run a line of Python",
                        script.empty() ? ""
                                       : "it is a script for " + script[0] +
                                             " that starts no Python here",
                        "try " + program + " -c 'print(1)'"});
    return findings;
  }
  if (!script.empty()) {
    findings.push_back(
        {Severity::kNote, "shim",
         program + " is a script of " + script[0] + ", not an interpreter",
         "tools that attach to the first process measure the shell; the "
         "recorder follows to " +
             real,
         "arenalab record -- " + real + " ..."});
  }
  ExamineFile(real, &findings);
  ExamineAnswers(answers, &findings);
  return findings;
}

}  // namespace arenalab
