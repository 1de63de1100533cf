// The ELF header and its program headers, read with plain reads.
#include "tools/cli/elf_program.h"

#include <elf.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

namespace arenalab {
namespace {

namespace fs = std::filesystem;

// Follows at most so many scripts: shim -> env -> shim ...
constexpr int kMostScripts = 8;
// A path is not longer (PATH_MAX); a broken header may say so.
constexpr std::uint64_t kMostLoaderBytes = 4096;

}  // namespace

bool ElfFacts::musl() const {
  return loader.find("/ld-musl-") != std::string::npos;
}

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
    if (!file) break;
    if (segment.p_type != PT_INTERP) continue;
    facts.loader = "(unnamed)";
    if (segment.p_filesz == 0 || segment.p_filesz > kMostLoaderBytes) continue;
    std::string name(segment.p_filesz, '\0');
    file.seekg(static_cast<std::streamoff>(segment.p_offset));
    file.read(name.data(), static_cast<std::streamsize>(name.size()));
    if (!file) break;
    name.resize(std::min(name.find('\0'), name.size()));
    if (!name.empty()) facts.loader = name;
  }
  return facts;
}

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

std::string ProgramOfScript(const std::string& path) {
  const std::vector<std::string> script = Shebang(path);
  if (script.empty()) return "";
  std::size_t word = 0;
  if (fs::path(script[0]).filename() == "env") {
    for (word = 1; word < script.size() && script[word][0] == '-';) ++word;
  }
  return word < script.size() ? FindProgram(script[word]) : "";
}

std::string RefuseMusl(const std::string& program) {
  std::string path = FindProgram(program);
  for (int i = 0; i < kMostScripts && !path.empty(); ++i) {
    const ElfFacts facts = ReadElf(path);
    if (facts.elf) {
      if (!facts.musl()) return "";
      return path + " is linked with musl (" + facts.loader +
             "), and arenalab's libraries need glibc: use a Python for glibc, "
             "such as Debian's (not Alpine's)";
    }
    path = ProgramOfScript(path);
  }
  return "";
}

}  // namespace arenalab
