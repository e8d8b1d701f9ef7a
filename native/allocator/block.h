// A block of memory for a tensor of the CPU: a header, then the data.
#pragma once

#include <c10/core/alignment.h>
#include <c10/core/impl/alloc_cpu.h>

#include <algorithm>
#include <cstddef>
#include <new>

namespace aiforge {

// Takes up one alignment, so that the data behind it is aligned as LibTorch's own.
struct alignas(c10::gAlignment) Block {
  size_t size_class;
  size_t bytes;
  bool is_mapped = false;
  // Neighbours in the lists of the cache that keeps the block while it is free.
  Block* next = nullptr;
  Block* previous = nullptr;
  Block* older = nullptr;
  Block* newer = nullptr;

  void* data() { return this + 1; }
  static Block* of(void* data) { return static_cast<Block*>(data) - 1; }

  static Block* make(size_t size_class, size_t bytes) {
    // A negative number of bytes must not become a small one.
    void* memory = c10::alloc_cpu(std::max(bytes, bytes + sizeof(Block)));
    return new (memory) Block{.size_class = size_class, .bytes = bytes};
  }

  static void release(Block* block) { c10::free_cpu(block); }
};
static_assert(sizeof(Block) == c10::gAlignment);

}  // namespace aiforge
