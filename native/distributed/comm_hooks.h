// What the Reducer does with a full bucket of gradients instead of averaging it as it is.
#pragma once

#include <string>
#include <torch/csrc/distributed/c10d/comm.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>

#include "power_sgd.h"
#include "process_group.h"

namespace aiforge {

// By its name: 'allreduce', 'fp16', 'bf16' or 'powerSGD'. Returns the name that Python's logging
// data have for it.
std::string register_comm_hook(c10d::Reducer& reducer, const Group& group, const std::string& name,
                               const PowerSgdOptions& options);

}  // namespace aiforge
