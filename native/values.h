// Between JavaScript values and IValues, driven by an operator's schema.
#pragma once

#include <ATen/core/ivalue.h>
#include <c10/core/ScalarType.h>
#include <napi.h>

#include <array>
#include <string>
#include <vector>

#include "errors.h"
#include "handles.h"

namespace aiforge {

class Environment;

// The kinds of schema types, each with its own conversion.
enum class Kind : uint8_t {
  Tensor,
  Int,
  Float,
  Bool,
  Scalar,
  String,
  ScalarType,
  Layout,
  MemoryFormat,
  Device,
  Generator,
  Unsupported,
};

// A schema argument's or return's type, flattened once when the operator is resolved.
struct ValueType {
  Kind kind = Kind::Unsupported;
  bool is_list = false;
  bool is_optional = false;         // the value, or the list, may be null
  bool has_optional_items = false;  // Tensor?[]
  int32_t list_size = 0;            // int[2]: a single number stands for two
  std::string text;                 // as the schema prints it
};

ValueType value_type_of(const c10::TypePtr& type, std::optional<int32_t> list_size);

// Throws INVALID_ARGUMENT that names what came and what was expected.
c10::IValue to_ivalue(Environment& environment, napi_env env, napi_value value,
                      const ValueType& type);
napi_value from_ivalue(Environment& environment, napi_env env, const c10::IValue& value);

napi_value from_tensor(Environment& environment, napi_env env, at::Tensor tensor);
napi_value from_tensors(Environment& environment, napi_env env,
                        const std::vector<at::Tensor>& tensors);
std::vector<at::Tensor> to_tensors(Environment& environment, napi_env env, napi_value value);

// One line for an error message: "float32[2, 3]", "7", "'sum'".
std::string describe(Environment& environment, napi_env env, napi_value value,
                     const ValueType& type);
std::string describe_tensor(const at::Tensor& tensor);

const char* dtype_name(c10::ScalarType type);
c10::ScalarType dtype_from_name(const std::string& name);

// The arguments of a raw callback: cheap, and strict about kinds.
class ArgumentReader {
 public:
  explicit ArgumentReader(napi_env env) : env_(env) {}
  napi_value operator[](size_t i) const { return values_[i]; }
  bool is_missing(size_t i) const;  // undefined or null
  Handle handle(size_t i) const;
  uint32_t uint32(size_t i) const;
  int64_t int64(size_t i) const;
  double number(size_t i) const;
  bool boolean(size_t i) const;
  std::string string(size_t i) const;

 protected:
  void read_from(const napi_value* values) { values_ = values; }

 private:
  napi_env env_;
  const napi_value* values_ = nullptr;
};

template <size_t N>
class Arguments : public ArgumentReader {
 public:
  Arguments(napi_env env, napi_callback_info info) : ArgumentReader(env) {
    read_from(storage_.data());
    size_t count = N;
    check(env, napi_get_cb_info(env, info, &count, storage_.data(), nullptr, nullptr));
  }

 private:
  std::array<napi_value, N> storage_;
};

inline napi_value number(napi_env env, double value) {
  napi_value result = nullptr;
  check(env, napi_create_double(env, value, &result));
  return result;
}

// Handles cross as doubles, which hold their 52 bits exactly.
inline napi_value from_handle(napi_env env, Handle handle) {
  return number(env, static_cast<double>(handle));
}

// The handles in a Float64Array, read in place; -1 stands for "no tensor".
struct HandleList {
  const double* data = nullptr;
  size_t size = 0;
};
HandleList read_handles(napi_env env, napi_value value);

// Puts a raw callback on the addon's exports.
void define(Napi::Env env, Napi::Object exports, const char* name, napi_callback callback);

}  // namespace aiforge
