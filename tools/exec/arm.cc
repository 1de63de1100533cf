// From a name to variables; contract in arm.h.
#include "tools/exec/arm.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string>

#include "allocators/pymalloc/runtime_generation.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNames[] = {"native",   "pymalloc", "mimalloc",
                                       "jemalloc", "system",   "pass-through"};

// The installed library that replaces a whole process' malloc; the dynamic
// linker finds it.
std::string WholeLibrary(std::string_view name) {
  if (name == "mimalloc") return "libmimalloc.so.2";
  if (name == "jemalloc") return "libjemalloc.so.2";
  return "";
}

std::string Quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

// `key:value,key:value` as the variables that each library reads.
void AddSettings(const std::string& name, const std::string& settings,
                 Arm* arm) {
  if (settings.empty()) return;
  if (name == "pymalloc") {
    HeapSettings unused;
    const std::string all = settings.find(':') == std::string::npos
                                ? "geometry:" + settings
                                : settings;
    if (const char* error = ReadHeapSettings(all, &unused)) {
      throw InputError("allocator " + Quoted(arm->name) + ": " + error);
    }
    arm->variables.push_back({"ARENALAB_PYMALLOC", settings});
  } else if (name == "jemalloc") {
    arm->variables.push_back({"MALLOC_CONF", settings});
  } else if (name == "mimalloc" || name == "system") {
    std::string tunables;
    std::string_view rest = settings;
    while (!rest.empty()) {
      const std::string_view entry = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
      const std::size_t colon = entry.find(':');
      if (colon == entry.npos) {
        throw InputError("allocator " + Quoted(arm->name) +
                         ": settings are written name{key:value,key:value}");
      }
      std::string key(entry.substr(0, colon));
      const std::string value(entry.substr(colon + 1));
      if (name == "system") {
        tunables += (tunables.empty() ? "glibc.malloc." : ":glibc.malloc.") +
                    key + "=" + value;
      } else {
        for (char& c : key) {
          c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        }
        arm->variables.push_back({"MIMALLOC_" + key, value});
      }
    }
    if (!tunables.empty()) {
      arm->variables.push_back({"GLIBC_TUNABLES", tunables});
    }
  } else {
    throw InputError("allocator " + Quoted(arm->name) +
                     ": it takes no settings");
  }
}

void Preload(const std::string& libraries, Scope scope, Arm* arm) {
  arm->variables.push_back({"LD_PRELOAD", libraries});
  if (scope == Scope::kRaw) arm->variables.push_back({"ARENALAB_SCOPE", "raw"});
}

Arm LibraryArm(std::string_view spelled, Scope scope) {
  Arm arm{std::string(spelled), {}, ""};
  std::error_code error;
  const fs::path path = fs::absolute(fs::path(spelled)).lexically_normal();
  if (!fs::is_regular_file(path, error)) {
    throw InputError("allocator " + Quoted(spelled) +
                     ": there is no such file; give the path of a malloc "
                     "library");
  }
  const std::string name = scope == Scope::kProcess ? "system" : "library";
  Preload(PreloadLibrary(name) + ":" + path.string(), scope, &arm);
  return arm;
}

bool NeedsQuotes(std::string_view word) {
  return word.empty() || std::ranges::any_of(word, [](unsigned char c) {
           return std::isalnum(c) == 0 &&
                  std::string_view("_-./=:,+@%").find(static_cast<char>(c)) ==
                      std::string_view::npos;
         });
}

std::string ForShell(const std::string& word) {
  if (!NeedsQuotes(word)) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace

// Beside this program, as the build lays them out or in a test's runfiles.
std::string PreloadLibrary(const std::string& name) {
  const std::string file = "allocators/preload/libarenalab_" + name + ".so";
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  for (fs::path folder = self.parent_path(); folder != folder.parent_path();
       folder = folder.parent_path()) {
    if (fs::exists(folder / file, error)) {
      std::string path = fs::canonical(folder / file);
      if (path.find_first_of(" :") != std::string::npos) {
        throw InputError(
            "LD_PRELOAD cannot name a path with a space or a colon: " + path +
            "; move the project");
      }
      return path;
    }
    if (fs::exists(folder / ("libarenalab_" + name + ".so"), error)) {
      return fs::canonical(folder / ("libarenalab_" + name + ".so"));
    }
  }
  throw InputError("the library libarenalab_" + name +
                   ".so is not beside this program: build "
                   "//allocators/preload:libraries");
}

Scope ParseScope(std::string_view text) {
  if (text == "mem+obj") return Scope::kMemAndObject;
  if (text == "raw") return Scope::kRaw;
  if (text == "process") return Scope::kProcess;
  throw InputError("scope " + Quoted(text) +
                   ": there are mem+obj, raw and process");
}

Arm AllocatorArm(std::string_view spelled, Scope scope) {
  const std::size_t brace = spelled.find('{');
  const std::string name(spelled.substr(0, brace));
  if (name.find('/') != name.npos || name.ends_with(".so")) {
    return LibraryArm(spelled, scope);
  }
  if (std::ranges::find(kNames, name) == std::end(kNames)) {
    throw InputError(
        "unknown allocator " + Quoted(spelled) +
        ": there are native, pymalloc, mimalloc, jemalloc, system, "
        "pass-through, and any malloc library by its path (./libother.so)");
  }
  Arm arm{std::string(spelled), {}, ""};
  std::string settings;
  if (brace != spelled.npos) {
    if (!spelled.ends_with('}')) {
      throw InputError("allocator " + Quoted(spelled) +
                       ": settings are written name{key:value,key:value}");
    }
    settings = spelled.substr(brace + 1, spelled.size() - brace - 2);
  }
  AddSettings(name, settings, &arm);
  if (name == "native") return arm;
  if (name == "pymalloc" && scope != Scope::kMemAndObject) {
    throw InputError(
        "pymalloc can serve the scope mem+obj only: the raw domain and the "
        "rest of the process ask without the interpreter's lock, and it has "
        "none of its own");
  }
  if (scope == Scope::kProcess) {
    if (name == "pass-through") {
      throw InputError("pass-through has the scopes mem+obj and raw");
    }
    const std::string whole = WholeLibrary(name);
    Preload(PreloadLibrary("system") + (whole.empty() ? "" : ":" + whole),
            scope, &arm);
  } else {
    Preload(PreloadLibrary(name), scope, &arm);
  }
  return arm;
}

std::vector<std::string> SplitAllocators(std::string_view list) {
  std::vector<std::string> entries;
  int depth = 0;
  std::string entry;
  for (const char c : std::string(list) + ",") {
    depth += (c == '{') - (c == '}');
    if (c != ',' || depth > 0) {
      entry += c;
      continue;
    }
    if (entry.empty()) {
      throw InputError("allocators " + Quoted(list) +
                       ": an entry is empty; write name,name");
    }
    if (std::ranges::find(entries, entry) != entries.end()) {
      throw InputError("allocators " + Quoted(list) + ": " + Quoted(entry) +
                       " is named twice");
    }
    entries.push_back(entry);
    entry.clear();
  }
  return entries;
}

std::string LineOf(const Arm& arm, const std::vector<std::string>& command) {
  if (!arm.advice.empty()) return arm.advice;
  std::string line;
  for (const Variable& variable : arm.variables) {
    line += variable.name + "=" + ForShell(variable.value) + " ";
  }
  for (const std::string& word : command) line += ForShell(word) + " ";
  line.pop_back();
  return line;
}

}  // namespace arenalab
