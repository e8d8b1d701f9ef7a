#include "gradient_lock.h"

#include <torch/csrc/autograd/variable.h>

#include <thread>

#include "../environment.h"
#include "../errors.h"
#include "run.h"

namespace aiforge {

namespace {

// The mutex under which a leaf's node accumulates.
struct NodeMutex : torch::autograd::Node {
  static std::mutex& of(torch::autograd::Node& node) { return node.*&NodeMutex::mutex_; }
};

}  // namespace

GradientLock::GradientLock(Environment& environment, const at::Tensor& tensor) {
  if (environment.passes.beside == 0) return;
  if (!tensor.is_leaf() && tensor.retains_grad() && environment.interludes == 0) {
    throw Error("INVALID_ARGUMENT",
                "the retained gradient of a tensor that is no leaf cannot be read or changed while "
                "backwardAsync() runs; await its promise first");
  }
  if (environment.interludes == 0) check_gradient_with_guests(environment, tensor);
  accumulator_ = torch::autograd::impl::try_get_grad_accumulator(tensor);
  if (!accumulator_) return;
  lock_ = std::unique_lock<std::mutex>(NodeMutex::of(*accumulator_), std::try_to_lock);
  // A pass may call this thread's JavaScript while it holds the lock: that is served meanwhile, and
  // within it there is nothing to wait for.
  while (!lock_.owns_lock() && environment.interludes == 0) {
    environment.bridge->serve_pending();
    std::this_thread::yield();
    if (lock_.try_lock()) break;
  }
}

}  // namespace aiforge
