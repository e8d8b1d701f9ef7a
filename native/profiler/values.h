// What a profile keeps of the arguments and results of an operator.
#pragma once

#include <ATen/core/ivalue.h>

#include <vector>

namespace aiforge {

// Appends how many values there are, and each as its kind and what that kind has: a tensor its
// number of dimensions and sizes, a list of tensors how many and each as such, an integer or
// boolean itself, a list of integers how many and each. Gives where they begin.
int64_t write_values(std::vector<int64_t>& numbers, c10::ArrayRef<const c10::IValue> values);

}  // namespace aiforge
