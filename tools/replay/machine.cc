// Reads /proc, /sys and what the C library says.
#include "tools/replay/machine.h"

#include <gnu/libc-version.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>

namespace arenalab {
namespace {

nlohmann::json FirstLine(const char* path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return nullptr;
  return line;
}

nlohmann::json CpuModel() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    // x86: "model name : ..."; others name it differently or not at all.
    if (line.rfind("model name", 0) != 0) continue;
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return nullptr;
}

// "always [madvise] never" -> "madvise".
nlohmann::json ChosenWord(const nlohmann::json& line) {
  if (!line.is_string()) return nullptr;
  const auto& text = line.get_ref<const std::string&>();
  const std::size_t open = text.find('[');
  const std::size_t close = text.find(']');
  if (open == std::string::npos || close == std::string::npos) return nullptr;
  return text.substr(open + 1, close - open - 1);
}

}  // namespace

nlohmann::json DescribeMachine() {
  utsname kernel{};
  uname(&kernel);
  return {
      {"cpu", CpuModel()},
      {"cores", std::thread::hardware_concurrency()},
      {"kernel", kernel.release},
      {"libc", std::string("glibc ") + gnu_get_libc_version()},
      {"page_bytes", sysconf(_SC_PAGESIZE)},
      {"memory_bytes", sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE)},
      {"thp",
       ChosenWord(FirstLine("/sys/kernel/mm/transparent_hugepage/enabled"))},
      {"aslr", FirstLine("/proc/sys/kernel/randomize_va_space")},
  };
}

}  // namespace arenalab
