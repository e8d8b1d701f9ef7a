#include "exit.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace aiforge {

namespace {

// Handlers run in the order opposite to that of their registration, so those of whatever was loaded
// after the addon have run by now.
void leave(int status, void*) {
  std::fflush(nullptr);
  _exit(status);
}

}  // namespace

// LibTorch's statics take every operator out of the dispatcher one by one, which costs more than
// 100 ms at each exit, for memory that the system takes back at once.
void leave_quickly() {
  static const bool is_registered = on_exit(leave, nullptr) == 0;
  static_cast<void>(is_registered);
}

}  // namespace aiforge
