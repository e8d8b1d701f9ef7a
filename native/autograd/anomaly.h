// Where the forward pass made a node, for errors of the backward pass.
#pragma once

#include <torch/csrc/autograd/anomaly_mode.h>
#include <torch/csrc/autograd/function.h>

#include <memory>
#include <string>

#include "run.h"

namespace aiforge {

std::unique_ptr<torch::autograd::AnomalyMetadata> make_js_anomaly_metadata();

// The JavaScript stack under which a node was made, and those of the nodes whose backward made it;
// may be empty.
std::string forward_stack_of(torch::autograd::Node& node);

// Throws the exception of a pass that has failed, with the stack of the node where it did. On the
// environment's thread.
[[noreturn]] void rethrow_with_stack(Environment& environment, napi_env env, const Run& run,
                                     const std::exception_ptr& error);

}  // namespace aiforge
