// The node of a Function written in JavaScript.
#pragma once

#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/saved_variable.h>
#include <torch/csrc/autograd/variable_info.h>

#include <memory>
#include <string>
#include <vector>

#include "../versions/nodes.h"
#include "bridge.h"

namespace aiforge {

class FunctionNode : public OwningNode {
 public:
  FunctionNode(std::string name, std::shared_ptr<JsReference> backward, std::vector<bool> is_tensor)
      : name_(std::move(name)), backward_(std::move(backward)), is_tensor_(std::move(is_tensor)) {}

  std::string name() const override { return name_; }
  void release_variables() override;

  // After the outputs have got this node.
  void set_outputs(const std::vector<std::optional<at::Tensor>>& outputs, bool materialize);
  void save(const std::vector<at::Tensor>& tensors);
  // Throws when they were changed in place since, or released.
  std::vector<at::Tensor> saved();

 protected:
  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override;
  // What `backward` keeps may hold this node weakly.
  void release_owned() override;

 private:
  const std::string name_;
  std::shared_ptr<JsReference> backward_;
  const std::vector<bool> is_tensor_;  // for each argument of the Function
  std::vector<torch::autograd::VariableInfo> outputs_;
  bool materialize_ = true;
  // Unpacking may run JavaScript, which may release what is being unpacked.
  using Saved = std::vector<torch::autograd::SavedVariable>;
  std::mutex saved_mutex_;
  std::shared_ptr<Saved> saved_ = std::make_shared<Saved>();  // null once released
};

}  // namespace aiforge
