#include "inner_parts.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/alias.h>

#include <algorithm>

namespace aiforge {

namespace {

using Strings = std::initializer_list<const char*>;

const Strings kMakers = {"sparse_coo_tensor",
                         "sparse_compressed_tensor",
                         "sparse_csr_tensor",
                         "sparse_csc_tensor",
                         "sparse_bsr_tensor",
                         "sparse_bsc_tensor",
                         "_sparse_coo_tensor_unsafe",
                         "_sparse_coo_tensor_with_dims_and_tensors",
                         "_sparse_compressed_tensor_unsafe",
                         "_sparse_compressed_tensor_with_dims",
                         "_sparse_csr_tensor_unsafe",
                         "_sparse_csc_tensor_unsafe",
                         "_sparse_bsr_tensor_unsafe",
                         "_sparse_bsc_tensor_unsafe",
                         "quantize_per_channel",
                         "_make_per_channel_quantized_tensor",
                         "_empty_per_channel_affine_quantized"};

const Strings kCopied = {"indices",     "crow_indices",       "col_indices",   "ccol_indices",
                         "row_indices", "compressed_indices", "plain_indices", "scales",
                         "scale",       "zero_points",        "zero_point"};

const Strings kReaders = {
    "indices",      "_indices",    "crow_indices",         "col_indices",
    "ccol_indices", "row_indices", "q_per_channel_scales", "q_per_channel_zero_points"};

// Elements may be written, but the tensor keeps its sizes.
const Strings kElements = {"values", "_values"};

bool contains(Strings strings, const std::string& name) {
  return std::find(strings.begin(), strings.end(), name) != strings.end();
}

bool is_given(const c10::IValue& value) { return value.isTensor() && value.toTensor().defined(); }

void replace_by_copy(c10::IValue& value) {
  if (is_given(value)) value = value.toTensor().clone();
}

void replace_by_alias(c10::IValue& value) {
  if (is_given(value)) value = at::alias(value.toTensor());
}

}  // namespace

InnerParts::InnerParts(const c10::FunctionSchema& schema) {
  const std::string& qualified = schema.name();
  if (qualified.rfind("aten::", 0) != 0) return;
  const std::string name = qualified.substr(6);
  gives_copy_ = contains(kReaders, name);
  gives_alias_ = contains(kElements, name);
  if (!contains(kMakers, name)) return;
  for (size_t i = 0; i < schema.arguments().size(); ++i) {
    const std::string& argument = schema.arguments()[i].name();
    if (contains(kCopied, argument)) copied_.push_back(i);
    if (contains(kElements, argument)) aliased_.push_back(i);
  }
}

void InnerParts::take(torch::jit::Stack& stack) const {
  for (const size_t i : copied_) replace_by_copy(stack[i]);
  for (const size_t i : aliased_) replace_by_alias(stack[i]);
}

void InnerParts::give(torch::jit::Stack& stack) const {
  if (gives_copy_) replace_by_copy(stack[0]);
  if (gives_alias_) replace_by_alias(stack[0]);
}

}  // namespace aiforge
