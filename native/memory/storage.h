// JavaScript's typed arrays as LibTorch's memory.
#pragma once

#include <ATen/core/Tensor.h>
#include <napi.h>

#include <vector>

namespace aiforge {

struct TypedArray {
  void* data = nullptr;
  size_t bytes = 0;
};

TypedArray read_typed_array(napi_env env, napi_value value);
std::vector<int64_t> read_shape(napi_env env, napi_value value);

// Throws unless the array has just the bytes that the shape and dtype need.
void check_size(const TypedArray& array, const std::vector<int64_t>& shape, c10::ScalarType dtype);

// The tensor on the CPU, row by row, without lazy conjugation or negation.
at::Tensor readable(const at::Tensor& tensor);

}  // namespace aiforge
