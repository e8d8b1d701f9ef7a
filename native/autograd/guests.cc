#include "guests.h"

#include <torch/csrc/autograd/functions/accumulate_grad.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <unordered_set>

#include "../environment.h"

namespace aiforge {

namespace {

std::vector<at::Tensor> leaves_below(const std::vector<at::Tensor>& roots) {
  using torch::autograd::Node;
  std::vector<at::Tensor> leaves;
  std::unordered_set<Node*> seen;
  std::vector<Node*> left;
  const auto reach = [&](Node* node) {
    if (node != nullptr && seen.insert(node).second) left.push_back(node);
  };
  for (const at::Tensor& root : roots) {
    if (root.grad_fn()) reach(root.grad_fn().get());
  }
  while (!left.empty()) {
    Node* const node = left.back();
    left.pop_back();
    if (const auto* leaf = dynamic_cast<torch::autograd::AccumulateGrad*>(node)) {
      leaves.push_back(leaf->variable);
    }
    for (const auto& edge : node->next_edges()) reach(edge.function.get());
  }
  return leaves;
}

}  // namespace

PassGuests living_guests(Environment& environment) {
  PassGuests guests;
  for (const auto& each : environment.passes.guests) {
    if (auto guest = each.lock()) guests.push_back(std::move(guest));
  }
  return guests;
}

void add_guest(Environment& environment, const std::shared_ptr<PassGuest>& guest) {
  auto& guests = environment.passes.guests;
  guests.erase(
      std::remove_if(guests.begin(), guests.end(), [](const auto& each) { return each.expired(); }),
      guests.end());
  guests.push_back(guest);
}

void check_gradient_with_guests(Environment& environment, const at::Tensor& tensor) {
  for (const auto& guest : living_guests(environment)) guest->check_gradient(tensor);
}

PassGuests guests_of(Environment& environment, const std::vector<at::Tensor>& roots) {
  const PassGuests all = living_guests(environment);
  PassGuests guests = all;
  if (guests.empty()) return guests;
  const auto leaves = leaves_below(roots);
  const auto is_other = [&](const auto& guest) {
    return std::none_of(leaves.begin(), leaves.end(),
                        [&](const at::Tensor& leaf) { return guest->watches(leaf); });
  };
  guests.erase(std::remove_if(guests.begin(), guests.end(), is_other), guests.end());
  for (const auto& guest : guests) guest->check_pass(all);
  return guests;
}

}  // namespace aiforge
