#include "function_node.h"

#include "../calls/values.h"
#include "../environment.h"
#include "../errors.h"
#include "run.h"

namespace aiforge {

using torch::autograd::variable_list;

void FunctionNode::release_variables() {
  std::shared_ptr<Saved> released;
  const std::lock_guard<std::mutex> lock(saved_mutex_);
  released.swap(saved_);
}

void FunctionNode::release_owned() {
  backward_.reset();
  outputs_.clear();
  release_variables();
}

void FunctionNode::set_outputs(const std::vector<std::optional<at::Tensor>>& outputs,
                               bool materialize) {
  materialize_ = materialize;
  for (const auto& output : outputs) {
    outputs_.push_back(output ? torch::autograd::VariableInfo(*output)
                              : torch::autograd::VariableInfo());
  }
}

void FunctionNode::save(const std::vector<at::Tensor>& tensors) {
  for (const at::Tensor& tensor : tensors) {
    const bool is_output = tensor.defined() && tensor.grad_fn().get() == this;
    saved_->emplace_back(tensor, is_output);
  }
}

std::vector<at::Tensor> FunctionNode::saved() {
  std::shared_ptr<Saved> saved;
  {
    const std::lock_guard<std::mutex> lock(saved_mutex_);
    saved = saved_;
  }
  if (!saved) throw Error("OPERATOR_FAILED", torch::autograd::ERR_BACKWARD_TWICE);
  std::vector<at::Tensor> tensors;
  for (const auto& variable : *saved) tensors.push_back(variable.unpack(getptr()));
  return tensors;
}

variable_list FunctionNode::apply(variable_list&& gradients) {
  at::OptionalDeviceGuard device;
  for (size_t i = 0; materialize_ && i < gradients.size(); ++i) {
    if (!gradients[i].defined()) gradients[i] = outputs_[i].zeros(device);
  }
  variable_list results;
  call_js(*backward_, gradients, [&](napi_env env, napi_value value) {
    results = to_tensors(Environment::of(env), env, value);
  });
  // More results than arguments are fine as long as they say nothing.
  while (results.size() > is_tensor_.size() && !results.back().defined()) results.pop_back();
  if (results.size() != is_tensor_.size()) {
    throw Error("INVALID_ARGUMENT", "function " + name_ +
                                        " returned an incorrect number of gradients (expected " +
                                        std::to_string(is_tensor_.size()) + ", got " +
                                        std::to_string(results.size()) + ")");
  }
  variable_list kept;
  for (size_t i = 0; i < results.size(); ++i) {
    if (is_tensor_[i]) {
      kept.push_back(std::move(results[i]));
    } else if (results[i].defined()) {
      throw Error("INVALID_ARGUMENT", "function " + name_ +
                                          " returned a gradient different than null at position " +
                                          std::to_string(i + 1) +
                                          ", but the corresponding forward input was not a Tensor");
    }
  }
  return kept;
}

}  // namespace aiforge
