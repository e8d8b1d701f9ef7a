// Each rank's place in a group, which one process takes.
#pragma once

#include <chrono>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace aiforge {

// Takes the place of `rank` in the group whose keys `store` has, for this process and one
// environment in it. Throws where another process has it, unless that one is gone and the group was
// not formed yet, and where others count another number of ranks, who can read of it. A Python rank
// takes none, but is known by the address of its Gloo.
void claim_rank(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
                const void* environment);

// Waits until each rank has taken its place. Throws where one was refused for its number of ranks:
// it will not come. Ends at once where one of Python's has come, which takes none.
void await_ranks(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
                 std::chrono::milliseconds timeout);

// Says that the group is formed, so that nobody takes the place of a rank that is lost.
void note_formed(const c10::intrusive_ptr<c10d::Store>& store);

}  // namespace aiforge
