// From a path to what is started and preloaded; contract in native_spec.h.
#include "tools/replay/native_spec.h"

#include <elf.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "allocators/native/placement_log.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Refuse(std::string_view text, const std::string& why) {
  throw InputError("allocator '" + std::string(text) + "': " + why);
}

enum class ElfKind { kNone, kLibrary, kProgram, kStaticProgram };

ElfKind KindOf(const std::string& path) {
  Elf64_Ehdr own{};
  Elf64_Ehdr header{};
  std::ifstream("/proc/self/exe", std::ios::binary)
      .read(reinterpret_cast<char*>(&own), sizeof(own));
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(&header), sizeof(header));
  if (!file || std::memcmp(header.e_ident, own.e_ident, EI_DATA + 1) != 0 ||
      header.e_machine != own.e_machine ||
      header.e_phentsize != sizeof(Elf64_Phdr)) {
    return ElfKind::kNone;
  }
  file.seekg(static_cast<std::streamoff>(header.e_phoff));
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    if (!file.read(reinterpret_cast<char*>(&segment), sizeof(segment))) break;
    if (segment.p_type == PT_INTERP) return ElfKind::kProgram;
  }
  return header.e_type == ET_DYN ? ElfKind::kLibrary : ElfKind::kStaticProgram;
}

// `PYTHONMALLOC:value`, or with `=` as in an environment; the interpreter
// itself knows which values it has.
std::string AllocatorSetting(std::string_view text, std::string_view settings) {
  constexpr std::string_view kKey = "PYTHONMALLOC";
  if (settings.empty()) return "pymalloc";
  const bool has_key =
      settings.size() > kKey.size() && settings.starts_with(kKey) &&
      (settings[kKey.size()] == ':' || settings[kKey.size()] == '=');
  const std::string_view value =
      has_key ? settings.substr(kKey.size() + 1) : "";
  if (value != "pymalloc" && value != "malloc" && value != "mimalloc") {
    Refuse(text,
           "settings are PYTHONMALLOC:pymalloc, PYTHONMALLOC:malloc or "
           "PYTHONMALLOC:mimalloc");
  }
  return std::string(value);
}

}  // namespace

AllocatorSpec ParseNativeSpec(std::string_view text, const std::string& host) {
  AllocatorSpec spec;
  spec.spelled = text;
  spec.name = "native";
  std::string_view path = text.substr(kNativePrefix.size());
  if (const std::size_t brace = path.find('{'); brace != path.npos) {
    if (!path.ends_with('}')) {
      Refuse(text, "settings are written native:PATH{PYTHONMALLOC:malloc}");
    }
    spec.settings = path.substr(brace + 1, path.size() - brace - 2);
    path = path.substr(0, brace);
  }
  const std::string allocator = AllocatorSetting(text, spec.settings);
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    Refuse(text,
           "there is no such file; give the path of a Python "
           "interpreter or of its libpython");
  }
  const std::string absolute = fs::absolute(path).lexically_normal();
  std::string preload =
      (fs::path(host).parent_path() / "replay_worker_native.so").string();
  switch (KindOf(absolute)) {
    case ElfKind::kNone:
      Refuse(text,
             "this is no program for this machine (a script only starts an "
             "interpreter): give what `python3 -c 'import sys; "
             "print(sys.executable)'` prints");
    case ElfKind::kStaticProgram:
      Refuse(text,
             "this program is linked statically: nothing can be "
             "preloaded into it");
    case ElfKind::kProgram:
      spec.worker = absolute;
      break;
    case ElfKind::kLibrary:
      spec.worker = host;
      preload += ":" + absolute;
      // From there the interpreter finds its standard library.
      spec.environment.push_back(
          "ARENALAB_PYTHON_PROGRAM=" +
          (fs::path(absolute).parent_path().parent_path() / "bin/python3")
              .string());
  }
  if (preload.find(' ') != preload.npos) {
    Refuse(text,
           "a path with a space cannot be preloaded; link it to "
           "another name");
  }
  spec.environment.push_back("LD_PRELOAD=" + preload);
  spec.environment.push_back("PYTHONMALLOC=" + allocator);
  return spec;
}

void PlaceNativeArenas(const std::vector<std::size_t>& offsets,
                       AllocatorSpec* spec) {
  constexpr std::size_t kPageBytes = 4096;
  constexpr std::size_t kMostArenas = 120000;  // one variable: 128 KiB
  // Where they begin anyhow; a trace's thousands of arenas need not be told.
  if (std::ranges::count(offsets, std::size_t{0}) == std::ssize(offsets)) {
    return;
  }
  std::string digits;
  for (const std::size_t offset : offsets) {
    if (offset % kPageBytes != 0 || offset / kPageBytes > 9) {
      Refuse(spec->spelled, "an arena that is mapped cannot begin at " +
                                std::to_string(offset) +
                                " modulo the pool size");
    }
    digits.push_back(static_cast<char>('0' + offset / kPageBytes));
  }
  if (digits.size() > kMostArenas) {
    Refuse(spec->spelled, "the trace has more than " +
                              std::to_string(kMostArenas) + " arenas");
  }
  spec->environment.push_back(std::string(kArenaOffsetsVariable) + "=" +
                              digits);
}

std::string GeometryNameOfVersion(std::string_view version) {
  const std::size_t end = version.find_first_not_of("0123456789.");
  const std::string release(version.substr(0, end));
  return release.empty() ? "" : "cpython-" + release;
}

}  // namespace arenalab
