// The search; contract in python_methods.h. Constants are read from the file:
// in memory their pages would become resident.
#include "allocators/preload/python_methods.h"

#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace arenalab::preload {
namespace {

constexpr std::size_t kLongestName = 64;

struct Search {
  std::uintptr_t code;
  const char* name;
  PythonFunction* found;
  int matches;
};

constinit unsigned char buffer[std::size_t{64} << 10]{};

bool IsWritable(const ElfW(Phdr) & segment) {
  return (segment.p_flags & PF_W) != 0;
}

// The segment's part of the file, piece by piece: visit(bytes, count, address),
// `address` being where the interpreter sees the first. A piece begins with the
// last `overlap` bytes of the one before it.
template <class Visitor>
void ReadSegment(int fd, const ElfW(Phdr) & segment, std::uintptr_t load,
                 std::size_t overlap, Visitor&& visit) {
  std::size_t done = 0;
  std::size_t kept = 0;
  while (done + kept < segment.p_filesz) {
    std::size_t want = segment.p_filesz - done - kept;
    if (want > sizeof(buffer) - kept) want = sizeof(buffer) - kept;
    const ssize_t got =
        pread(fd, buffer + kept, want,
              static_cast<off_t>(segment.p_offset + done + kept));
    if (got <= 0) return;
    const std::size_t filled = kept + static_cast<std::size_t>(got);
    visit(buffer, filled, load + segment.p_vaddr + done);
    kept = filled < overlap ? filled : overlap;
    memmove(buffer, buffer + filled - kept, kept);
    done += filled - kept;
  }
}

void SearchWords(const unsigned char* bytes, std::size_t count,
                 std::uintptr_t address, std::uintptr_t text, Search* search) {
  for (std::size_t i = -address % sizeof(text); i + sizeof(text) <= count;
       i += sizeof(text)) {
    if (*reinterpret_cast<const std::uintptr_t*>(bytes + i) != text) continue;
    search->found =
        reinterpret_cast<PythonFunction*>(address + i + sizeof(text));
    ++search->matches;
  }
}

// Every word of the writable segments that points at `text`. An executable
// that is not relocated is as its file says; elsewhere the dynamic linker has
// written the pointers, and their pages are resident.
void SearchPointers(int fd, const dl_phdr_info& object, std::uintptr_t text,
                    Search* search) {
  for (int i = 0; i < object.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object.dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || !IsWritable(segment)) continue;
    const std::uintptr_t begin = object.dlpi_addr + segment.p_vaddr;
    if (object.dlpi_addr != 0) {
      SearchWords(reinterpret_cast<const unsigned char*>(begin),
                  segment.p_filesz, begin, text, search);
      continue;
    }
    ReadSegment(fd, segment, 0, 0,
                [&](const unsigned char* bytes, std::size_t count,
                    std::uintptr_t address) {
                  SearchWords(bytes, count, address, text, search);
                });
  }
}

int SearchObject(dl_phdr_info* object, std::size_t, void* context) {
  auto* search = static_cast<Search*>(context);
  bool has_code = false;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    has_code =
        has_code || (segment.p_type == PT_LOAD &&
                     search->code - (object->dlpi_addr + segment.p_vaddr) <
                         segment.p_memsz);
  }
  if (!has_code) return 0;
  const bool program =
      object->dlpi_name == nullptr || object->dlpi_name[0] == 0;
  const int fd = open(program ? "/proc/self/exe" : object->dlpi_name,
                      O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 1;
  // Whole, with the zeros before and behind it.
  char wanted[kLongestName + 2] = {};
  const std::size_t length = strlen(search->name);
  memcpy(wanted + 1, search->name, length);
  std::uintptr_t texts[4];
  std::size_t count = 0;
  // Constants have a segment of their own, but for older linkers, which put
  // them beside the code.
  for (const bool code : {false, true}) {
    for (int i = 0; i < object->dlpi_phnum && (!code || count == 0); ++i) {
      const ElfW(Phdr)& segment = object->dlpi_phdr[i];
      if (segment.p_type != PT_LOAD || IsWritable(segment) ||
          ((segment.p_flags & PF_X) != 0) != code) {
        continue;
      }
      ReadSegment(
          fd, segment, object->dlpi_addr, length + 1,
          [&](const unsigned char* bytes, std::size_t filled,
              std::uintptr_t address) {
            const unsigned char* at = bytes;
            while ((at = static_cast<const unsigned char*>(memmem(
                        at, static_cast<std::size_t>(bytes + filled - at),
                        wanted, length + 2))) != nullptr) {
              if (count < 4) {
                texts[count++] =
                    address + static_cast<std::size_t>(at - bytes) + 1;
              }
              ++at;
            }
          });
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    SearchPointers(fd, *object, texts[i], search);
  }
  close(fd);
  return 1;
}

}  // namespace

PythonFunction* FindPythonFunction(const void* code, const char* name) {
  if (strlen(name) > kLongestName) return nullptr;
  Search search{reinterpret_cast<std::uintptr_t>(code), name, nullptr, 0};
  dl_iterate_phdr(SearchObject, &search);
  return search.matches == 1 ? search.found : nullptr;
}

}  // namespace arenalab::preload
