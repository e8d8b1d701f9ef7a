// What happens to the tensors that operators save for their backward, where JavaScript has a say in
// it.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/saved_variable_hooks.h>

#include <memory>

#include "bridge.h"

namespace aiforge {

class Environment;

// A pair of hooks: `pack` gets a tensor to save and returns the function that gives it back.
struct SavedTensorsHooks {
  std::shared_ptr<JsReference> pack;
  // Whether the tensor that comes back is given away: its handle ends with its use.
  bool takes = false;
  // Lives as long as anything that was packed.
  at::Tensor kept;
};

// The hooks that apply to what this thread saves now, or null. JavaScript's context sets them.
std::shared_ptr<SavedTensorsHooks>& active_saved_tensors_hooks();

// For the engine: the hooks of a tensor that is being saved, or null.
std::unique_ptr<torch::autograd::SavedVariableHooks> hooks_for_saved_tensor();

}  // namespace aiforge
