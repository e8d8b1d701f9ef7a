#include <algorithm>

#include "../calls/values.h"
#include "../errors.h"
#include "guards.h"

namespace aiforge {

const c10::IValue* GuardedCall::find(const char* name) const {
  for (size_t i = 0; i < schema_.arguments().size(); ++i) {
    if (schema_.arguments()[i].name() == name) return &stack_[i];
  }
  return nullptr;
}

bool GuardedCall::has(const char* name) const {
  const c10::IValue* value = find(name);
  return value != nullptr && !value->isNone() &&
         !(value->isTensor() && !value->toTensor().defined());
}

const c10::IValue& GuardedCall::operator[](const char* name) const {
  const c10::IValue* value = find(name);
  if (value == nullptr) {
    throw Error("OPERATOR_FAILED", std::string("a guard reads an argument '") + name +
                                       "' that the operator does not have");
  }
  return *value;
}

at::Tensor GuardedCall::tensor(const char* name) const {
  return has(name) ? (*this)[name].toTensor() : at::Tensor();
}

int64_t GuardedCall::integer(const char* name, int64_t otherwise) const {
  return has(name) ? (*this)[name].toInt() : otherwise;
}

bool GuardedCall::flag(const char* name) const { return has(name) && (*this)[name].toBool(); }

std::vector<int64_t> GuardedCall::integers(const char* name) const {
  return has(name) ? (*this)[name].toIntVector() : std::vector<int64_t>();
}

std::vector<at::Tensor> GuardedCall::tensors(const char* name) const {
  std::vector<at::Tensor> result;
  if (!has(name)) return result;
  for (const c10::IValue& item : (*this)[name].toListRef()) {
    result.push_back(item.isNone() ? at::Tensor() : item.toTensor());
  }
  return result;
}

void refuse(const std::string& expected) {
  throw Error("INVALID_ARGUMENT", "expected " + expected);
}

void require(bool holds, const char* expected) {
  if (!holds) refuse(expected);
}

namespace {

std::string quoted(const std::string& name) { return "'" + name + "'"; }

}  // namespace

bool is_readable(const at::Tensor& tensor) {
  return tensor.defined() && tensor.has_storage() && tensor.device().is_cpu() &&
         tensor.layout() == c10::kStrided && !tensor._is_zerotensor();
}

Integers::Integers(const at::Tensor& tensor) {
  if (!is_readable(tensor) || !c10::isIntegralType(tensor.scalar_type(), false)) return;
  whole_ = tensor.to(c10::kLong).contiguous();
  values_ = {whole_.const_data_ptr<int64_t>(), static_cast<size_t>(whole_.numel())};
}

void require_within(const at::Tensor& tensor, const std::string& name, int64_t low, int64_t high) {
  const Integers values(tensor);
  bool holds = true;
  for (const int64_t value : values) holds &= value >= low && value <= high;
  if (holds) return;
  const auto* found = std::find_if(values.begin(), values.end(),
                                   [&](int64_t value) { return value < low || value > high; });
  const std::string range =
      low == high ? " to be " + std::to_string(low)
                  : " to have values in " + std::to_string(low) + " … " + std::to_string(high);
  refuse(quoted(name) + range + ", got " + std::to_string(*found));
}

void require_rising(const at::Tensor& tensor, const std::string& name, int64_t low, int64_t high) {
  int64_t last = low;
  for (const int64_t value : Integers(tensor)) {
    if (!(value >= last && value <= high))
      refuse(quoted(name) + " to rise from " + std::to_string(low) + " to at most " +
             std::to_string(high) + ", got " + std::to_string(value) + " after " +
             std::to_string(last));
    last = value;
  }
}

void require_same_sizes(const GuardedCall& call, Names names) {
  const at::Tensor first = call.tensor(*names.begin());
  for (const char* name : names) {
    const at::Tensor tensor = call.tensor(name);
    if (!(tensor.defined() && first.defined() && tensor.sizes() == first.sizes()))
      refuse(quoted(name) + " to have the sizes of " + quoted(*names.begin()) + ", got " +
             describe_tensor(tensor) + " and " + describe_tensor(first));
  }
}

void require_elements(const GuardedCall& call, Names names, int64_t count) {
  for (const char* name : names) {
    const at::Tensor tensor = call.tensor(name);
    if (!(!tensor.defined() || tensor.numel() == count))
      refuse(quoted(name) + " to have " + std::to_string(count) + " elements, got " +
             describe_tensor(tensor));
  }
}

void require_dims(const GuardedCall& call, const char* name, int64_t least, int64_t most) {
  const at::Tensor tensor = call.tensor(name);
  if (!(tensor.defined() && tensor.dim() >= least && tensor.dim() <= most))
    refuse(quoted(name) + " to have " + std::to_string(least) + " … " + std::to_string(most) +
           " dimensions, got " + describe_tensor(tensor));
}

void require_items(const GuardedCall& call, Names names, size_t count) {
  for (const char* name : names) {
    const size_t given = call.integers(name).size();
    if (!(given == count))
      refuse(quoted(name) + " to have " + std::to_string(count) + " items, got " +
             std::to_string(given));
  }
}

void require_same_leading(const GuardedCall& call, const char* one, const char* other,
                          int64_t count) {
  const at::Tensor a = call.tensor(one);
  const at::Tensor b = call.tensor(other);
  if (!(a.dim() >= count && b.dim() >= count &&
        a.sizes().slice(0, count) == b.sizes().slice(0, count)))
    refuse(quoted(one) + " and " + quoted(other) + " to have the same first " +
           std::to_string(count) + " sizes, got " + describe_tensor(a) + " and " +
           describe_tensor(b));
}

void require_axis(int64_t dim, int64_t dims, const std::string& name) {
  const int64_t most = std::max<int64_t>(dims, 1);
  if (!(dim >= -most && dim < most))
    refuse(quoted(name) + " to name one of " + std::to_string(dims) + " dimensions, got " +
           std::to_string(dim));
}

void require_dense(const GuardedCall& call, Names names) {
  for (const char* name : names) {
    const at::Tensor tensor = call.tensor(name);
    if (!(!tensor.defined() || tensor.is_non_overlapping_and_dense()))
      refuse(quoted(name) + " to be contiguous; use contiguous()");
  }
}

void require_equal_lists(const GuardedCall& call) {
  std::optional<size_t> length;
  for (size_t i = 0; i < call.stack().size(); ++i) {
    const c10::IValue& value = call.stack()[i];
    if (!value.isList()) continue;
    const size_t size = value.toListRef().size();
    if (!(size == length.value_or(size)))
      refuse(quoted(call.schema().arguments()[i].name()) + " to have " +
             std::to_string(length.value_or(size)) + " items as the lists before it, got " +
             std::to_string(size));
    length = size;
  }
}

int64_t elements_of_memory(const at::Tensor& tensor) {
  return static_cast<int64_t>(tensor.storage().nbytes() / tensor.itemsize());
}

void require_view(at::IntArrayRef sizes, at::IntArrayRef strides, int64_t offset,
                  int64_t elements) {
  require(sizes.size() == strides.size(), "as many strides as sizes");
  __int128 last = offset;
  bool is_empty = false;
  for (size_t i = 0; i < sizes.size(); ++i) {
    require(sizes[i] >= 0 && strides[i] >= 0, "no negative size or stride");
    is_empty = is_empty || sizes[i] == 0;
    last += static_cast<__int128>(sizes[i] - 1) * strides[i];
  }
  if (!(offset >= 0 && (is_empty || last < elements)))
    refuse("sizes and strides within the memory, which holds " + std::to_string(elements) +
           " elements; clone() gives a tensor memory of its own");
}

void refuse_inner(const std::string& instead) {
  throw Error("OPERATOR_FAILED",
              "this is an inner step of another operator, which takes its arguments unchecked and "
              "cannot be called by itself; use " +
                  instead);
}

}  // namespace aiforge
