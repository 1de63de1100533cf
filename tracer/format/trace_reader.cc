// Puts blocks (block_file.h) and their decoding (event_decoder.h) together.
#include "tracer/format/trace_reader.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <optional>
#include <vector>

#include "tracer/format/address_predictor.h"
#include "tracer/format/block_file.h"
#include "tracer/format/event_decoder.h"
#include "tracer/format/heap_image.h"
#include "tracer/format/layout.h"

namespace arenalab {
namespace {

using namespace layout;

// A walk over the events of a file.
class Cursor {
 public:
  // `packed`: TraceReader::packed().
  Cursor(const BlockFile& file, const std::string& packed, NameTable* names)
      : file_(file), decoder_(names, PredictorOf(file, packed)) {}

  bool Next(Event* event) {
    while (!in_block_ || !decoder_.Next(event)) {
      if (!NextBlock()) return false;
    }
    ++events_;
    return true;
  }
  std::uint64_t events() const { return events_; }
  std::uint64_t requests() const { return decoder_.request(); }

 private:
  static std::unique_ptr<AddressPredictor> PredictorOf(
      const BlockFile& file, const std::string& packed) {
    if (packed.empty()) return nullptr;
    std::unique_ptr<AddressPredictor> predictor = MakePredictor(packed);
    if (predictor != nullptr) return predictor;
    throw InputError(file.path() + ": is packed by the clone of `" + packed +
                     "`, which this program lacks; `arenalab trace unpack` "
                     "makes a trace of it that needs none");
  }

  bool NextBlock() {
    in_block_ = false;
    while (next_ < file_.blocks().size() &&
           file_.blocks()[next_].header.type != kEventsBlock) {
      ++next_;
    }
    if (next_ == file_.blocks().size()) return false;
    const BlockFile::Block& block = file_.blocks()[next_++];
    decoder_.Begin(file_.Content(block, &buffer_), file_.Where(block));
    in_block_ = true;
    return true;
  }

  const BlockFile& file_;
  std::size_t next_ = 0;
  bool in_block_ = false;
  std::vector<std::uint8_t> buffer_;
  EventDecoder decoder_;
  std::uint64_t events_ = 0;
};

std::uint64_t Mix(std::uint64_t hash, std::uint64_t value) {
  // Multiply and fold: every bit of the value reaches every bit of the hash.
  const auto product =
      static_cast<unsigned __int128>(hash ^ value) * 0x9e3779b97f4a7c15u;
  return static_cast<std::uint64_t>(product) ^
         static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t Mix(std::uint64_t hash, std::string_view text) {
  hash = Mix(hash, text.size());
  for (const char c : text) hash = Mix(hash, static_cast<unsigned char>(c));
  return hash;
}

std::uint64_t Mix(std::uint64_t hash, const Event& event,
                  const NameTable& names) {
  hash = Mix(hash, static_cast<std::uint64_t>(event.kind) |
                       static_cast<std::uint64_t>(event.layer) << 8 |
                       static_cast<std::uint64_t>(event.depth) << 16 |
                       static_cast<std::uint64_t>(event.thread) << 32);
  hash = Mix(hash, event.size_bytes);
  hash = Mix(hash, event.address);
  hash = Mix(hash, event.time_ns);
  hash = Mix(hash, event.state);
  hash = Mix(hash, event.old_address);
  hash = Mix(hash, event.lag);
  // Those that few kinds have; which do is part of the hash already.
  if (event.align_bytes != 0) hash = Mix(hash, event.align_bytes);
  if (!IsRequest(event.kind)) {
    hash = Mix(hash, event.number);
    hash = Mix(hash, event.rss_bytes);
    hash = Mix(hash, event.name);
  }
  // By name: which number a name has is the writer's business.
  if (event.type != 0) {
    hash = Mix(hash, names.Name(NameSpace::kType, event.type));
  }
  if (event.site != 0) {
    hash = Mix(hash, names.Name(NameSpace::kSite, event.site));
  }
  if (event.kind == EventKind::kHeld) {
    hash = Mix(hash, static_cast<std::uint64_t>(event.owner));
  }
  return hash;
}

bool IsBlankOrControl(char c) { return static_cast<unsigned char>(c) <= ' '; }

}  // namespace

struct TraceReader::Impl {
  explicit Impl(const std::string& path) : file(path) {
    for (const BlockFile::Block& block : file.blocks()) {
      if (block.header.type == kMetaBlock) ReadMeta(block);
    }
    if (const auto found = meta.find(kPackedKey); found != meta.end()) {
      packed = found->second;
      meta.erase(found);
    }
    cursor.emplace(file, packed, &names);
    if (!file.blocks().empty() &&
        file.blocks().back().header.type == kEndBlock) {
      ReadEnd(file.blocks().back());
    } else {
      Count();
    }
  }

