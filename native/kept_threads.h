// Threads that are kept for what comes next: one that is new costs more than a small backward pass,
// and its first operator on several cores makes a team of others.
#pragma once

#include <functional>

namespace aiforge {

// Runs `work`, which must not throw, on a thread where nothing else runs. Throws where there is
// none and none can be made.
void run_on_kept_thread(std::function<void()> work);

}  // namespace aiforge
