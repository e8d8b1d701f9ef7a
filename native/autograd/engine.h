// LibTorch's engine with what JavaScript needs of it.
#pragma once

namespace aiforge {

// Makes ours the process's engine; called by every environment that opens, and done once.
void install_engine();

}  // namespace aiforge
