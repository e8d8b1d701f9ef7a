// What a failed operator must leave as it was: the sizes, strides and memory of what it writes.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/stack.h>
#include <c10/util/DimVector.h>
#include <c10/util/SmallVector.h>

#include <vector>

namespace aiforge {

// LibTorch changes a tensor's sizes before it has the memory for them. Where that or anything after
// fails, the next operator would read beyond the memory that is there.
class SavedMetadata {
 public:
  // Of the tensors, and of the lists of tensors, at these positions of the stack; without `plain`
  // only of those that consist of others, as sparse ones do.
  SavedMetadata(const torch::jit::Stack& stack, const std::vector<size_t>& positions, bool plain);

  void restore() const noexcept;

  // Throws where a plain tensor was given sizes or strides beyond its memory, as LibTorch's resize_
  // does for other strides alone.
  void check_within_memory() const;

 private:
  // A plain tensor by its parts, since this runs at every call that works in place; another by a
  // shallow copy of its class.
  struct Saved {
    at::Tensor tensor;
    c10::Storage storage;
    c10::DimVector sizes;
    c10::DimVector strides;
    int64_t offset = 0;
    c10::intrusive_ptr<c10::TensorImpl> copy;
  };

  void save(const at::Tensor& tensor);
  bool save_within(const at::Tensor& tensor);
  static void restore(const Saved& saved);

  c10::SmallVector<Saved, 1> saved_;  // what is within another before it
};

}  // namespace aiforge
