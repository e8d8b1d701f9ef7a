// How the C heap, which holds the tensors of the CPU, keeps and returns its memory.
#pragma once

namespace aiforge {

// Makes freed blocks stay in the process for the next step of a training loop, within bounds.
void keep_freed_blocks();

// Gives the pages of free blocks back to the system when they are many.
void return_free_pages();

}  // namespace aiforge
