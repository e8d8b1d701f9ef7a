// A block of memory for a tensor of the CPU: a header, then the data.
#pragma once

#include <c10/core/alignment.h>
#include <c10/core/impl/alloc_cpu.h>

#include <algorithm>
#include <cstddef>

namespace aiforge {

// Takes up one alignment, so that the data behind it is aligned as LibTorch's own.
struct alignas(c10::gAlignment) Block {
  size_t size_class;
  size_t bytes;
  // Neighbours in the lists of the cache that keeps the block while it is free.
  Block* next;
  Block* previous;
  Block* older;
  Block* newer;

  void* data() { return this + 1; }
  static Block* of(void* data) { return static_cast<Block*>(data) - 1; }

  static Block* make(size_t size_class, size_t bytes) {
    // A negative number of bytes must not become a small one.
    auto* block = static_cast<Block*>(c10::alloc_cpu(std::max(bytes, bytes + sizeof(Block))));
    block->size_class = size_class;
    block->bytes = bytes;
    return block;
  }

  static void release(Block* block) { c10::free_cpu(block); }
};
static_assert(sizeof(Block) == c10::gAlignment);

}  // namespace aiforge
