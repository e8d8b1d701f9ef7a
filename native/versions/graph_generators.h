// Generators that a CUDA graph draws from. Up to 2.13 a graph is told of each before its capture.
// Since 2.14 a generator has a state for each capture that draws from it, and nothing is told.
#pragma once

#include <ATen/cuda/CUDAGraph.h>
#include <torch/headeronly/version.h>

namespace aiforge {

inline void register_with_graph([[maybe_unused]] at::cuda::CUDAGraph& graph,
                                [[maybe_unused]] const at::Generator& generator) {
#if TORCH_VERSION_MINOR < 14
  graph.register_generator_state(generator);
#endif
}

}  // namespace aiforge
