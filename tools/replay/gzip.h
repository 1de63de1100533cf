// A gzip stream in memory, and base64: how the map travels inside JSON. The
// browser undoes both by itself (atob, DecompressionStream).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace arenalab {

class GzipStream {
 public:
  GzipStream();
  ~GzipStream();
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  void Append(std::string_view bytes);
  // Made so far; what deflate still holds back is not in it.
  std::size_t bytes() const;
  // The whole stream. Nothing may be called after it.
  std::string Finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// RFC 4648, with padding.
std::string Base64(std::string_view bytes);

}  // namespace arenalab
