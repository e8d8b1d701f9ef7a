// Between JavaScript values and IValues, driven by an operator's schema.
#pragma once

#include <ATen/core/ivalue.h>
#include <c10/core/ScalarType.h>
#include <napi.h>

#include <string>
#include <vector>

#include "../tensors/handles.h"
#include "arguments.h"

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
  QScheme,  // returned only
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
  bool is_symbolic = false;         // SymInt: a size, an index or the like
};

ValueType value_type_of(const c10::TypePtr& type, std::optional<int32_t> list_size);

// Throws INVALID_ARGUMENT that names what came and what was expected.
c10::IValue to_ivalue(Environment& environment, napi_env env, napi_value value,
                      const ValueType& type);
napi_value from_ivalue(Environment& environment, napi_env env, const c10::IValue& value);
// As the schema's type says: dtypes, layouts and quantization schemes are integers in an IValue.
napi_value from_ivalue(Environment& environment, napi_env env, const c10::IValue& value,
                       const ValueType& type);

napi_value from_int(napi_env env, int64_t value);  // a bigint beyond 2^53
c10::Scalar read_scalar(napi_env env, napi_value value);
napi_value from_scalar(napi_env env, const c10::Scalar& value);
napi_value from_tensor(Environment& environment, napi_env env, at::Tensor tensor);
napi_value from_tensors(Environment& environment, napi_env env,
                        const std::vector<at::Tensor>& tensors);
std::vector<at::Tensor> to_tensors(Environment& environment, napi_env env, napi_value value);

// One line for an error message: "float32[2, 3]", "7", "'sum'".
std::string describe(Environment& environment, napi_env env, napi_value value,
                     const ValueType& type);
// An index, or another item of a list whose items may be missing: there LibTorch's kernels get a
// tensor that stands for zeros as it is, without memory.
at::Tensor with_memory(const at::Tensor& tensor);
std::string describe_tensor(const at::Tensor& tensor);

const char* layout_name(c10::Layout layout);
c10::Layout layout_from_name(const std::string& name);
const char* dtype_name(c10::ScalarType type);
c10::ScalarType dtype_from_name(const std::string& name);

}  // namespace aiforge
