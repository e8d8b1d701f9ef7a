#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/ScalarTypeToTypeMeta.h>

#include <algorithm>
#include <cmath>

#include "environment.h"
#include "errors.h"
#include "storage.h"
#include "topics.h"
#include "values.h"

namespace aiforge {

namespace {

// Up to here nested arrays are made element by element; above, JavaScript makes them of a copy of
// the memory, which costs more to begin with and less an element.
constexpr int64_t kFewElements = 96;

template <typename T>
void convert(const double* source, at::Tensor& target) {
  T* data = target.mutable_data_ptr<T>();
  const int64_t count = target.numel();
  for (int64_t i = 0; i < count; ++i) data[i] = static_cast<T>(source[i]);
}

at::Tensor from_doubles(double* source, at::IntArrayRef shape, c10::ScalarType dtype) {
  at::Tensor result = at::empty(shape, at::TensorOptions(dtype));
  switch (dtype) {
    case c10::kFloat:
      convert<float>(source, result);
      break;
    case c10::kDouble:
      convert<double>(source, result);
      break;
    case c10::kLong:
      convert<int64_t>(source, result);
      break;
    case c10::kUInt64:
      convert<uint64_t>(source, result);
      break;
    case c10::kBool:
      convert<bool>(source, result);
      break;
    default: {
      const at::Tensor doubles = at::from_blob(source, shape, at::TensorOptions(c10::kDouble));
      // By way of int64, so that -1 becomes an unsigned dtype's greatest value.
      const bool is_integral = c10::isIntegralType(dtype, false);
      result.copy_(is_integral ? doubles.to(c10::kLong) : doubles);
    }
  }
  return result;
}

// fromNumbers(numbers, dtype, shape): a tensor of the numbers in a Float64Array. Whether the dtype
// can hold them was looked at before.
napi_value from_numbers(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    const c10::ScalarType dtype = dtype_from_name(args.string(1));
    const std::vector<int64_t> shape = read_shape(env, args[2]);
    const TypedArray source = read_typed_array(env, args[0]);
    check_size(source, shape, c10::kDouble);
    return from_tensor(Environment::of(env), env,
                       from_doubles(static_cast<double*>(source.data), shape, dtype));
  });
}

template <typename T>
bool are_safe(const at::Tensor& tensor) {
  const T* data = tensor.const_data_ptr<T>();
  constexpr auto kMost = static_cast<T>(kMaxSafeInteger);
  return std::all_of(data, data + tensor.numel(), [](T value) {
    return value <= kMost && (!std::is_signed_v<T> || value >= T{0} - kMost);
  });
}

bool are_numbers(const at::Tensor& tensor) {
  if (tensor.scalar_type() == c10::kLong) return are_safe<int64_t>(tensor);
  if (tensor.scalar_type() == c10::kUInt64) return are_safe<uint64_t>(tensor);
  return true;
}

// copyNumbers(tensor): the elements as the bytes of float64 numbers, or of complex128 ones; null
// when integers among them are too large for numbers.
napi_value copy_numbers(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const at::Tensor source = readable(Environment::of(env).handles.get(args.handle(0)));
    if (!are_numbers(source)) return Napi::Env(env).Null();
    const c10::ScalarType wide = source.is_complex() ? c10::kComplexDouble : c10::kDouble;
    void* data = nullptr;
    napi_value buffer = nullptr;
    const size_t bytes = static_cast<size_t>(source.numel()) * c10::elementSize(wide);
    check(env, napi_create_arraybuffer(env, bytes, &data, &buffer));
    if (bytes > 0) at::from_blob(data, source.sizes(), at::TensorOptions(wide)).copy_(source);
    return buffer;
  });
}

// One element in memory as JavaScript has it.
napi_value element(napi_env env, const char* at, c10::ScalarType dtype) {
  switch (dtype) {
    case c10::kFloat:
      return number(env, *reinterpret_cast<const float*>(at));
    case c10::kDouble:
      return number(env, *reinterpret_cast<const double*>(at));
    case c10::kLong:
      return from_int(env, *reinterpret_cast<const int64_t*>(at));
    case c10::kInt:
      return number(env, *reinterpret_cast<const int32_t*>(at));
    case c10::kByte:
      return number(env, *reinterpret_cast<const uint8_t*>(at));
    case c10::kBool:
      return Napi::Boolean::New(env, *at != 0);
    default:
      return nullptr;
  }
}

bool has_element(c10::ScalarType dtype) {
  return dtype == c10::kFloat || dtype == c10::kDouble || dtype == c10::kLong ||
         dtype == c10::kInt || dtype == c10::kByte || dtype == c10::kBool;
}

napi_value nest(napi_env env, const at::Tensor& tensor, int64_t dim, const char* data) {
  if (dim == tensor.dim()) return element(env, data, tensor.scalar_type());
  const int64_t size = tensor.size(dim);
  const int64_t step = tensor.stride(dim) * static_cast<int64_t>(tensor.itemsize());
  napi_value array = nullptr;
  check(env, napi_create_array_with_length(env, static_cast<size_t>(size), &array));
  for (int64_t i = 0; i < size; ++i) {
    check(env, napi_set_element(env, array, static_cast<uint32_t>(i),
                                nest(env, tensor, dim + 1, data + i * step)));
  }
  return array;
}

// tolist(tensor): nested arrays of the elements when they are few and of a usual dtype; else
// undefined.
napi_value tolist(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const at::Tensor tensor = Environment::of(env).handles.get(args.handle(0));
    if (!tensor.device().is_cpu() || tensor.layout() != c10::kStrided || tensor.is_neg() ||
        tensor.numel() > kFewElements || !has_element(tensor.scalar_type()) || tensor.is_nested() ||
        tensor._is_zerotensor() || !tensor.has_storage()) {
      return nullptr;
    }
    // Sizes beside a 0 may be huge.
    if (tensor.numel() == 0 && tensor.dim() > 1) return nullptr;
    return nest(env, tensor, 0, static_cast<const char*>(tensor.const_data_ptr()));
  });
}

// promoteTypes(first, second): the dtype that holds both.
napi_value promote_types(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    const c10::ScalarType promoted =
        c10::promoteTypes(dtype_from_name(args.string(0)), dtype_from_name(args.string(1)));
    return Napi::String::New(env, dtype_name(promoted));
  });
}

}  // namespace

void define_numbers(Napi::Env env, Napi::Object exports) {
  define(env, exports, "fromNumbers", from_numbers);
  define(env, exports, "copyNumbers", copy_numbers);
  define(env, exports, "tolist", tolist);
  define(env, exports, "promoteTypes", promote_types);
}

}  // namespace aiforge
