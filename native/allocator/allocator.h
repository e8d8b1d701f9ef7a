// Where the memory of the CPU's tensors comes from, and how the C heap returns its own.
#pragma once

#include <atomic>

namespace aiforge {

// Makes LibTorch keep freed blocks for the next tensors, unless the environment sets up the C heap.
void install_allocator();

// How many profiles record memory: LibTorch is told of each block as long as there are any.
extern std::atomic<int> memory_recordings;

// Gives the pages of free blocks back to the system when they are many.
void return_free_pages();

}  // namespace aiforge
