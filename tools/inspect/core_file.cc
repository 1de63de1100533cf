// Reads ELF core files; contract in core_file.h.
#include "tools/inspect/core_file.h"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

bool ReadAt(int fd, std::uint64_t offset, void* out, std::size_t bytes) {
  return pread(fd, out, bytes, static_cast<off_t>(offset)) ==
         static_cast<ssize_t>(bytes);
}

// Larger notes belong to no process of this world.
constexpr std::uint64_t kMostNoteBytes = 64 << 20;

}  // namespace

CoreFile::CoreFile(const std::string& path) {
  fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0) throw InputError(path + ": " + std::strerror(errno));
  Elf64_Ehdr head;
  if (!ReadAt(fd_, 0, &head, sizeof(head)) ||
      std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
      head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_type != ET_CORE ||
      head.e_machine != EM_X86_64 || head.e_phentsize != sizeof(Elf64_Phdr)) {
    close(fd_);
    throw InputError(path +
                     ": is no process id, and no core file of x86-64 either");
  }
  // More than 65534 segments are counted in the first section's header.
  std::uint64_t count = head.e_phnum;
  Elf64_Shdr section;
  if (count == PN_XNUM && ReadAt(fd_, head.e_shoff, &section, sizeof(section)))
    count = section.sh_info;
  std::string notes;
  for (std::uint64_t i = 0; i < count; ++i) {
    Elf64_Phdr segment;
    if (!ReadAt(fd_, head.e_phoff + i * sizeof(segment), &segment,
                sizeof(segment)))
      break;
    if (segment.p_type == PT_NOTE && segment.p_filesz <= kMostNoteBytes) {
      notes.resize(segment.p_filesz);
      if (!ReadAt(fd_, segment.p_offset, notes.data(), notes.size()))
        notes.clear();
    }
    if (segment.p_type != PT_LOAD || segment.p_vaddr % kPageBytes != 0 ||
        segment.p_memsz == 0 ||
        segment.p_vaddr + segment.p_memsz < segment.p_vaddr)
      continue;
    Mapping mapping;
    mapping.begin = segment.p_vaddr;
    mapping.end = segment.p_vaddr + segment.p_memsz;
    mapping.readable = (segment.p_flags & PF_R) != 0;
    mapping.writable = (segment.p_flags & PF_W) != 0;
    mapping.executable = (segment.p_flags & PF_X) != 0;
    mappings_.push_back(mapping);
    if (segment.p_filesz > 0)
      saved_.push_back(
          {segment.p_vaddr,
           segment.p_vaddr + std::min(segment.p_filesz, segment.p_memsz), fd_,
           segment.p_offset});
  }
  const auto by_address = [](const auto& a, const auto& b) {
    return a.begin < b.begin;
  };
  std::sort(mappings_.begin(), mappings_.end(), by_address);
  std::sort(saved_.begin(), saved_.end(), by_address);
  ReadNotes(notes);
  std::sort(files_.begin(), files_.end(), by_address);
}

CoreFile::~CoreFile() {
  std::map<int, bool> closed;
  for (const Piece& piece : files_)
    if (!std::exchange(closed[piece.fd], true)) close(piece.fd);
  close(fd_);
}

// NT_FILE: count, page size, then (begin, end, offset in pages) of each, then
// the names, each with its zero.
void CoreFile::ReadNotes(const std::string& notes) {
  std::map<std::string, int> opened;
  for (std::size_t at = 0; at + sizeof(Elf64_Nhdr) <= notes.size();) {
    Elf64_Nhdr head;
    std::memcpy(&head, notes.data() + at, sizeof(head));
    const auto padded = [](std::uint64_t n) { return (n + 3) / 4 * 4; };
    const std::uint64_t body = at + sizeof(head) + padded(head.n_namesz);
    if (body + head.n_descsz > notes.size()) return;
    at = body + padded(head.n_descsz);
    if (head.n_type != NT_FILE || head.n_descsz < 16) continue;
    std::uint64_t counts[2];
    std::memcpy(counts, notes.data() + body, sizeof(counts));
    if (counts[0] > head.n_descsz / 24) return;
    std::uint64_t name_at = body + 16 + counts[0] * 24;
    for (std::uint64_t i = 0; i < counts[0]; ++i) {
      std::uint64_t entry[3];
      std::memcpy(entry, notes.data() + body + 16 + i * 24, sizeof(entry));
      if (name_at >= body + head.n_descsz) return;
      const std::string name(
          notes.data() + name_at,
          strnlen(notes.data() + name_at, body + head.n_descsz - name_at));
      name_at += name.size() + 1;
      const auto [known, is_new] = opened.try_emplace(name, -1);
      if (is_new)
        known->second = open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
      if (known->second >= 0 && entry[0] < entry[1])
        files_.push_back(
            {entry[0], entry[1], known->second, entry[2] * counts[1]});
    }
  }
}

const CoreFile::Piece* CoreFile::PieceAt(const std::vector<Piece>& pieces,
                                         std::uint64_t address) const {
  auto after = std::upper_bound(
      pieces.begin(), pieces.end(), address,
      [](std::uint64_t a, const Piece& piece) { return a < piece.begin; });
  if (after == pieces.begin()) return nullptr;
  --after;
  return address < after->end ? &*after : nullptr;
}

std::size_t CoreFile::Read(std::uint64_t address, void* out,
                           std::size_t bytes) {
  std::size_t done = 0;
  while (done < bytes) {
    const std::uint64_t at = address + done;
    const Piece* piece = PieceAt(saved_, at);
    if (piece == nullptr) piece = PieceAt(files_, at);
    if (piece == nullptr) break;
    const ssize_t n =
        pread(piece->fd, static_cast<char*>(out) + done,
              std::min<std::uint64_t>(bytes - done, piece->end - at),
              static_cast<off_t>(piece->offset + (at - piece->begin)));
    if (n <= 0) break;  // the core was cut off, or the file is another now
    done += static_cast<std::size_t>(n);
  }
  return done;
}

std::vector<PageState> CoreFile::Pages(std::uint64_t begin, std::uint64_t end) {
  std::vector<PageState> pages;
  for (; begin < end; begin += kPageBytes)
    pages.push_back(PieceAt(saved_, begin) == nullptr ? PageState::kAbsent
                                                      : PageState::kPresent);
  return pages;
}

}  // namespace arenalab
