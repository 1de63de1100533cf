// Random changes of byte strings, for running a fuzz target as a test: those
// that libFuzzer makes, without its feedback.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace arenalab {

class Mutator {
 public:
  Mutator(std::vector<std::string> seeds, unsigned seed)
      : seeds_(std::move(seeds)), random_(seed) {}

  // A seed after one to eight changes.
  std::string Next() {
    std::string bytes = Seed();
    for (std::size_t left = 1 + Below(8); left > 0; --left) Change(&bytes);
    return bytes;
  }

 private:
  std::size_t Below(std::size_t n) { return n == 0 ? 0 : random_() % n; }
  const std::string& Seed() { return seeds_[Below(seeds_.size())]; }

  void Change(std::string* bytes) {
    // Boundaries of the encodings, as bytes.
    static constexpr unsigned char kTelling[] = {
        0, 1, 0x0f, 0x10, 0x7f, 0x80, 0xf0, 0xfe, 0xff, '0', ' ', '\n', '='};
    const std::size_t at = Below(bytes->size() + 1);
    const std::size_t some = 1 + Below(16);
    switch (Below(7)) {
      case 0:
        if (at < bytes->size())
          (*bytes)[at] ^= static_cast<char>(1 << Below(8));
        break;
      case 1:
        if (at < bytes->size()) {
          (*bytes)[at] =
              static_cast<char>(kTelling[Below(std::size(kTelling))]);
        }
        break;
      case 2:
        bytes->erase(at, some);
        break;
      case 3:
        bytes->insert(at, some, static_cast<char>(random_()));
        break;
      case 4:  // a piece again, elsewhere
        bytes->insert(at, bytes->substr(Below(bytes->size()), some));
        break;
      case 5: {  // the rest of another seed
        const std::string& other = Seed();
        bytes->replace(at, bytes->npos, other.substr(Below(other.size())));
        break;
      }
      default:  // bytes changed places
        if (at + some < bytes->size()) {
          std::swap((*bytes)[at], (*bytes)[at + some]);
        }
    }
  }

  const std::vector<std::string> seeds_;
  std::mt19937 random_;
};

}  // namespace arenalab
