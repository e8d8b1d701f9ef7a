// What a process says that the engine ends.
#pragma once

namespace aiforge {

// From now on an exception that leaves one of the engine's threads, such as that of NCCL's watchdog
// or of Gloo's connections, still ends the process by SIGABRT, but first prints what it was and
// what to do, and records it for the launcher.
void leave_last_words();

}  // namespace aiforge
