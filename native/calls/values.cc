#include "values.h"

#include <ATen/core/Dict.h>
#include <ATen/core/List.h>
#include <ATen/core/jit_type.h>
#include <c10/core/QScheme.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "../environment.h"

namespace aiforge {

namespace {

// As Python's int: beyond int64 an unsigned number, beyond that an error.
c10::Scalar read_big_scalar(napi_env env, napi_value value) {
  uint64_t bits = 0;
  bool lossless = false;
  check(env, napi_get_value_bigint_uint64(env, value, &bits, &lossless));
  if (lossless) {
    return bits <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())
               ? c10::Scalar(static_cast<int64_t>(bits))
               : c10::Scalar(bits);
  }
  return c10::Scalar(read_int(env, value));
}

const at::Tensor& read_tensor(Environment& environment, napi_env env, napi_value value) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok || to_handle(number) == 0) {
    reject(env, value, "a Tensor");
  }
  return environment.handles.get(to_handle(number));
}

c10::MemoryFormat read_memory_format(const std::string& name) {
  if (name == "contiguous_format") return c10::MemoryFormat::Contiguous;
  if (name == "preserve_format") return c10::MemoryFormat::Preserve;
  if (name == "channels_last") return c10::MemoryFormat::ChannelsLast;
  if (name == "channels_last_3d") return c10::MemoryFormat::ChannelsLast3d;
  throw Error("INVALID_ARGUMENT",
              "unknown memory format '" + name +
                  "'; expected 'contiguous_format', 'preserve_format', 'channels_last' or "
                  "'channels_last_3d'");
}

at::Generator read_generator(Environment& environment, napi_env env, napi_value value) {
  const double id = read_number(env, value, "a Generator");
  const auto found = id > 0 && id <= UINT32_MAX
                         ? environment.generators.find(static_cast<uint32_t>(id))
                         : environment.generators.end();
  if (found == environment.generators.end()) reject(env, value, "a Generator");
  return found->second;
}

c10::IValue single(Environment& environment, napi_env env, napi_value value, Kind kind) {
  switch (kind) {
    case Kind::Tensor:
      return read_tensor(environment, env, value);
    case Kind::Int:
      return read_int(env, value);
    case Kind::Float:
      if (kind_of(env, value) == napi_bigint) return static_cast<double>(read_int(env, value));
      return read_number(env, value, "a number");
    case Kind::Bool:
      return read_bool(env, value);
    case Kind::Scalar:
      return read_scalar(env, value);
    case Kind::String:
      return expect_string(env, value, "a string");
    case Kind::ScalarType:
      return static_cast<int64_t>(
          dtype_from_name(expect_string(env, value, "a dtype such as 'float32'")));
    case Kind::Layout:
      return static_cast<int64_t>(layout_from_name(expect_string(env, value, "a layout")));
    case Kind::MemoryFormat:
      return static_cast<int64_t>(read_memory_format(expect_string(env, value, "a memory format")));
    case Kind::Device:
      return c10::Device(expect_string(env, value, "a device such as 'cpu' or 'cuda:0'"));
    case Kind::Generator:
      return read_generator(environment, env, value);
    case Kind::QScheme:
    case Kind::Unsupported:
      break;
  }
  throw Error("INVALID_ARGUMENT", "arguments of this type cannot be given from JavaScript");
}

c10::IValue tensor_list(Environment& environment, napi_env env, napi_value value) {
  const HandleList handles = read_handles(env, value);
  c10::List<at::Tensor> list;
  list.reserve(handles.size);
  for (size_t i = 0; i < handles.size; ++i) {
    list.push_back(environment.handles.get(to_handle(handles.data[i])));
  }
  return list;
}

c10::IValue optional_tensor_list(Environment& environment, napi_env env, napi_value value) {
  const HandleList handles = read_handles(env, value);
  c10::List<std::optional<at::Tensor>> list;
  list.reserve(handles.size);
  for (size_t i = 0; i < handles.size; ++i) {
    const double handle = handles.data[i];
    list.push_back(handle < 0 ? std::optional<at::Tensor>()
                              : with_memory(environment.handles.get(to_handle(handle))));
  }
  return list;
}

