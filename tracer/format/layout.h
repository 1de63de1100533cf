// The constants of the trace format, shared by writer and reader. What they
// mean is told in ../TRACE_FORMAT.md, which names this file; keep the two in
// step. Little-endian machines only: columns are copied as they stand.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace arenalab::layout {

static_assert(std::endian::native == std::endian::little);

inline constexpr char kMagic[8] = {'A', 'R', 'E', 'N', 'A', 'L', 'A', 'B'};
inline constexpr std::uint32_t kVersion = 2;
inline constexpr std::size_t kFileHeaderBytes = 16;  // magic, version, zero

enum BlockType : std::uint32_t {
  kMetaBlock = 1,
  kEventsBlock = 2,
  kEndBlock = 3,
  kHeapBlock = 4,   // heap_image.h
  kTypesBlock = 5,  // likewise
};

struct BlockHeader {
  std::uint32_t type;
  std::uint32_t stored_bytes;
  std::uint32_t raw_bytes;
  std::uint32_t crc32;  // over the three before it, then over what is stored
};
static_assert(sizeof(BlockHeader) == 16);
inline constexpr std::size_t kChecksummedHeaderBytes = 12;

struct EndRecord {
  std::uint64_t requests;
  std::uint64_t events;
  std::uint64_t lost;
  std::uint64_t waited_ns;
};
static_assert(sizeof(EndRecord) == 32);

// An EVENTS block: this, `columns` entries, then what each column stores.
struct EventsHeader {
  std::uint64_t first_request;
  std::uint64_t time_ns;
  std::uint32_t thread;
  std::uint32_t state;
  std::uint32_t heads;
  std::uint16_t columns;
  std::uint8_t class_shift;
  std::uint8_t window_log2;
};
static_assert(sizeof(EventsHeader) == 32);

struct ColumnEntry {
  std::uint16_t id;      // ascending in a block; what is absent is empty
  std::uint16_t coding;  // Coding
  std::uint32_t raw_bytes;
  std::uint32_t stored_bytes;
};
static_assert(sizeof(ColumnEntry) == 12);

enum Coding : std::uint16_t { kAsItIs = 0, kZstd = 1 };

enum ColumnId : std::uint16_t {
  kHeadTableColumn = 1,  // u16 each
  kHeadsColumn = 2,      // a byte each, see kLiteralHead
  kBirthsColumn = 3,     // a byte each: Birth
  kDeathsColumn = 4,     // a byte each: DeathToken
  // The explicit addresses' words, four columns of a byte each, lowest first.
  kAddressColumn = 5,
  kRegionsColumn = 9,  // u64 each
  kWideColumn = 10,
  // What the deaths' bytes leave over, lowest byte first.
  kDeathRestColumn = 11,
  kRequiredColumns = 15,  // one more than the last of them
  // From here on: a reader that does not know it passes over it.
  kFirstOptionalColumn = 0x8000,
  kNamesColumn = kFirstOptionalColumn,  // new ones: NameSpace, length, bytes
  kFreedTypesColumn,                    // a varint for each free
  kMadeTypesColumn,                     // a varint for each other request
  kSitesColumn,                         // likewise
  kKnownColumnsEnd,
};
inline constexpr unsigned kKnownOptionalColumns =
    kKnownColumnsEnd - kFirstOptionalColumn;
inline constexpr unsigned kMaxColumns = 64;

// A byte of the heads column that announces two more, the head itself.
inline constexpr unsigned kLiteralHead = 255;
inline constexpr unsigned kMaxHeadTable = kLiteralHead;

// Where a block's address comes from (address_model.h).
enum Birth : std::uint8_t {
  kReused = 0,
  kNext = 1,
  kExplicit = 2,
  kPredicted = 3  // packed traces only
};
inline constexpr std::uint64_t kExplicitDeath = 0;
// A death below it is its own byte. A larger one, of n bits, is the byte
// kWideDeath + n, and the n - 1 below its highest are the rest.
inline constexpr unsigned kWideDeath = 192;
inline constexpr unsigned kMostDeathBits = 33;
inline constexpr unsigned kDeathRestBytes = 4;
static_assert(kDeathRestColumn + kDeathRestBytes == kRequiredColumns);
static_assert(kWideDeath + kMostDeathBits < 256);

inline constexpr unsigned kMinClassShift = 3, kMaxClassShift = 4;
inline constexpr unsigned kMinWindowLog2 = 10, kMaxWindowLog2 = 24;

// What a block may hold at most, so that a reader's memory is bounded whatever
// the file says.
inline constexpr std::uint32_t kMaxHeads = 1u << 16;
inline constexpr std::uint32_t kMaxWideBytes = 4u << 20;
inline constexpr std::uint32_t kMaxNameBytes = 1u << 16;
inline constexpr std::uint32_t kMaxNamesBytes = 1u << 20;  // of a block
inline constexpr std::uint32_t kMaxMetaBytes = 4u << 20;
inline constexpr std::uint32_t kMaxRawBytes = 8u << 20;

// Heads.
enum Kind : unsigned {
  // 0 to 4 are EventKind's requests.
  kArena = 5,
  kContext = 6,
  kNote = 7,
};
inline constexpr unsigned kArenaAcquired = 0, kArenaReleased = 1,
                          kArenaHeld = 2;
inline constexpr unsigned kContextThread = 0, kContextState = 1,
                          kContextTime = 2, kContextMemory = 3;
inline constexpr unsigned kNoteMark = 0, kNoteFork = 1;

inline constexpr unsigned kKindMask = 7;
inline constexpr unsigned kLayerShift = 3, kLayerMask = 3;
inline constexpr unsigned kExtrasBit = 1u << 5;
inline constexpr unsigned kSizeShift = 6;
inline constexpr unsigned kWideSize = 1023;
static_assert(kWideSize << kSizeShift <= 0xffff);

// Extras, in this order.
inline constexpr unsigned kExtraDepth = 1, kExtraLag = 2;
inline constexpr unsigned kExtrasKnown = kExtraDepth | kExtraLag;

// Addresses.
inline constexpr unsigned kMaxRegions = 15;
inline constexpr unsigned kRegionShift = 28;
inline constexpr std::uint32_t kRegionMask = (1u << kRegionShift) - 1;
inline constexpr std::uint32_t kEscape = kMaxRegions << kRegionShift;
inline constexpr unsigned kAddressUnitShift = 3;  // addresses in units of 8
inline constexpr std::uint64_t kRegionBytes =
    std::uint64_t{1} << (kRegionShift + kAddressUnitShift);
static_assert(kRegionBytes == std::uint64_t{2} << 30);

}  // namespace arenalab::layout
