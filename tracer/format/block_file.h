// A trace file as a row of blocks: maps it, walks the block headers, checks and
// decompresses a block when it is asked for. Knows nothing of events.
//
// A regular file is mapped read-only, and what was passed is let go: a file of
// any length takes a few MiB of memory. Anything else (a pipe; "-": standard
// input) is read into memory whole. Throws InputError. One thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tracer/format/layout.h"

struct ZSTD_DCtx_s;

namespace arenalab {

class BlockFile {
 public:
  struct Block {
    std::uint64_t offset;  // of its header, in bytes from the file's begin
    layout::BlockHeader header;
  };

  // Block headers are walked here; contents are not looked at.
  explicit BlockFile(const std::string& path);
  ~BlockFile();
  BlockFile(const BlockFile&) = delete;
  BlockFile& operator=(const BlockFile&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t size_bytes() const { return data_.size(); }
  // Those that are whole. An END block is the last or absent.
  const std::vector<Block>& blocks() const { return blocks_; }
  // Bytes after the last whole block: of one that was cut short.
  std::uint64_t cut_bytes() const { return cut_bytes_; }
  // The block's content, checksum verified; valid until `buffer` changes.
  std::span<const std::uint8_t> Content(
      const Block& block, std::vector<std::uint8_t>* buffer) const;
  // "PATH: block at byte N", for messages.
  std::string Where(const Block& block) const;

 private:
  void Load();
  void Walk();
  bool EndsWithEndBlock() const;
  void LetGoBefore(std::uint64_t offset) const;
  void VerifyChecksum(const Block& block) const;

  const std::string path_;
  std::span<const std::uint8_t> data_;
  bool mapped_ = false;
  std::vector<std::uint8_t> read_;  // what could not be mapped
  std::vector<Block> blocks_;
  std::uint64_t cut_bytes_ = 0;
  mutable std::uint64_t held_from_ = 0;          // pages before it were let go
  mutable ZSTD_DCtx_s* decompressor_ = nullptr;  // of the first that needs it
};

}  // namespace arenalab
