// The memory of a process as its core file has it: one that died, or of which
// a debugger wrote one.
//
// A core leaves out what can be read elsewhere, such as code and constants;
// these are read from the mapped files, as far as they are still there (their
// names come from the core's NT_FILE note). What is resident a core does not
// tell: every page that it holds counts as having content.
//
// SOURCE: elf(5), core(5).
#pragma once

#include <string>

#include "tools/inspect/target_memory.h"

namespace arenalab {

class CoreFile : public TargetMemory {
 public:
  // Throws InputError: it cannot be read, or is no 64-bit core of this machine.
  explicit CoreFile(const std::string& path);
  ~CoreFile() override;

  std::size_t Read(std::uint64_t address, void* out,
                   std::size_t bytes) override;
  std::vector<PageState> Pages(std::uint64_t begin, std::uint64_t end) override;

 private:
  // Where the bytes of a range of addresses are; not overlapping.
  struct Piece {
    std::uint64_t begin;
    std::uint64_t end;
    int fd;
    std::uint64_t offset;
  };
  const Piece* PieceAt(const std::vector<Piece>& pieces,
                       std::uint64_t address) const;
  void ReadNotes(const std::string& notes);

  int fd_ = -1;
  std::vector<Piece> saved_;  // in the core, ascending
  std::vector<Piece> files_;  // in files that were mapped, ascending
};

}  // namespace arenalab
