// From `-a` to a worker program and its environment; contract in
// allocator_spec.h.
#include "tools/replay/allocator_spec.h"

#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <system_error>

#include "allocators/settings.h"
#include "tools/replay/native_spec.h"
#include "tools/replay/worker_protocol.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kWorkerPrefix = "replay_worker_";

std::string Quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

// Adds the workers that lie in `folder`, by name; those found earlier stand.
void AddWorkersIn(const fs::path& folder,
                  std::map<std::string, std::string>* workers) {
  std::error_code error;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(folder, error)) {
    const std::string file = entry.path().filename();
    // What a build leaves beside a program (.runfiles, .params) has a dot.
    if (!file.starts_with(kWorkerPrefix) || file.npos != file.find('.'))
      continue;
    if (!entry.is_regular_file(error)) continue;
    workers->emplace(file.substr(kWorkerPrefix.size()), entry.path());
  }
}

// In the folder that the environment names, or a test's runfiles; else beside
// this program as installed, in its own runfiles, or in the folder `allocators`
// of one of the folders above it, as the build lays them out.
std::map<std::string, std::string> FindWorkers() {
  std::map<std::string, std::string> workers;
  if (const char* folder = std::getenv("ARENALAB_LIBEXEC")) {
    AddWorkersIn(folder, &workers);
    return workers;
  }
  if (const char* runfiles = std::getenv("TEST_SRCDIR")) {
    AddWorkersIn(fs::path(runfiles) / "arenalab/allocators", &workers);
    if (!workers.empty()) return workers;
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  AddWorkersIn(program.parent_path(), &workers);
  AddWorkersIn(program.string() + ".runfiles/arenalab/allocators", &workers);
  fs::path folder = program;
  while (workers.empty() && folder != folder.parent_path()) {
    folder = folder.parent_path();
    AddWorkersIn(folder / "allocators", &workers);
  }
  return workers;
}

std::string ListOf(const std::map<std::string, std::string>& workers) {
  std::string list;
  for (const auto& [name, path] : workers) {
    list += (list.empty() ? "" : ", ") + name;
  }
  return list;
}

const std::string& WorkerNamed(
    const std::map<std::string, std::string>& workers, const std::string& name,
    std::string_view spelled) {
  if (workers.empty()) {
    throw InputError(
        "no replay workers found beside this program: build "
        "//allocators:workers, or name their folder in ARENALAB_LIBEXEC");
  }
  const auto found = workers.find(name);
  if (found == workers.end()) {
    throw InputError("unknown allocator " + Quoted(spelled) + ": there are " +
                     ListOf(workers) +
                     ", any malloc library by its path (./libother.so), and a "
                     "CPython's own by native:PATH");
  }
  return found->second;
}

// Throws unless `path` is a shared library for the machine that this program
// is made for. Whether it is a malloc is for its worker to find out.
void CheckLibrary(const std::string& path) {
  Elf64_Ehdr own{};
  Elf64_Ehdr header{};
  std::ifstream("/proc/self/exe", std::ios::binary)
      .read(reinterpret_cast<char*>(&own), sizeof(own));
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    throw InputError("allocator " + Quoted(path) +
                     ": there is no such file; give the path of a malloc "
                     "library");
  }
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(&header), sizeof(header));
  if (!file || std::memcmp(header.e_ident, own.e_ident, EI_DATA + 1) != 0 ||
      header.e_machine != own.e_machine || header.e_type != ET_DYN) {
    throw InputError("allocator " + Quoted(path) +
                     ": this is no shared library for this machine; give the "
                     "path of a malloc library");
  }
  // LD_PRELOAD has no way to write these.
  if (path.find_first_of(" :") != std::string::npos) {
    throw InputError("allocator " + Quoted(path) +
                     ": a library whose path has a space or a colon cannot be "
                     "preloaded; link it to another name");
  }
}

