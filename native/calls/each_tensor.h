// The tensors of an argument: itself, or those of a list.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

namespace aiforge {

template <typename Visit>
void each_tensor(const c10::IValue& value, const Visit& visit) {
  const auto visit_defined = [&](const c10::IValue& one) {
    if (one.isTensor() && one.toTensor().defined()) visit(one.toTensor());
  };
  if (!value.isList()) return visit_defined(value);
  for (const c10::IValue& item : value.toListRef()) visit_defined(item);
}

}  // namespace aiforge
