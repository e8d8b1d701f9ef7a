// Tensors that others consist of: the indices of sparse ones, the scales of quantized ones. Kernels
// believe them unchecked, so JavaScript never has them: a tensor is made of copies, and what is
// read of it is one. The elements of a sparse tensor can be written, but keep their sizes.
#pragma once

#include <ATen/core/function_schema.h>
#include <ATen/core/stack.h>

#include <string>
#include <vector>

namespace aiforge {

struct InnerParts {
  explicit InnerParts(const c10::FunctionSchema& schema);

  // Replaces the arguments that the result will consist of.
  void take(torch::jit::Stack& stack) const;
  // Replaces a result that is a part of the argument.
  void give(torch::jit::Stack& stack) const;

 private:
  std::vector<size_t> copied_;   // arguments whose contents kernels believe
  std::vector<size_t> aliased_;  // arguments whose sizes they believe
  bool gives_copy_ = false;
  bool gives_alias_ = false;
};

}  // namespace aiforge
