// Text to trace. The same ObjectTable that a dump will use runs along, so that
// a text whose IDs do not mean what its addresses say is rejected at the line.
#include <charconv>
#include <istream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "tracer/format/layout.h"
#include "tracer/format/object_table.h"
#include "tracer/format/text.h"
#include "tracer/format/text_word.h"

namespace arenalab {
namespace {

// Where the objects of a text without addresses are put: one place an ID, far
// from any address that a line could mean.
constexpr std::uint64_t kSyntheticBase = std::uint64_t{1} << 62;
constexpr std::uint64_t kSyntheticStride = 16;

class Import {
 public:
  Import(const std::string& name, TraceWriter& writer)
      : name_(name), writer_(writer) {}

  void Take(std::string_view line) {
    ++line_;
    line_left_ = line;
    SkipBlanks();
    if (line_left_.empty() || line_left_.front() == '#') return;
    if (ended_) Fail("nothing may follow the end line");
    Line(Word("a line's first word"));
    SkipBlanks();
    if (!line_left_.empty() && line_left_.front() != '#') {
      Fail("'" + std::string(line_left_) + "' is too much");
    }
    if (!writer_.ok()) throw InputError(writer_.error());
  }

  void Finish() {
    if (addresses_ == Addresses::kRecorded && declared_none_) {
      Fail("`meta addresses none`, but lines have addr=");
    }
    if (addresses_ == Addresses::kNone) writer_.Meta("addresses", "none");
    if (incomplete_) {
      writer_.Flush();
    } else {
      writer_.Finish(lost_, waited_ns_);
    }
    if (!writer_.ok()) throw InputError(writer_.error());
  }

 private:
  enum class Addresses { kUndecided, kRecorded, kNone };
  struct Live {
    std::uint64_t address;
    std::uint32_t object;
    Layer layer;
  };
  using Objects = std::unordered_map<std::uint32_t, Live>;

  void Line(std::string_view verb) {
    Event event;
    if (verb == "meta") return Meta();
    if (verb == "end") return End();
    if (verb == "incomplete") {
      ended_ = incomplete_ = true;
    } else if (verb == "malloc") {
      event.kind = EventKind::kAlloc;
      Request(event);
    } else if (verb == "calloc") {
      event.kind = EventKind::kZeroed;
      Request(event);
    } else if (verb == "aligned") {
      event.kind = EventKind::kAligned;
      Request(event);
    } else if (verb == "realloc") {
      event.kind = EventKind::kRealloc;
      Request(event);
    } else if (verb == "free" || verb == "free-unknown") {
      event.kind = EventKind::kFree;
      FreeOf(event, verb == "free");
    } else {
      Other(verb, event);
    }
  }

  void Request(Event& event) {
    const auto id = Id();
    const auto found = objects_.find(id);
    const bool live = found != objects_.end();
    if (live && event.kind != EventKind::kRealloc) {
      Fail("ID " + std::to_string(id) + " is live already; free it first");
    }
    if (event.kind == EventKind::kAligned) {
      event.align_bytes = Number("an alignment");
      if (event.align_bytes == 0 ||
          (event.align_bytes & (event.align_bytes - 1)) != 0) {
        Fail("an alignment is a power of two");
      }
    }
    event.size_bytes = Number("a size");
    event.layer = live ? found->second.layer : Layer::kObject;
    std::optional<std::uint64_t> address, old_address;
    Columns(event, &address, &old_address);
    const Addresses kind =
        address.has_value() ? Addresses::kRecorded : Addresses::kNone;
    if (addresses_ != kind && addresses_ != Addresses::kUndecided) {
      Fail(address.has_value() ? "addr=, but earlier lines have none"
                               : "no addr=, but earlier lines have one");
    }
    addresses_ = kind;
    event.address = address.value_or(kSyntheticBase + kSyntheticStride * id);
    if (live && old_address.has_value()) {
      Fail("old= is for an ID that is not live");
    }
    event.old_address = live ? found->second.address : old_address.value_or(0);
    const std::optional<std::uint32_t> before =
        live ? std::optional(found->second.object) : std::nullopt;
    const Identified identified = Append(event);
    if (before.has_value()) {
      CheckOwner(id, event.layer,
                 identified.unknown_old ? kNoObject : identified.object,
                 *before);
    }
    if (old_address.value_or(0) != 0 && !identified.unknown_old) {
      Fail("old= names the address of a live object; use its ID");
    }
    objects_[id] = {event.address, identified.object, event.layer};
  }

