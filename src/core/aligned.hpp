#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace attnspan {

/// Signed size and index, so that differences and backward loops need no casts.
using Index = std::ptrdiff_t;

/// Allocates on cache-line boundaries: vector loads never straddle lines, and the order of any
/// alignment-dependent loop is the same in every run.
template <class T>
struct AlignedAllocator {
  using value_type = T;
  static constexpr std::align_val_t alignment{64};

  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U>&) {}

  T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T), alignment));
  }
  void deallocate(T* memory, std::size_t) noexcept { ::operator delete(memory, alignment); }
  friend bool operator==(const AlignedAllocator&, const AlignedAllocator&) { return true; }
};

template <class T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

}  // namespace attnspan
