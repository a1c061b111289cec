#pragma once

#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "ops/matrix.hpp"

namespace attnspan {

/// Memory for matrices that are written before they are read. Unlike a vector it is not filled with
/// zeros first, by one thread, before all threads write it; large ones ask the system for large
/// pages.
template <class T>
class Room {
 public:
  Room() = default;
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  ~Room() { clear(); }

  /// Makes room for so many numbers; what it held is gone where it has to grow.
  T* take(std::size_t count) {
    if (count > count_) {
      clear();
      const std::size_t bytes = count * sizeof(T);
      const auto alignment =
          bytes < 4 * large_page ? AlignedAllocator<T>::alignment : std::align_val_t{large_page};
      memory_ = static_cast<T*>(::operator new(bytes, alignment));
      count_ = count;
      alignment_ = alignment;
#if defined(__linux__)
      // A wish: where it is not granted there are small pages.
      if (alignment == std::align_val_t{large_page})
        ::madvise(static_cast<void*>(memory_), bytes - bytes % large_page, MADV_HUGEPAGE);
#endif
    }
    return memory_;
  }

 private:
  static constexpr std::size_t large_page = std::size_t{1} << 21;

  void clear() {
    if (memory_) ::operator delete(memory_, alignment_);
    memory_ = nullptr;
    count_ = 0;
  }

  T* memory_ = nullptr;
  std::size_t count_ = 0;
  std::align_val_t alignment_{};
};

/// A rows x cols matrix in `room`: what it held is gone, and what it holds is not told.
template <class T>
MatrixView<T> reserve(Room<T>& room, Index rows, Index cols) {
  return {room.take(static_cast<std::size_t>(rows * cols)), rows, cols};
}

}  // namespace attnspan
