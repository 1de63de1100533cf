// Trace to text. A column is left out where it has its default.
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "tracer/format/object_table.h"
#include "tracer/format/text.h"
#include "tracer/format/text_word.h"

namespace arenalab {
namespace {

constexpr std::size_t kWriteBytes = 1u << 16;

class Dump {
 public:
  Dump(TraceReader& reader, std::FILE* out)
      : reader_(reader),
        out_(out),
        addresses_(reader.Meta("addresses") != "none") {}

  void TakeMeta(const std::string& key, const std::string& value) {
    buffer_ += "meta " + key;
    if (!value.empty()) buffer_ += " " + value;
    buffer_ += '\n';
  }

  void Take(const Event& event) {
    if (IsRequest(event.kind)) {
      TakeRequest(event);
    } else {
      TakeOther(event);
    }
    if (event.time_ns != time_ns_) {
      time_ns_ = event.time_ns;
      Column(" t=", time_ns_);
    }
    buffer_ += '\n';
    if (buffer_.size() >= kWriteBytes) Write();
  }

  void TakeEnd(const TraceReader& reader) {
    const TraceTotals& totals = reader.totals();
    if (!reader.complete()) {
      buffer_ += "incomplete\n";
    } else if (totals.lost != 0 || totals.waited_ns != 0) {
      buffer_ += "end";
      if (totals.lost != 0) Column(" lost=", totals.lost);
      if (totals.waited_ns != 0) Column(" waited=", totals.waited_ns);
      buffer_ += '\n';
    }
    Write();
    if (std::fflush(out_) != 0) Fail();
  }

 private:
  void TakeRequest(const Event& event) {
    const Identified identified = table_.Identify(event);
    const std::uint32_t object = identified.object;
    if (object != kNoObject && object >= layers_.size()) {
      layers_.resize(std::size_t{object} + 1);
    }
    const bool freed = event.kind == EventKind::kFree;
    const bool moved = event.kind == EventKind::kRealloc &&
                       event.old_address != 0 && !identified.unknown_old;
    switch (event.kind) {
      case EventKind::kAlloc:
        Column("malloc ", object);
        break;
      case EventKind::kZeroed:
        Column("calloc ", object);
        break;
      case EventKind::kAligned:
        Column("aligned ", object);
        Column(" ", event.align_bytes);
        break;
      case EventKind::kRealloc:
        Column("realloc ", object);
        break;
      default:
        if (object == kNoObject) {
          Address("free-unknown ", event.address);
        } else {
          Column("free ", object);
        }
    }
    if (!freed) Column(" ", event.size_bytes);
    // A block is given up where it came from, unless the line says otherwise.
    const bool has_default = moved || (freed && object != kNoObject);
    const Layer usual = has_default ? layers_[object] : Layer::kObject;
    if (event.layer != usual) {
      buffer_ += " domain=";
      buffer_ += LayerWord(event.layer);
    }
    if (!freed) layers_[object] = event.layer;
    Place(event);
    if (event.depth != 0) Column(" depth=", event.depth);
    if (addresses_ && !freed) Address(" addr=", event.address);
    if (identified.unknown_old) Address(" old=", event.old_address);
    if (event.lag != 0) Column(" lag=", event.lag);
    Names(event);
  }

  void Names(const Event& event) {
    if (event.type != 0) Name(" type=", NameSpace::kType, event.type);
    if (event.site != 0) Name(" site=", NameSpace::kSite, event.site);
  }
  void Name(std::string_view column, NameSpace space, std::uint32_t number) {
    buffer_ += column;
    AppendName(reader_.Name(space, number), &buffer_);
  }

  void TakeOther(const Event& event) {
    switch (event.kind) {
      case EventKind::kArenaAcquire:
      case EventKind::kArenaRelease:
        Address(event.kind == EventKind::kArenaAcquire ? "arena+ " : "arena- ",
                event.address);
        Column(" ", event.size_bytes);
        break;
      case EventKind::kHeld:
        Address("held ", event.address);
        if (event.owner != Owner::kUnknown) {
          buffer_ += " owner=";
          buffer_ += OwnerWord(event.owner);
        }
        if (event.lag != 0) Column(" lag=", event.lag);
        Names(event);
        break;
      case EventKind::kMark:
        buffer_ += "mark ";
        AppendName(event.name, &buffer_);
        break;
      case EventKind::kFork:
        Column("fork ", event.number);
        buffer_ += ' ';
        AppendName(event.name, &buffer_);
        break;
      default:
        Column("memory ", event.rss_bytes);
    }
    Place(event);
  }

  void Place(const Event& event) {
    if (event.state != 0) Column(" state=", event.state);
    if (event.thread != 0) Column(" thread=", event.thread);
  }

  void Column(std::string_view name, std::uint64_t value) {
    Number(name, value, 10);
  }
  void Address(std::string_view name, std::uint64_t value) {
    buffer_ += name;
    Number("0x", value, 16);
  }
  void Number(std::string_view name, std::uint64_t value, int base) {
    buffer_ += name;
    char digits[20];
    const auto end =
        std::to_chars(digits, digits + sizeof digits, value, base).ptr;
    buffer_.append(digits, end);
  }

  void Write() {
    if (std::fwrite(buffer_.data(), 1, buffer_.size(), out_) !=
        buffer_.size()) {
      Fail();
    }
    buffer_.clear();
  }
  [[noreturn]] static void Fail() {
    throw InputError(std::string("cannot write the text: ") +
                     std::strerror(errno));
  }

  const TraceReader& reader_;
  std::FILE* const out_;
  const bool addresses_;
  ObjectTable table_;
  std::vector<Layer> layers_;  // of the live objects' last allocation
  std::uint64_t time_ns_ = 0;
  std::string buffer_;
};

}  // namespace

void DumpText(TraceReader& reader, std::FILE* out) {
  Dump dump(reader, out);
  for (const auto& [key, value] : reader.meta()) dump.TakeMeta(key, value);
  reader.Rewind();
  for (Event event; reader.Next(&event);) dump.Take(event);
  dump.TakeEnd(reader);
}

}  // namespace arenalab