// An array's length alone says little: `new Array(2 ** 32 - 1)` has no items.
constexpr uint32_t kReservedItems = 4096;

template <typename Item, typename Read>
c10::IValue list_of(napi_env env, napi_value value, const ValueType& type, Read read) {
  c10::List<Item> list;
  bool is_array = false;
  check(env, napi_is_array(env, value, &is_array));
  if (!is_array) {
    if (type.list_size <= 0) reject(env, value, "an array (" + type.text + ")");
    const Item item = read(value);
    for (int32_t i = 0; i < type.list_size; ++i) list.push_back(item);
    return list;
  }
  uint32_t length = 0;
  check(env, napi_get_array_length(env, value, &length));
  list.reserve(std::min(length, kReservedItems));
  for (uint32_t i = 0; i < length; ++i) {
    napi_value item = nullptr;
    check(env, napi_get_element(env, value, i, &item));
    list.push_back(read(item));
  }
  return list;
}

c10::IValue scalar_list(napi_env env, napi_value value, const ValueType& type) {
  bool is_array = false;
  check(env, napi_is_array(env, value, &is_array));
  if (!is_array) reject(env, value, "an array (" + type.text + ")");
  uint32_t length = 0;
  check(env, napi_get_array_length(env, value, &length));
  c10::impl::GenericList list(c10::NumberType::get());
  list.reserve(std::min(length, kReservedItems));
  for (uint32_t i = 0; i < length; ++i) {
    napi_value item = nullptr;
    check(env, napi_get_element(env, value, i, &item));
    list.push_back(c10::IValue(read_scalar(env, item)));
  }
  return list;
}

c10::IValue list(Environment& environment, napi_env env, napi_value value, const ValueType& type) {
  switch (type.kind) {
    case Kind::Tensor:
      return type.has_optional_items ? optional_tensor_list(environment, env, value)
                                     : tensor_list(environment, env, value);
    case Kind::Int:
      return list_of<int64_t>(env, value, type, [&](napi_value v) { return read_int(env, v); });
    case Kind::Float:
      return list_of<double>(env, value, type,
                             [&](napi_value v) { return read_number(env, v, "a number"); });
    case Kind::Bool:
      return list_of<bool>(env, value, type, [&](napi_value v) { return read_bool(env, v); });
    case Kind::String:
      return list_of<std::string>(env, value, type,
                                  [&](napi_value v) { return expect_string(env, v, "a string"); });
    case Kind::Scalar:
      return scalar_list(env, value, type);
    default:
      throw Error("INVALID_ARGUMENT", "lists of this type cannot be given from JavaScript");
  }
}

Kind kind_of_type(const c10::Type& type) {
  switch (type.kind()) {
    case c10::TypeKind::TensorType:
      return Kind::Tensor;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
      return Kind::Int;
    case c10::TypeKind::FloatType:
    case c10::TypeKind::SymFloatType:
      return Kind::Float;
    case c10::TypeKind::BoolType:
    case c10::TypeKind::SymBoolType:
      return Kind::Bool;
    case c10::TypeKind::NumberType:
      return Kind::Scalar;
    case c10::TypeKind::StringType:
      return Kind::String;
    case c10::TypeKind::ScalarTypeType:
      return Kind::ScalarType;
    case c10::TypeKind::LayoutType:
      return Kind::Layout;
    case c10::TypeKind::MemoryFormatType:
      return Kind::MemoryFormat;
    case c10::TypeKind::DeviceObjType:
      return Kind::Device;
    case c10::TypeKind::GeneratorType:
      return Kind::Generator;
    case c10::TypeKind::QSchemeType:
      return Kind::QScheme;
    default:
      return Kind::Unsupported;
  }
}

