#include "reducer_object.h"

#include <torch/csrc/autograd/variable.h>

#include <mutex>

#include "../errors.h"

namespace aiforge {

bool StepReducer::may_average() {
  if (!is_expected_) return false;
  // The averages are waited for under the lock, where hooks are not expected any more.
  const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
  if (lock.owns_lock() && !expect_autograd_hooks_) is_expected_ = false;
  return is_expected_;
}

std::vector<std::vector<size_t>> StepReducer::settled_buckets(
    const std::vector<size_t>& limits) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (has_rebuilt_bucket_) {
    std::vector<std::vector<size_t>> numbers;
    for (const Bucket& bucket : buckets_) numbers.push_back(bucket.variable_indices);
    return numbers;
  }
  if (!should_rebuild_buckets() || rebuilt_params_.size() != params_.size()) return {};
  return std::get<0>(c10d::compute_bucket_assignment_by_size(
      rebuilt_params_, limits, expect_sparse_gradients_, rebuilt_param_indices_));
}

std::optional<size_t> StepReducer::first_lost() const {
  for (size_t i = 0; i < params_.size(); ++i) {
    const auto now = torch::autograd::impl::try_get_grad_accumulator(params_[i]);
    if (now.get() != grad_accumulators_[i].get()) return i;
  }
  return std::nullopt;
}

std::vector<size_t> StepReducer::uses() const {
  std::vector<size_t> uses;
  uses.reserve(grad_accumulators_.size());
  for (const auto& node : grad_accumulators_) uses.push_back(node.use_count());
  return uses;
}

bool ReducerObject::watches(const at::Tensor& leaf) const {
  return numbers.count(leaf.unsafeGetTensorImpl()) > 0;
}

void ReducerObject::check_pass(const std::vector<std::shared_ptr<PassGuest>>& all) {
  if (!is_busy()) {
    if (reducer->may_average()) check_group_is_idle(all, group);
    return;
  }
  throw Error("INVALID_ARGUMENT",
              "a backward pass that averages the gradients of '" + names.at(0) +
                  "' over the ranks still runs beside this one; await the promise of its "
                  "backwardAsync() first");
}

void ReducerObject::check_gradient(const at::Tensor& tensor) {
  const auto found = numbers.find(tensor.unsafeGetTensorImpl());
  if (found == numbers.end() || !is_busy()) return;
  throw Error("INVALID_ARGUMENT",
              "the gradient of '" + names.at(found->second) +
                  "' is averaged over the ranks and cannot be read or changed while "
                  "backwardAsync() runs; await its promise first");
}

void check_group_is_idle(const std::vector<std::shared_ptr<PassGuest>>& all, const Group& group) {
  for (const auto& each : all) {
    auto* const other = dynamic_cast<ReducerObject*>(each.get());
    if (other == nullptr || other->group != group || !other->is_busy()) continue;
    throw Error("INVALID_ARGUMENT",
                "backwardAsync() still averages the gradients of '" + other->names.at(0) +
                    "' over this process group, and ranks would meet in another order; await its "
                    "promise first");
  }
}

}  // namespace aiforge
