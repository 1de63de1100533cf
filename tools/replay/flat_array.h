// A huge array of zeros in address space that nobody paid for yet: pages come
// when they are first written. For tables indexed by address.
//
// ERRORS. std::system_error. THREADS. As an array.
#pragma once

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <system_error>
#include <type_traits>

namespace arenalab {

template <class T>
class FlatArray {
  static_assert(std::is_trivial_v<T>, "zero bytes must be a value");

 public:
  explicit FlatArray(std::size_t size) : bytes_(size * sizeof(T)) {
    void* mapping = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED) {
      throw std::system_error(errno, std::generic_category(),
                              "reserving a table of the model");
    }
    data_ = static_cast<T*>(mapping);
  }
  ~FlatArray() { munmap(data_, bytes_); }
  FlatArray(const FlatArray&) = delete;
  FlatArray& operator=(const FlatArray&) = delete;

  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }

 private:
  std::size_t bytes_;
  T* data_;
};

}  // namespace arenalab
