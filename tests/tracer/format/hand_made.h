// Trace files put together by hand, as TRACE_FORMAT.md tells, without the
// writer: blocks with good checksums around any content.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <initializer_list>
#include <map>
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

inline std::string Little16(unsigned value) {
  return Bytes({static_cast<int>(value & 255), static_cast<int>(value >> 8)});
}

inline std::string FileHeader() {
  return "ARENALAB" + Bytes({2, 0, 0, 0}) + Bytes({0, 0, 0, 0});
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

// The content of an EVENTS block whose columns are stored as they are, given by
// their ids.
inline std::string HandMadeEvents(
    const std::map<unsigned, std::string>& columns, std::uint32_t heads,
    std::uint64_t first_request = 0, std::uint64_t time_ns = 0,
    unsigned class_shift = 4, unsigned window_log2 = 16) {
  std::string entries, stored;
  unsigned count = 0;
  for (const auto& [id, bytes] : columns) {
    if (bytes.empty()) continue;
    const auto length = static_cast<std::uint32_t>(bytes.size());
    entries += Little16(id) + Little16(0) + Little32(length) + Little32(length);
    stored += bytes;
    ++count;
  }
  return Little64(first_request) + Little64(time_ns) +
         Little64(0) +  // thread, state
         Little32(heads) + Little16(count) +
         Bytes({static_cast<int>(class_shift), static_cast<int>(window_log2)}) +
         entries + stored;
}

inline std::string EndBlock(std::uint64_t requests, std::uint64_t events) {
  return HandMadeBlock(
      3, Little64(requests) + Little64(events) + Little64(0) + Little64(0));
}

}  // namespace arenalab
