// Reading and replacing `.grad` while passes run on other threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <mutex>

#include "../versions/nodes.h"

namespace aiforge {

class Environment;

// Keeps passes on other threads from accumulating in a tensor's gradient while it lives. Throws for
// the retained gradient of a tensor that is no leaf, which a pass writes without a lock.
class GradientLock {
 public:
  GradientLock(Environment& environment, const at::Tensor& tensor);

 private:
  AnyNodePointer accumulator_;
  std::unique_lock<std::mutex> lock_;
};

}  // namespace aiforge
