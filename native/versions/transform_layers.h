// Layers of function transforms. Since 2.12 a layer is told whether inference mode was on, which
// up to 2.11 it leaves as it is.
#pragma once

#include <ATen/functorch/DynamicLayer.h>
#include <c10/core/InferenceMode.h>
#include <torch/headeronly/version.h>

#include <optional>

namespace aiforge {

// Pushes the layer of a transform that takes gradients, which restores the modes around it; its
// level.
inline int64_t push_gradient_layer(at::functorch::TransformType type, std::optional<bool> grad_mode,
                                   std::optional<bool> forward_grad_mode) {
#if TORCH_VERSION_MINOR >= 12
  return at::functorch::initAndPushDynamicLayer(type, std::nullopt, std::nullopt, grad_mode,
                                                forward_grad_mode, std::nullopt,
                                                c10::InferenceMode::is_enabled());
#else
  return at::functorch::initAndPushDynamicLayer(type, std::nullopt, std::nullopt, grad_mode,
                                                forward_grad_mode);
#endif
}

}  // namespace aiforge
