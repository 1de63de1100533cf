// Fuzz target: any bytes as the text form. What is accepted must come back
// from a dump, and the dump of that must be the same bytes.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

#include "tracer/format/text.h"

namespace arenalab {
namespace {

std::string Imported(const std::string& text) {
  const int fd = memfd_create("fuzz", MFD_CLOEXEC);
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  std::string result;
  try {
    TraceWriter writer(path, /*exclusive=*/false);
    std::istringstream in(text);
    ImportText(in, "fuzz", writer);
    TraceReader reader(path);
    char* dump = nullptr;
    std::size_t bytes = 0;
    std::FILE* const out = open_memstream(&dump, &bytes);
    DumpText(reader, out);
    std::fclose(out);
    result.assign(dump, bytes);
    std::free(dump);
  } catch (...) {
    close(fd);
    throw;
  }
  close(fd);
  return result;
}

}  // namespace
}  // namespace arenalab

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t bytes) {
  std::string dump;
  try {
    dump = arenalab::Imported({reinterpret_cast<const char*>(data), bytes});
  } catch (const arenalab::InputError&) {
    return 0;
  }
  try {
    const std::string again = arenalab::Imported(dump);
    if (again == dump) return 0;
    std::fprintf(stderr, "differs:\n%s\n---\n%s\n", dump.c_str(),
                 again.c_str());
  } catch (const arenalab::InputError& error) {
    std::fprintf(stderr, "a dump is rejected: %s\n%s\n", error.what(),
                 dump.c_str());
  }
  std::abort();
}