  void FreeOf(Event& event, bool known) {
    if (!known) {
      event.address = Address("an address");
      event.layer = Layer::kObject;
      Columns(event, nullptr, nullptr);
      if (Append(event).object != kNoObject) {
        Fail("the address is that of a live object; use `free ID`");
      }
      return;
    }
    const auto id = Id();
    const auto found = objects_.find(id);
    if (found == objects_.end()) {
      Fail("ID " + std::to_string(id) +
           " is not live; a block from before the trace is `free-unknown "
           "ADDR`");
    }
    event.layer = found->second.layer;
    event.address = found->second.address;
    Columns(event, nullptr, nullptr);
    CheckOwner(id, event.layer, Append(event).object, found->second.object);
    objects_.erase(found);
  }

  void Other(std::string_view verb, Event& event) {
    std::string text;
    if (verb == "arena+" || verb == "arena-") {
      event.kind = verb == "arena+" ? EventKind::kArenaAcquire
                                    : EventKind::kArenaRelease;
      event.address = Address("an address");
      event.size_bytes = Number("a size");
    } else if (verb == "mark") {
      event.kind = EventKind::kMark;
      text = Name();
    } else if (verb == "fork") {
      event.kind = EventKind::kFork;
      event.number = Number("a fork's number");
      text = Name();
    } else if (verb == "memory") {
      event.kind = EventKind::kMemory;
      event.rss_bytes = Number("a number of bytes");
    } else if (verb == "held") {
      event.kind = EventKind::kHeld;
      event.layer = Layer::kObject;
      event.address = Address("an address");
    } else {
      Fail("unknown word '" + std::string(verb) +
           "'; a line begins with meta, malloc, calloc, aligned, realloc, "
           "free, free-unknown, arena+, arena-, mark, fork, memory, held, "
           "end, incomplete or #");
    }
    event.name = text;
    Columns(event, nullptr, nullptr);
    Append(event);
  }

  void Meta() {
    const std::string key(Word("a key"));
    if (!line_left_.empty()) line_left_.remove_prefix(1);
    if (key == "addresses") declared_none_ = line_left_ == "none";
    writer_.Meta(key, line_left_);
    line_left_ = {};
  }

  void End() {
    ended_ = true;
    for (SkipBlanks(); !line_left_.empty() && line_left_.front() != '#';
         SkipBlanks()) {
      const std::string_view word = Word("a column");
      if (word.starts_with("lost=")) {
        lost_ = Parse(word.substr(5), 10, "a number");
      } else if (word.starts_with("waited=")) {
        waited_ns_ = Parse(word.substr(7), 10, "a number");
      } else {
        Fail("unknown column '" + std::string(word) + "' at the end line");
      }
    }
  }

  // KEY=VALUE words up to the line's end. A null `address`: not allowed here.
  void Columns(Event& event, std::optional<std::uint64_t>* address,
               std::optional<std::uint64_t>* old_address) {
    const bool request = IsRequest(event.kind);
    const bool realloc = event.kind == EventKind::kRealloc;
    const bool held = event.kind == EventKind::kHeld;
    event.time_ns = time_ns_;
    for (SkipBlanks(); !line_left_.empty() && line_left_.front() != '#';
         SkipBlanks()) {
      if (NameColumn(event)) continue;
      const std::string_view word = Word("a column");
      const std::size_t equals = word.find('=');
      const std::string_view key = word.substr(0, equals);
      const std::string_view value =
          equals == word.npos ? "" : word.substr(equals + 1);
      if (key == "thread") {
        event.thread = Parse<std::uint32_t>(value, 10, "a thread");
      } else if (key == "state") {
        event.state = Parse<std::uint32_t>(value, 10, "a state");
      } else if (key == "t") {
        event.time_ns = Parse(value, 10, "a time in nanoseconds");
        if (event.time_ns < time_ns_) Fail("time goes back");
      } else if (request && key == "domain") {
        const std::optional<Layer> layer = LayerOfWord(value);
        if (!layer.has_value()) Fail("domain= is raw, mem, obj or libc");
        event.layer = *layer;
      } else if (request && key == "depth") {
        event.depth = Parse<std::uint8_t>(value, 10, "a depth");
      } else if (address != nullptr && key == "addr") {
        *address = ParseAddress(value);
      } else if (realloc && key == "old") {
        *old_address = ParseAddress(value);
      } else if (held && key == "owner") {
        const std::optional<Owner> owner = OwnerOfWord(value);
        if (!owner.has_value()) {
          Fail("owner= is program, free-list, immortal or unknown");
        }
        event.owner = *owner;
      } else if ((realloc || held) && key == "lag") {
        event.lag = Parse(value, 10, "a lag");
      } else {
        Fail("unknown column '" + std::string(word) + "' here");
      }
    }
    time_ns_ = event.time_ns;
  }

