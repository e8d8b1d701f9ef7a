#include <ATen/core/Tensor.h>
#include <ATen/native/ForeachUtils.h>

#include "../calls/values.h"
#include "../environment.h"
#include "../errors.h"
#include "../topics.h"

namespace aiforge {

namespace {

// A callback that reads one property of one tensor.
template <napi_value (*Read)(napi_env, const at::Tensor&)>
napi_value property(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return Read(env, Environment::of(env).handles.get(args.handle(0)));
  });
}

napi_value int_array(napi_env env, at::IntArrayRef values) {
  napi_value array = nullptr;
  check(env, napi_create_array_with_length(env, values.size(), &array));
  for (size_t i = 0; i < values.size(); ++i) {
    const napi_value item = number(env, static_cast<double>(values[i]));
    check(env, napi_set_element(env, array, static_cast<uint32_t>(i), item));
  }
  return array;
}

napi_value text(napi_env env, const std::string& value) { return Napi::String::New(env, value); }
napi_value flag(napi_env env, bool value) { return Napi::Boolean::New(env, value); }

napi_value shape(napi_env env, const at::Tensor& t) { return int_array(env, t.sizes()); }
napi_value strides(napi_env env, const at::Tensor& t) { return int_array(env, t.strides()); }
napi_value dim(napi_env env, const at::Tensor& t) { return number(env, t.dim()); }
napi_value numel(napi_env env, const at::Tensor& t) { return number(env, t.numel()); }
napi_value dtype(napi_env env, const at::Tensor& t) {
  return text(env, dtype_name(t.scalar_type()));
}
napi_value device(napi_env env, const at::Tensor& t) { return text(env, t.device().str()); }
napi_value layout(napi_env env, const at::Tensor& t) { return text(env, layout_name(t.layout())); }
napi_value item_size(napi_env env, const at::Tensor& t) { return number(env, t.itemsize()); }
napi_value contiguous(napi_env env, const at::Tensor& t) { return flag(env, t.is_contiguous()); }
// Under functorch or for a fake device there may be no memory; then LibTorch throws.
napi_value data_ptr(napi_env env, const at::Tensor& t) {
  return Napi::BigInt::New(env, static_cast<uint64_t>(reinterpret_cast<uintptr_t>(t.data_ptr())));
}
napi_value storage_offset(napi_env env, const at::Tensor& t) {
  return number(env, static_cast<double>(t.storage_offset()));
}
// A number that is equal for two tensors if and only if they are one tensor in LibTorch.
napi_value identity(napi_env env, const at::Tensor& t) {
  return Napi::BigInt::New(
      env, static_cast<uint64_t>(reinterpret_cast<uintptr_t>(t.unsafeGetTensorImpl())));
}

// groupsByKind(tensors): for each device and dtype the places of its tensors, in the order of
// groups that Python's foreach operators have, which is that of a hash table.
napi_value groups_by_kind(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    std::vector<std::optional<at::Tensor>> tensors;
    for (at::Tensor& each : to_tensors(Environment::of(env), env, args[0])) {
      tensors.emplace_back(std::move(each));
    }
    const Napi::Array groups = Napi::Array::New(env);
    if (tensors.empty()) return groups;
    for (const auto& [kind, group] : at::native::_group_tensors_by_first_tensors_device_and_dtype(
             {tensors}, /*with_indices=*/true)) {
      const std::vector<int64_t> places(group.second.begin(), group.second.end());
      groups.Set(groups.Length(), int_array(env, places));
    }
    return groups;
  });
}

}  // namespace

void define_properties(Napi::Env env, Napi::Object exports) {
  define<property<shape>>(env, exports, "shape");
  define<property<strides>>(env, exports, "strides");
  define<property<dim>>(env, exports, "dim");
  define<property<numel>>(env, exports, "numel");
  define<property<dtype>>(env, exports, "dtype");
  define<property<device>>(env, exports, "device");
  define<property<layout>>(env, exports, "layout");
  define<property<item_size>>(env, exports, "itemSize");
  define<property<contiguous>>(env, exports, "isContiguous");
  define<property<data_ptr>>(env, exports, "dataPtr");
  define<property<storage_offset>>(env, exports, "storageOffset");
  define<property<identity>>(env, exports, "identity");
  define<groups_by_kind>(env, exports, "groupsByKind");
}

}  // namespace aiforge
