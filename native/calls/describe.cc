// One line for an error message, of any argument.
#include <c10/util/StringUtil.h>

#include "../environment.h"
#include "values.h"

namespace aiforge {

std::string describe_tensor(const at::Tensor& tensor) {
  if (!tensor.defined()) return "an undefined tensor";
  // A number that stands for a tensor.
  if (tensor.unsafeGetTensorImpl()->is_wrapped_number()) return c10::str(tensor.item());
  std::string text = dtype_name(tensor.scalar_type());
  text += "[" + c10::Join(", ", tensor.sizes()) + "]";
  if (!tensor.device().is_cpu()) text += " on " + tensor.device().str();
  return text;
}

namespace {

constexpr size_t kShownItems = 16;

// The first items of an array.
std::string describe_list(napi_env env, napi_value value) {
  bool is_array = false;
  check(env, napi_is_array(env, value, &is_array));
  if (!is_array) return show(env, value);
  std::string text = "[";
  for (uint32_t i = 0; i <= kShownItems; ++i) {
    uint32_t length = 0;
    check(env, napi_get_array_length(env, value, &length));
    if (i >= length) break;
    if (i > 0) text += ", ";
    napi_value item = nullptr;
    check(env, napi_get_element(env, value, i, &item));
    text += i == kShownItems ? "…" : show(env, item);
  }
  return text + "]";
}

}  // namespace

std::string describe(Environment& environment, napi_env env, napi_value value,
                     const ValueType& type) {
  const auto one = [&](double handle) -> std::string {
    const Handle slot = to_handle(handle);
    if (slot == 0) return "no tensor";
    return environment.handles.is_live(slot) ? describe_tensor(environment.handles.get(slot))
                                             : "a disposed tensor";
  };
  double handle = 0;
  if (type.kind == Kind::Tensor && !type.is_list &&
      napi_get_value_double(env, value, &handle) == napi_ok) {
    return to_handle(handle) == 0 ? show(env, value) : one(handle);
  }
  if (type.kind == Kind::Tensor && type.is_list && !is_missing(env, value)) {
    const HandleList handles = read_handles(env, value);
    std::vector<std::string> items;
    for (size_t i = 0; i < handles.size && i < kShownItems; ++i) {
      items.push_back(one(handles.data[i]));
    }
    if (handles.size > kShownItems) items.push_back("…");
    return "[" + c10::Join(", ", items) + "]";
  }
  return type.is_list ? describe_list(env, value) : show(env, value);
}

}  // namespace aiforge