  // type= or site=, whose value is a name.
  bool NameColumn(Event& event) {
    const bool type = line_left_.starts_with("type=");
    if (!type && !line_left_.starts_with("site=")) return false;
    if (!IsRequest(event.kind) && !(type && event.kind == EventKind::kHeld)) {
      Fail("type= and site= are of requests");
    }
    if (!type && event.kind == EventKind::kFree) {
      Fail("site= is of the request that asks for the block");
    }
    line_left_.remove_prefix(5);
    (type ? event.type : event.site) =
        writer_.Intern(type ? NameSpace::kType : NameSpace::kSite, Name());
    return true;
  }

  Identified Append(Event& event) {
    event.request = writer_.requests();
    const Identified identified = table_.Identify(event);
    writer_.Append(event);
    return identified;
  }

  static bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
  void SkipBlanks() {
    while (!line_left_.empty() && IsBlank(line_left_.front())) {
      line_left_.remove_prefix(1);
    }
  }
  std::string_view Word(const char* what) {
    SkipBlanks();
    std::size_t end = 0;
    while (end < line_left_.size() && !IsBlank(line_left_[end])) ++end;
    if (end == 0) Fail(std::string("the line ends where ") + what + " belongs");
    const std::string_view word = line_left_.substr(0, end);
    line_left_.remove_prefix(end);
    return word;
  }
  std::string Name() {
    SkipBlanks();
    std::optional<std::string> name = TakeName(&line_left_);
    if (!name.has_value()) {
      Fail("a name is a word, or text in quotes with \\\" \\\\ \\xHH");
    }
    if (name->size() > layout::kMaxNameBytes) Fail("a name over 64 KiB");
    if (!line_left_.empty() && !IsBlank(line_left_.front())) {
      Fail("a blank belongs behind the name");
    }
    return *name;
  }
  std::uint32_t Id() {
    const auto id = Parse<std::uint32_t>(Word("an ID"), 10, "an ID");
    if (id == kNoObject) Fail("an ID over 4294967294");
    return id;
  }
  std::uint64_t Number(const char* what) { return Parse(Word(what), 10, what); }
  std::uint64_t Address(const char* what) { return ParseAddress(Word(what)); }
  std::uint64_t ParseAddress(std::string_view word) {
    if (!word.starts_with("0x")) Fail("an address begins with 0x");
    return Parse(word.substr(2), 16, "an address");
  }

  template <typename Number = std::uint64_t>
  Number Parse(std::string_view word, int base, const char* what) {
    Number value{};
    const auto [end, error] =
        std::from_chars(word.data(), word.data() + word.size(), value, base);
    if (error != std::errc{} || end != word.data() + word.size()) {
      Fail("'" + std::string(word) + "' is not " + what +
           (error == std::errc::result_out_of_range
                ? " (at most " +
                      std::to_string(std::numeric_limits<Number>::max()) + ")"
                : ""));
    }
    return value;
  }

  void CheckOwner(std::uint32_t id, Layer layer, std::uint32_t object,
                  std::uint32_t expected) const {
    if (object == kNoObject) {
      Fail("ID " + std::to_string(id) +
           " was not allocated in domain=" + std::string(LayerWord(layer)) +
           "; only mem and obj, and raw and libc, take each other's blocks");
    }
    if (object != expected) {
      Fail("the address of ID " + std::to_string(id) +
           " has been given to another ID since; that one comes first");
    }
  }
  [[noreturn]] void Fail(const std::string& what) const {
    throw InputError(name_ + ":" + std::to_string(line_) + ": " + what);
  }

  const std::string name_;
  TraceWriter& writer_;
  std::uint64_t line_ = 0;
  std::string_view line_left_;
  Objects objects_;
  ObjectTable table_;
  Addresses addresses_ = Addresses::kUndecided;
  bool declared_none_ = false;
  std::uint64_t time_ns_ = 0;
  bool ended_ = false;
  bool incomplete_ = false;
  std::uint64_t lost_ = 0;
  std::uint64_t waited_ns_ = 0;
};

}  // namespace

void ImportText(std::istream& text, const std::string& name,
                TraceWriter& writer) {
  Import import(name, writer);
  for (std::string line; std::getline(text, line);) import.Take(line);
  if (text.bad()) throw InputError(name + ": cannot be read");
  import.Finish();
}

}  // namespace arenalab
