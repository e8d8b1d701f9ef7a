// The module that a Reducer averages the gradients of, and that it is the same on all ranks.
#pragma once

#include <napi.h>

#include <vector>

#include "process_group.h"
#include "reducer_object.h"

namespace aiforge {

struct Model {
  std::vector<at::Tensor> parameters;  // those that are trained, shared ones once
  std::vector<bool> sparse;            // whether the gradient of each is
  ParameterNames names;
  std::vector<at::Tensor> state;  // what all ranks begin with rank 0's values of
};

Model read_model(napi_env env, napi_value parameters, napi_value names, napi_value sparse,
                 napi_value buffers);

// Throws for a module that cannot be trained.
void check_model(c10d::ProcessGroup& group, const Model& model);

// Throws on every rank when ranks have other parameters: c10d itself tells those that are not rank
// 0. Waits for all.
void require_same_parameters(const Group& group, const Model& model);

}  // namespace aiforge
