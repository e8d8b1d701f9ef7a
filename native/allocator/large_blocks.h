// Keeps the large blocks that are freed, for the next step of a training loop. The system would map
// each anew, and the loop would fault its pages in again: a fifth of the time of a ResNet.
#pragma once

#include "block.h"

namespace aiforge::large_blocks {

Block* allocate(size_t bytes);
void release(Block* block);

}  // namespace aiforge::large_blocks
