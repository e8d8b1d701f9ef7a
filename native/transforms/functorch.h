// Tensors inside function transforms (vmap, grad, jvp) wrap the tensor that has the data.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/lift_fresh.h>

namespace aiforge {

// The tensor that holds the elements: what a transform for gradients wraps is looked through, also
// after it has ended. Throws for a tensor of vmap, which stands for many.
at::Tensor unwrapped(const at::Tensor& tensor);

// What the wrappers of all transforms stand for in the end, of vmap the whole batch.
const at::Tensor& innermost(const at::Tensor& tensor);

// While it lives, operators on unwrapped tensors pass by the transforms that are running.
class OutsideTransforms {
 public:
  OutsideTransforms();
  ~OutsideTransforms();
  OutsideTransforms(const OutsideTransforms&) = delete;
  OutsideTransforms& operator=(const OutsideTransforms&) = delete;

 private:
  bool front_;
  bool back_;
};

bool transforms_run();

// A tensor whose memory is written as it is made, which a tensor inside transforms does not have;
// those know it afterwards as one of their own level, as what torch.tensor makes.
template <typename Make>
at::Tensor lifted(const Make& make) {
  if (!transforms_run()) return make();
  at::Tensor made;
  {
    const OutsideTransforms outside;
    made = make();
  }
  return at::lift_fresh(made);
}

// LibTorch's guard of inference mode restores the dispatch keys of the moment when it was made:
// afterwards they must be made to fit the transforms that are running now.
void keep_transforms_dispatched();

}  // namespace aiforge
