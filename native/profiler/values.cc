#include "values.h"

#include <ATen/core/Tensor.h>

namespace aiforge {

namespace {

enum Kind : int64_t { kOther = 0, kTensor = 1, kTensors = 2, kInteger = 3, kIntegers = 4 };

// Sizes that are no plain numbers, as those of a nested tensor, are none: -1 dimensions.
void write_sizes(std::vector<int64_t>& numbers, const at::Tensor& tensor) {
  if (!tensor.defined() || tensor.is_nested() ||
      tensor.unsafeGetTensorImpl()->has_symbolic_sizes_strides()) {
    numbers.push_back(-1);
    return;
  }
  const auto sizes = tensor.sizes();
  numbers.push_back(static_cast<int64_t>(sizes.size()));
  numbers.insert(numbers.end(), sizes.begin(), sizes.end());
}

// Under vmap it has the sizes of one item; the operator that works on all of them comes inside.
bool is_of_items(const at::Tensor& tensor) {
  return tensor.defined() && tensor.key_set().has(c10::DispatchKey::FuncTorchBatched);
}

void write_value(std::vector<int64_t>& numbers, const c10::IValue& value) {
  if (value.isTensor() && is_of_items(value.toTensor())) {
    numbers.push_back(kOther);
  } else if (value.isTensor()) {
    numbers.push_back(kTensor);
    write_sizes(numbers, value.toTensor());
  } else if (value.isTensorList()) {
    const auto tensors = value.toTensorVector();
    numbers.push_back(kTensors);
    numbers.push_back(static_cast<int64_t>(tensors.size()));
    for (const at::Tensor& tensor : tensors) write_sizes(numbers, tensor);
  } else if (value.isBool()) {
    numbers.push_back(kInteger);
    numbers.push_back(value.toBool() ? 1 : 0);
  } else if (value.isInt()) {
    numbers.push_back(kInteger);
    numbers.push_back(value.toInt());
  } else if (value.isIntList() || value.isBoolList()) {
    const auto items = value.toListRef();
    numbers.push_back(kIntegers);
    numbers.push_back(static_cast<int64_t>(items.size()));
    for (const c10::IValue& item : items) {
      numbers.push_back(item.isBool() ? static_cast<int64_t>(item.toBool()) : item.toInt());
    }
  } else {
    numbers.push_back(kOther);
  }
}

}  // namespace

int64_t write_values(std::vector<int64_t>& numbers, c10::ArrayRef<const c10::IValue> values) {
  const auto at = static_cast<int64_t>(numbers.size());
  numbers.push_back(static_cast<int64_t>(values.size()));
  for (const c10::IValue& value : values) write_value(numbers, value);
  return at;
}

}  // namespace aiforge
