// C++ objects that JavaScript holds as opaque values, and bytes.
#pragma once

#include <napi.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "entries.h"
#include "errors.h"

namespace aiforge {

// T has a `static constexpr napi_type_tag tag` and a `static constexpr const char* name`.
template <typename T>
napi_value wrap_object(napi_env env, std::shared_ptr<T> object) {
  auto holder = std::make_unique<std::shared_ptr<T>>(std::move(object));
  const napi_value value = external(env, std::move(holder));
  check(env, napi_type_tag_object(env, value, &T::tag));
  return value;
}

template <typename T>
std::shared_ptr<T> unwrap_object(napi_env env, napi_value value) {
  napi_valuetype kind = napi_undefined;
  check(env, napi_typeof(env, value, &kind));
  bool is_one = false;
  if (kind == napi_external) check(env, napi_check_object_type_tag(env, value, &T::tag, &is_one));
  if (!is_one) throw Error("INVALID_ARGUMENT", std::string("expected a ") + T::name);
  void* data = nullptr;
  check(env, napi_get_value_external(env, value, &data));
  return *static_cast<std::shared_ptr<T>*>(data);
}

inline std::vector<uint8_t> read_bytes(napi_env env, napi_value value) {
  bool is_typed_array = false;
  check(env, napi_is_typedarray(env, value, &is_typed_array));
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void* data = nullptr;
  if (is_typed_array) {
    check(env, napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr));
  }
  if (type != napi_uint8_array) throw Error("INVALID_ARGUMENT", "expected a Uint8Array");
  const auto* bytes = static_cast<const uint8_t*>(data);
  return length == 0 ? std::vector<uint8_t>() : std::vector<uint8_t>(bytes, bytes + length);
}

inline napi_value to_uint8_array(napi_env env, const void* data, size_t size) {
  Napi::Uint8Array array = Napi::Uint8Array::New(env, size);
  if (size > 0) std::memcpy(array.Data(), data, size);
  return array;
}

}  // namespace aiforge
