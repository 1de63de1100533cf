// Trace files put together by hand, as TRACE_FORMAT.md tells, without the
// writer: blocks with good checksums around any content.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <initializer_list>
#include <string>

namespace arenalab {

inline std::string Bytes(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes.push_back(static_cast<char>(value));
  return bytes;
}

inline std::string Little32(std::uint32_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}
inline std::string Little64(std::uint64_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

inline std::string FileHeader() {
  return "ARENALAB" + Bytes({1, 0, 0, 0}) + Bytes({0, 0, 0, 0});
}

// With `raw_bytes` other than stored's size: said to be compressed.
inline std::string HandMadeBlock(std::uint32_t type, const std::string& stored,
                                 std::uint32_t raw_bytes) {
  const std::string head = Little32(type) +
                           Little32(static_cast<std::uint32_t>(stored.size())) +
                           Little32(raw_bytes);
  const std::string summed = head + stored;
  return head +
         Little32(static_cast<std::uint32_t>(
             crc32(0, reinterpret_cast<const Bytef*>(summed.data()),
                   static_cast<uInt>(summed.size())))) +
         stored;
}
inline std::string HandMadeBlock(std::uint32_t type, const std::string& raw) {
  return HandMadeBlock(type, raw, static_cast<std::uint32_t>(raw.size()));
}

inline std::string EndBlock(std::uint64_t requests, std::uint64_t events) {
  return HandMadeBlock(
      3, Little64(requests) + Little64(events) + Little64(0) + Little64(0));
}

}  // namespace arenalab
