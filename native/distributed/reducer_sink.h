// One node for all outputs of a forward pass: a loss that uses any of them reaches what the others
// came from too, without a gradient.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "reducer_object.h"

namespace aiforge {

// Copies of the tensors behind such a node, whose backward averages all gradients after the first
// pass of a static graph.
std::vector<at::Tensor> through_sink(const std::shared_ptr<ReducerObject>& object,
                                     const std::vector<at::Tensor>& tensors);

}  // namespace aiforge