// `key:value,…` as the variables from which a library reads its settings. An
// allocator that is not in this list gets its settings from HeapOptions alone.
std::vector<std::string> EnvironmentOf(const std::string& name,
                                       std::string_view settings) {
  std::vector<std::string> environment;
  if (settings.empty()) return environment;
  if (name == "jemalloc") {
    environment.push_back("MALLOC_CONF=" + std::string(settings));
  } else if (name == "system") {
    std::string tunables;
    VisitSettings(settings, [&](std::string_view key, std::string_view value) {
      tunables += (tunables.empty() ? "glibc.malloc." : ":glibc.malloc.") +
                  std::string(key) + "=" + std::string(value);
      return true;
    });
    environment.push_back("GLIBC_TUNABLES=" + tunables);
  } else if (name == "mimalloc") {
    VisitSettings(settings, [&](std::string_view key, std::string_view value) {
      std::string variable = "MIMALLOC_" + std::string(key);
      for (char& c : variable) {
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      }
      environment.push_back(variable + "=" + std::string(value));
      return true;
    });
  }
  return environment;
}

AllocatorSpec LibrarySpec(std::string_view text) {
  AllocatorSpec spec;
  spec.spelled = text;
  spec.library = fs::absolute(fs::path(text)).lexically_normal();
  spec.name = fs::path(spec.library).filename();
  if (text.ends_with('}')) {
    throw InputError("allocator " + Quoted(text) +
                     ": a library by path takes no settings");
  }
  CheckLibrary(spec.library);
  spec.worker = WorkerNamed(FindWorkers(), "system", text);
  return spec;
}

}  // namespace

AllocatorSpec ParseAllocatorSpec(std::string_view text) {
  if (text.starts_with(kNativePrefix)) {
    return ParseNativeSpec(text, WorkerNamed(FindWorkers(), "null", text));
  }
  const std::size_t brace = text.find('{');
  if (text.substr(0, brace).find('/') != text.npos) return LibrarySpec(text);
  AllocatorSpec spec;
  spec.spelled = text;
  spec.name = text.substr(0, brace);
  if (brace != text.npos) {
    const std::string_view rest = text.substr(brace + 1);
    if (rest.find_first_of("{}") != rest.size() - 1 || rest.back() != '}') {
      throw InputError("allocator " + Quoted(text) +
                       ": settings are written name{key:value,key:value}");
    }
    spec.settings = rest.substr(0, rest.size() - 1);
  }
  if (spec.settings.size() >= sizeof(ReplayIn::settings)) {
    throw InputError("allocator " + Quoted(spec.name) +
                     ": the settings are too long, at most " +
                     std::to_string(sizeof(ReplayIn::settings) - 1) +
                     " characters");
  }
  spec.worker = WorkerNamed(FindWorkers(), spec.name, text);
  spec.environment = EnvironmentOf(spec.name, spec.settings);
  return spec;
}

std::vector<AllocatorSpec> ParseAllocatorList(std::string_view text) {
  std::vector<AllocatorSpec> specs;
  int depth = 0;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size()) {
      depth += (text[i] == '{') - (text[i] == '}');
      if (text[i] != ',' || depth > 0) continue;
    }
    const std::string_view entry = text.substr(start, i - start);
    start = i + 1;
    if (entry.empty()) {
      throw InputError("allocators " + Quoted(text) +
                       ": an entry is empty; write name,name");
    }
    if (std::ranges::find(specs, entry, &AllocatorSpec::spelled) !=
        specs.end()) {
      throw InputError("allocators " + Quoted(text) + ": " + Quoted(entry) +
                       " is named twice");
    }
    specs.push_back(ParseAllocatorSpec(entry));
  }
  return specs;
}

std::vector<std::string> KnownAllocators() {
  std::vector<std::string> names;
  for (const auto& [name, path] : FindWorkers()) names.push_back(name);
  return names;
}

}  // namespace arenalab