napi_value from_unsigned(napi_env env, uint64_t value) {
  if (value <= static_cast<uint64_t>(kMaxSafeInteger)) {
    return number(env, static_cast<double>(value));
  }
  return Napi::BigInt::New(env, value);
}

napi_value from_complex(napi_env env, c10::complex<double> value) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("re", value.real());
  object.Set("im", value.imag());
  return object;
}

template <typename Items>
napi_value from_items(Environment& environment, napi_env env, const Items& items) {
  napi_value array = nullptr;
  check(env, napi_create_array_with_length(env, items.size(), &array));
  uint32_t index = 0;
  for (const auto& item : items) {
    check(env, napi_set_element(env, array, index++, from_ivalue(environment, env, item)));
  }
  return array;
}

}  // namespace

napi_value from_int(napi_env env, int64_t value) {
  if (std::abs(static_cast<double>(value)) <= kMaxSafeInteger) {
    return number(env, static_cast<double>(value));
  }
  napi_value result = nullptr;
  check(env, napi_create_bigint_int64(env, value, &result));
  return result;
}

// JavaScript has one number type: a whole number is an integer scalar, as Python's literal 2 is.
c10::Scalar read_scalar(napi_env env, napi_value value) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) == napi_ok) {
    const bool whole = std::trunc(number) == number && std::abs(number) <= kMaxSafeInteger &&
                       !(number == 0 && std::signbit(number));
    return whole ? c10::Scalar(static_cast<int64_t>(number)) : c10::Scalar(number);
  }
  bool flag = false;
  if (napi_get_value_bool(env, value, &flag) == napi_ok) return c10::Scalar(flag);
  if (kind_of(env, value) == napi_bigint) return read_big_scalar(env, value);
  if (kind_of(env, value) == napi_object) {
    napi_value re = nullptr;
    napi_value im = nullptr;
    check(env, napi_get_named_property(env, value, "re", &re));
    check(env, napi_get_named_property(env, value, "im", &im));
    double parts[2];
    if (napi_get_value_double(env, re, &parts[0]) == napi_ok &&
        napi_get_value_double(env, im, &parts[1]) == napi_ok) {
      return c10::Scalar(c10::complex<double>(parts[0], parts[1]));
    }
  }
  reject(env, value, "a number, a bigint, a boolean or a complex { re, im }");
}

napi_value from_scalar(napi_env env, const c10::Scalar& value) {
  if (value.isBoolean()) return Napi::Boolean::New(env, value.toBool());
  if (value.type() == c10::kUInt64) return from_unsigned(env, value.toUInt64());
  if (value.isIntegral(false)) return from_int(env, value.toLong());
  if (value.isComplex()) return from_complex(env, value.toComplexDouble());
  return number(env, value.toDouble());
}

ValueType value_type_of(const c10::TypePtr& type, std::optional<int32_t> list_size) {
  ValueType result;
  result.text = type->str();
  c10::TypePtr inner = type;
  if (const auto optional = inner->cast<c10::OptionalType>()) {
    result.is_optional = true;
    inner = optional->getElementType();
  }
  if (const auto list = inner->cast<c10::ListType>()) {
    result.is_list = true;
    result.list_size = list_size.value_or(0);
    inner = list->getElementType();
    if (const auto optional = inner->cast<c10::OptionalType>()) {
      result.has_optional_items = true;
      inner = optional->getElementType();
    }
  }
  result.kind = kind_of_type(*inner);
  result.is_symbolic = inner->kind() == c10::TypeKind::SymIntType;
  return result;
}

// LibTorch takes an integer from here down for a symbol, in whose place no number can be read. No
// size is so small, and an index is as good as any other before the first.
static constexpr int64_t kLeastNumber = -(int64_t{1} << 62) + 1;

static c10::IValue as_number(c10::IValue value) {
  if (value.isInt()) return std::max(value.toInt(), kLeastNumber);
  if (!value.isIntList()) return value;
  c10::List<int64_t> list = value.toIntList();
  for (size_t i = 0; i < list.size(); ++i) {
    if (list.get(i) < kLeastNumber) list.set(i, kLeastNumber);
  }
  return value;
}

