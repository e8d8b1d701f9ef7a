// The outputs of a Function of JavaScript. Since 2.14 LibTorch also tells which node they got, for
// hooks of Python's that hear of new nodes.
#pragma once

#include <torch/csrc/autograd/custom_function.h>
#include <torch/headeronly/version.h>

#include <optional>
#include <unordered_set>
#include <vector>

#include "nodes.h"

namespace aiforge {

// Gives `raw` outputs the node, or none where it is null; `dirty` are inputs that were changed in
// place.
inline std::vector<std::optional<at::Tensor>> outputs_with_node(
    const std::vector<at::Tensor>& inputs,
    const std::unordered_set<at::TensorImpl*>& non_differentiable,
    const std::unordered_set<at::TensorImpl*>& dirty,
    const std::vector<std::optional<at::Tensor>>& raw, const AnyNodePointer& node,
    const torch::autograd::_jvp_fn_t& jvp) {
  const auto view_as_self = [](const at::Tensor& tensor) { return tensor.view_as(tensor); };
#if TORCH_VERSION_MINOR >= 14
  AnyNodePointer attached;
  return torch::autograd::_wrap_outputs(inputs, non_differentiable, dirty, raw, node, jvp, {},
                                        view_as_self, /*pure_view=*/false, attached);
#else
  return torch::autograd::_wrap_outputs(inputs, non_differentiable, dirty, raw, node, jvp, {},
                                        view_as_self, /*pure_view=*/false);
#endif
}

}  // namespace aiforge
