// What a training step calls of the Reducer, and the values that it has from another rank.
#pragma once

#include <napi.h>

#include <vector>

#include "background.h"
#include "process_group.h"

namespace aiforge {

// Each tensor once, to be overwritten without a trace in the graph: a graph that saved a buffer
// goes on with what the other forward passes put there, as in Python.
std::vector<at::Tensor> untracked(const std::vector<at::Tensor>& tensors);

// Overwrites tensors by those of rank `source`, some together.
void share_from(const Group& group, const std::vector<at::Tensor>& tensors, int source);

void define_reducer_steps(napi_env env, napi_value object, Background& background);

}  // namespace aiforge
