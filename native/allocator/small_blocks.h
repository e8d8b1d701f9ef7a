// Keeps the small blocks that a thread frees. glibc has no such cache for aligned memory: to get
// and free a block there costs more than the arithmetic of a small tensor.
#pragma once

#include "block.h"

namespace aiforge::small_blocks {

constexpr size_t kLargestBytes = size_t{256} << 10;

Block* allocate(size_t bytes);
void release(Block* block);

}  // namespace aiforge::small_blocks