c10::IValue to_ivalue(Environment& environment, napi_env env, napi_value value,
                      const ValueType& type) {
  if (type.is_optional && is_missing(env, value)) return c10::IValue();
  c10::IValue given = type.is_list ? list(environment, env, value, type)
                                   : single(environment, env, value, type.kind);
  return type.is_symbolic ? as_number(std::move(given)) : given;
}

napi_value from_tensor(Environment& environment, napi_env env, at::Tensor tensor) {
  if (!tensor.defined()) return Napi::Env(env).Null();
  return from_handle(env, environment.handles.add(std::move(tensor)));
}

napi_value from_tensors(Environment& environment, napi_env env,
                        const std::vector<at::Tensor>& tensors) {
  napi_value array = nullptr;
  check(env, napi_create_array_with_length(env, tensors.size(), &array));
  for (size_t i = 0; i < tensors.size(); ++i) {
    check(env, napi_set_element(env, array, static_cast<uint32_t>(i),
                                from_tensor(environment, env, tensors[i])));
  }
  return array;
}

at::Tensor with_memory(const at::Tensor& tensor) {
  return tensor._is_zerotensor() ? tensor.clone() : tensor;
}

std::vector<at::Tensor> to_tensors(Environment& environment, napi_env env, napi_value value) {
  const HandleList handles = read_handles(env, value);
  std::vector<at::Tensor> tensors;
  tensors.reserve(handles.size);
  for (size_t i = 0; i < handles.size; ++i) {
    const double handle = handles.data[i];
    tensors.push_back(handle < 0 ? at::Tensor() : environment.handles.get(to_handle(handle)));
  }
  return tensors;
}

napi_value from_ivalue(Environment& environment, napi_env env, const c10::IValue& value) {
  if (value.isTensor()) return from_tensor(environment, env, value.toTensor());
  if (value.isNone()) return Napi::Env(env).Null();
  if (value.isInt()) return from_int(env, value.toInt());
  if (value.isDouble()) return number(env, value.toDouble());
  if (value.isBool()) return Napi::Boolean::New(env, value.toBool());
  if (value.isString()) return Napi::String::New(env, value.toStringRef());
  if (value.isComplexDouble()) return from_complex(env, value.toComplexDouble());
  if (value.isDevice()) return Napi::String::New(env, value.toDevice().str());
  if (value.isScalar()) return from_scalar(env, value.toScalar());
  if (value.isTensorList()) return from_tensors(environment, env, value.toTensorVector());
  if (value.isSymInt()) return from_int(env, value.toSymInt().guard_int(__FILE__, __LINE__));
  if (value.isSymFloat()) return number(env, value.toSymFloat().guard_float(__FILE__, __LINE__));
  if (value.isSymBool()) {
    return Napi::Boolean::New(env, value.toSymBool().guard_bool(__FILE__, __LINE__));
  }
  if (value.isList()) return from_items(environment, env, value.toListRef());
  if (value.isTuple()) return from_items(environment, env, value.toTupleRef().elements());
  throw Error("OPERATOR_FAILED", "a result of type " + value.tagKind() + " cannot be returned");
}

napi_value from_ivalue(Environment& environment, napi_env env, const c10::IValue& value,
                       const ValueType& type) {
  if (!value.isInt() || type.is_list) return from_ivalue(environment, env, value);
  switch (type.kind) {
    case Kind::ScalarType:
      return Napi::String::New(env, dtype_name(static_cast<c10::ScalarType>(value.toInt())));
    case Kind::Layout:
      return Napi::String::New(env, layout_name(static_cast<c10::Layout>(value.toInt())));
    case Kind::QScheme:
      return Napi::String::New(env, c10::toString(static_cast<c10::QScheme>(value.toInt())));
    default:
      return from_int(env, value.toInt());
  }
}

}  // namespace aiforge
