// Tensors inside function transforms (vmap, grad, jvp) wrap the tensor that has the data.
#pragma once

#include <ATen/core/Tensor.h>

namespace aiforge {

// The tensor that holds the elements: what a transform for gradients wraps is looked through, also
// after it has ended. Throws for a tensor of vmap, which stands for many.
at::Tensor unwrapped(const at::Tensor& tensor);

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

// A tensor that a transform for gradients knows as one of its own level, as torch.tensor gives it.
at::Tensor of_transforms(const at::Tensor& tensor);
bool transforms_run();

// A tensor whose memory is written as it is made, which a tensor inside transforms does not have.
template <typename Make>
at::Tensor lifted(const Make& make) {
  if (!transforms_run()) return make();
  at::Tensor made;
  {
    const OutsideTransforms outside;
    made = make();
  }
  return of_transforms(made);
}

// LibTorch's guard of inference mode restores the dispatch keys of the moment when it was made:
// afterwards they must be made to fit the transforms that are running now.
void keep_transforms_dispatched();

}  // namespace aiforge
