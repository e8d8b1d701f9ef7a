// PowerSGD (Vogels et al., 2019): gradients travel as products of two thin matrices.
#pragma once

#include <cstdint>
#include <memory>
#include <torch/csrc/distributed/c10d/comm.hpp>

#include "process_group.h"

namespace aiforge {

// Those of Python's PowerSGDState.
struct PowerSgdOptions {
  int64_t matrix_approximation_rank = 1;
  int64_t start_iteration = 1000;
  double min_compression_rate = 2;
  bool use_error_feedback = true;
  bool warm_start = true;
  double orthogonalization_epsilon = 0;
  uint32_t random_seed = 0;
  bool batch_tensors_with_same_shape = false;
};

std::unique_ptr<c10d::CommHookInterface> make_power_sgd_hook(const Group& group,
                                                             const PowerSgdOptions& options);

}  // namespace aiforge
