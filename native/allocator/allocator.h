// Where the memory of the CPU's tensors comes from, and how the C heap returns its own.
#pragma once

namespace aiforge {

// Makes LibTorch keep freed blocks for the next tensors, unless the environment sets up the C heap.
void install_allocator();

// Gives the pages of free blocks back to the system when they are many.
void return_free_pages();

}  // namespace aiforge
