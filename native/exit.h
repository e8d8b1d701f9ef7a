#pragma once

namespace aiforge {

// Has the process end without taking LibTorch apart.
void leave_quickly();

}  // namespace aiforge