  void ReadMeta(const BlockFile::Block& block) {
    std::vector<std::uint8_t> buffer;
    const auto content = file.Content(block, &buffer);
    std::string_view text(reinterpret_cast<const char*>(content.data()),
                          content.size());
    while (!text.empty()) {
      const std::size_t line_end = text.find('\n');
      const std::string_view line = text.substr(0, line_end);
      const std::size_t key_end = line.find(' ');
      const std::string_view key = line.substr(0, key_end);
      if (line_end == text.npos || key_end == line.npos || key.empty() ||
          std::any_of(key.begin(), key.end(), IsBlankOrControl)) {
        throw InputError(file.Where(block) +
                         ": metadata that is not `KEY VALUE` lines");
      }
      meta.insert_or_assign(std::string(key),
                            std::string(line.substr(key_end + 1)));
      text.remove_prefix(line_end + 1);
    }
  }

  void ReadEnd(const BlockFile::Block& block) {
    std::vector<std::uint8_t> buffer;
    const auto content = file.Content(block, &buffer);
    EndRecord end;
    std::memcpy(&end, content.data(), sizeof end);
    totals = {end.requests, end.events, end.lost, end.waited_ns};
    complete = true;
  }

  // A file without END is counted; that happens after crashes only.
  void Count() {
    Cursor counter(file, packed, &names);
    Event event;
    while (counter.Next(&event)) {
    }
    totals.requests = counter.requests();
    totals.events = counter.events();
  }

  // The content of all blocks of a type, end to end; empty: there are none.
  std::vector<std::uint8_t> Joined(std::uint32_t type,
                                   std::string* where) const {
    std::vector<std::uint8_t> all, buffer;
    bool events = false;
    for (const BlockFile::Block& block : file.blocks()) {
      events = events || block.header.type == kEventsBlock;
      if (block.header.type != type) continue;
      if (events)
        throw InputError(file.Where(block) +
                         ": a heap that does not stand before the events");
      if (all.empty()) *where = file.Where(block);
      const auto content = file.Content(block, &buffer);
      all.insert(all.end(), content.begin(), content.end());
    }
    return all;
  }

  bool Next(Event* event) {
    if (cursor->Next(event)) return true;
    if (cursor->events() != totals.events ||
        cursor->requests() != totals.requests) {
      throw InputError(file.path() + ": holds " +
                       std::to_string(cursor->events()) +
                       " events, but its end says " +
                       std::to_string(totals.events) + "; a block is missing");
    }
    return false;
  }

  BlockFile file;
  std::string packed;
  NameTable names;
  std::optional<Cursor> cursor;
  std::map<std::string, std::string> meta;
  TraceTotals totals;
  bool complete = false;
};

bool IsTraceFile(const std::string& path) {
  char magic[sizeof layout::kMagic];
  std::ifstream file(path, std::ios::binary);
  return file.read(magic, sizeof magic) &&
         std::memcmp(magic, layout::kMagic, sizeof magic) == 0;
}

TraceReader::TraceReader(const std::string& path)
    : impl_(std::make_unique<Impl>(path)) {}
TraceReader::~TraceReader() = default;

bool TraceReader::Next(Event* event) { return impl_->Next(event); }

void TraceReader::Rewind() {
  impl_->cursor.emplace(impl_->file, impl_->packed, &impl_->names);
}

std::string_view TraceReader::Name(NameSpace space,
                                   std::uint32_t number) const {
  return impl_->names.Name(space, number);
}

const std::string& TraceReader::packed() const { return impl_->packed; }
const std::string& TraceReader::path() const { return impl_->file.path(); }
const std::map<std::string, std::string>& TraceReader::meta() const {
  return impl_->meta;
}
std::string TraceReader::Meta(const std::string& key,
                              std::string otherwise) const {
  const auto found = impl_->meta.find(key);
  if (found == impl_->meta.end()) return otherwise;
  return found->second;
}
bool TraceReader::complete() const { return impl_->complete; }
const TraceTotals& TraceReader::totals() const { return impl_->totals; }

std::string TraceReader::ContentHash() const {
  NameTable names;
  Cursor cursor(impl_->file, impl_->packed, &names);
  Event event;
  std::uint64_t hash = 1;  // whatever the format's version
  while (cursor.Next(&event)) hash = Mix(hash, event, names);
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx",
                static_cast<unsigned long long>(hash));
  return digits;
}

std::vector<HeapImage> TraceReader::Heaps() const {
  std::string where;
  const auto bytes = impl_->Joined(kHeapBlock, &where);
  return DecodeHeapImages(bytes, where);
}

std::vector<BlockTypes> TraceReader::Types(
    const std::vector<HeapImage>& heaps) const {
  std::string where;
  const auto bytes = impl_->Joined(kTypesBlock, &where);
  if (bytes.empty()) return {};
  return DecodeBlockTypes(bytes, heaps, where);
}

}  // namespace arenalab
