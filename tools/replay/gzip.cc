// zlib's deflate with a gzip header.
#include "tools/replay/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <utility>

namespace arenalab {

struct GzipStream::Impl {
  z_stream stream{};
  std::string out;

  void Deflate(std::string_view bytes, int flush) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    char piece[1 << 16];
    do {
      stream.next_out = reinterpret_cast<Bytef*>(piece);
      stream.avail_out = sizeof(piece);
      deflate(&stream, flush);
      out.append(piece, sizeof(piece) - stream.avail_out);
    } while (stream.avail_out == 0);
  }
};

GzipStream::GzipStream() : impl_(std::make_unique<Impl>()) {
  // Level 4: a map a sixth larger than level 6 makes it, in half the time.
  // 15 window bits; 16 more ask for gzip's header in place of zlib's.
  if (deflateInit2(&impl_->stream, 4, Z_DEFLATED, 15 + 16, 8,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib: deflateInit2 failed");
  }
}

GzipStream::~GzipStream() { deflateEnd(&impl_->stream); }

void GzipStream::Append(std::string_view bytes) {
  // avail_in is 32 bits.
  constexpr std::size_t kPiece = std::size_t{1} << 30;
  for (; bytes.size() > kPiece; bytes.remove_prefix(kPiece))
    impl_->Deflate(bytes.substr(0, kPiece), Z_NO_FLUSH);
  impl_->Deflate(bytes, Z_NO_FLUSH);
}

std::size_t GzipStream::bytes() const { return impl_->out.size(); }

std::string GzipStream::Finish() {
  impl_->Deflate("", Z_FINISH);
  return std::move(impl_->out);
}

std::string Base64(std::string_view bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 |
              (j < have ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += j <= have ? kDigits[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return out;
}

}  // namespace arenalab
