// The checks of `arenalab doctor` that are about the command to record.
#include "tools/cli/doctor_target.h"

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

#include "allocators/pymalloc/generation.h"

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

// As execvp would find it; "" where it would not.
std::string FindProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    return access(name.c_str(), X_OK) == 0 ? name : "";
  }
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string candidate = (folder.empty() ? "." : folder) + "/" + name;
    std::error_code error;
    if (access(candidate.c_str(), X_OK) == 0 &&
        !fs::is_directory(candidate, error)) {
      return candidate;
    }
  }
  return "";
}

// The words behind #!; empty: no script.
std::vector<std::string> Shebang(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string line;
  if (file.get() != '#' || file.get() != '!' || !std::getline(file, line)) {
    return {};
  }
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

bool IsPythonName(const std::string& path) {
  return fs::path(path).filename().string().starts_with("python");
}

struct ElfFacts {
  bool elf = false;
  bool is_64_bit = false;
  bool dynamic = false;  // has a program interpreter, so LD_PRELOAD works
};

ElfFacts ReadElf(const std::string& path) {
  ElfFacts facts;
  std::ifstream file(path, std::ios::binary);
  Elf64_Ehdr header{};
  file.read(reinterpret_cast<char*>(&header), sizeof header);
  if (!file || std::string_view(reinterpret_cast<char*>(header.e_ident), 4) !=
                   std::string_view(ELFMAG, 4)) {
    return facts;
  }
  facts.elf = true;
  facts.is_64_bit = header.e_ident[EI_CLASS] == ELFCLASS64;
  if (!facts.is_64_bit) return facts;
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    file.seekg(static_cast<std::streamoff>(header.e_phoff) +
               static_cast<std::streamoff>(i) * header.e_phentsize);
    file.read(reinterpret_cast<char*>(&segment), sizeof segment);
    if (file && segment.p_type == PT_INTERP) facts.dynamic = true;
  }
  return facts;
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
  if (!facts.dynamic) {
    findings->push_back({Severity::kBad, "static",
                         path + " is linked statically",
                         "there is no dynamic loader that would add the "
                         "recorder",
                         "use a dynamically linked interpreter"});
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
    std::size_t word = 0;
    if (fs::path(script[0]).filename() == "env") {
      for (word = 1; word < script.size() && script[word][0] == '-';) ++word;
    }
    if (word >= script.size()) break;
    const std::string next = FindProgram(script[word]);
    if (next.empty()) {
      findings.push_back(
          {Severity::kBad, "found",
           program + " wants " + script[word] + ", which is not there", "",
           "install it"});
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
