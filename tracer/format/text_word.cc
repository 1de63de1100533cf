// Spelling of layers and names.
#include "tracer/format/text_word.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace arenalab {
namespace {

// In the order of Layer.
constexpr std::string_view kLayerWords[] = {"raw", "mem", "obj", "libc"};
static_assert(static_cast<int>(Layer::kLibc) + 1 == std::size(kLayerWords));

constexpr std::string_view kOwnerWords[] = {"program", "free-list", "immortal",
                                            "unknown"};
static_assert(kOwners == std::size(kOwnerWords));

// The place of a word among those of an enumeration.
template <typename Value, std::size_t kWords>
std::optional<Value> Of(std::string_view word,
                        const std::string_view (&words)[kWords]) {
  const auto* const found = std::find(std::begin(words), std::end(words), word);
  if (found == std::end(words)) return std::nullopt;
  return static_cast<Value>(found - std::begin(words));
}

bool IsPlain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > ' ' && byte != 0x7f && c != '"' && c != '\\';
}

}  // namespace

std::string_view LayerWord(Layer layer) {
  return kLayerWords[static_cast<unsigned>(layer)];
}

std::optional<Layer> LayerOfWord(std::string_view word) {
  return Of<Layer>(word, kLayerWords);
}

std::string_view OwnerWord(Owner owner) {
  return kOwnerWords[static_cast<unsigned>(owner)];
}

std::optional<Owner> OwnerOfWord(std::string_view word) {
  return Of<Owner>(word, kOwnerWords);
}

void AppendName(std::string_view name, std::string* line) {
  if (!name.empty() && std::all_of(name.begin(), name.end(), IsPlain)) {
    *line += name;
    return;
  }
  *line += '"';
  for (const char c : name) {
    if (IsPlain(c) || c == ' ') {
      *line += c;
    } else if (c == '"' || c == '\\') {
      *line += '\\';
      *line += c;
    } else {
      constexpr char kDigits[] = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      *line += "\\x";
      *line += kDigits[byte >> 4];
      *line += kDigits[byte & 15];
    }
  }
  *line += '"';
}

std::optional<std::string> TakeName(std::string_view* line) {
  if (line->empty()) return std::nullopt;
  if (line->front() != '"') {
    const auto end = std::find_if_not(line->begin(), line->end(), IsPlain);
    const std::string name(line->begin(), end);
    line->remove_prefix(name.size());
    if (name.empty()) return std::nullopt;
    return name;
  }
  std::string name;
  for (std::size_t at = 1; at < line->size(); ++at) {
    char c = (*line)[at];
    if (c == '"') {
      line->remove_prefix(at + 1);
      return name;
    }
    if (c == '\\') {
      if (++at == line->size()) break;
      c = (*line)[at];
      if (c == 'x') {
        if (line->size() - at < 3) break;
        const char* const digits = line->data() + at + 1;
        unsigned byte = 0;
        if (std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2) {
          break;
        }
        c = static_cast<char>(byte);
        at += 2;
      } else if (c != '"' && c != '\\') {
        break;
      }
    }
    name += c;
  }
  return std::nullopt;
}

}  // namespace arenalab
