// The search; contract in python_methods.h. It reads the object's constants
// once, so their pages become resident: only where it was asked for.
#include "allocators/preload/python_methods.h"

#include <link.h>
#include <string.h>

#include <cstdint>

namespace arenalab::preload {
namespace {

struct Search {
  std::uintptr_t code;
  const char* name;
  PythonFunction* found;
  int matches;
};

bool IsWritable(const ElfW(Phdr) & segment) {
  return (segment.p_flags & PF_W) != 0;
}

// Every word of the writable segments that points at `text`.
void SearchPointers(const dl_phdr_info& object, std::uintptr_t text,
                    Search* search) {
  for (int i = 0; i < object.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object.dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || !IsWritable(segment)) continue;
    const std::uintptr_t begin = object.dlpi_addr + segment.p_vaddr;
    const std::uintptr_t end = begin + segment.p_filesz;
    for (std::uintptr_t at = (begin + 7) & ~std::uintptr_t{7}; at + 16 <= end;
         at += 8) {
      if (*reinterpret_cast<const std::uintptr_t*>(at) != text) continue;
      search->found = reinterpret_cast<PythonFunction*>(at + 8);
      ++search->matches;
    }
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
  // With the zero before and behind it: not the tail of another name.
  const std::size_t bytes = strlen(search->name) + 1;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || IsWritable(segment)) continue;
    const char* at =
        reinterpret_cast<const char*>(object->dlpi_addr + segment.p_vaddr);
    const char* const end = at + segment.p_filesz;
    while (at < end) {
      at = static_cast<const char*>(
          memmem(at, static_cast<std::size_t>(end - at), search->name, bytes));
      if (at == nullptr) break;
      SearchPointers(*object, reinterpret_cast<std::uintptr_t>(at), search);
      ++at;
    }
  }
  return 1;
}

}  // namespace

PythonFunction* FindPythonFunction(const void* code, const char* name) {
  Search search{reinterpret_cast<std::uintptr_t>(code), name, nullptr, 0};
  dl_iterate_phdr(SearchObject, &search);
  return search.matches == 1 ? search.found : nullptr;
}

}  // namespace arenalab::preload
