#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/ScalarTypeToTypeMeta.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "../calls/values.h"
#include "../environment.h"
#include "../errors.h"
#include "../memory/storage.h"
#include "../topics.h"
#include "../transforms/functorch.h"

namespace aiforge {

namespace {

template <typename T>
void convert(const double* source, at::Tensor& target) {
  T* data = target.mutable_data_ptr<T>();
  const int64_t count = target.numel();
  for (int64_t i = 0; i < count; ++i) data[i] = static_cast<T>(source[i]);
}

at::Tensor plain_of_doubles(double* source, at::IntArrayRef shape, c10::ScalarType dtype) {
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

at::Tensor from_doubles(double* source, at::IntArrayRef shape, c10::ScalarType dtype) {
  return lifted([&] { return plain_of_doubles(source, shape, dtype); });
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

// fromScratch(dtype, dims): a tensor of the sizes and then the numbers in the scratch memory.
napi_value from_scratch(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    Environment& environment = Environment::of(env);
    const size_t dims = std::min<size_t>(args.uint32(1), Environment::kScratchNumbers);
    std::vector<int64_t> shape(environment.scratch, environment.scratch + dims);
    uint64_t count = 1;
    for (const int64_t size : shape) {
      if (size < 0 || __builtin_mul_overflow(count, static_cast<uint64_t>(size), &count)) {
        count = UINT64_MAX;
        break;
      }
    }
    if (count > Environment::kScratchNumbers - dims) {
      throw Error("INVALID_ARGUMENT", "the numbers do not fit the scratch memory");
    }
    return from_tensor(
        environment, env,
        from_doubles(environment.scratch + dims, shape, dtype_from_name(args.string(0))));
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
    const OutsideTransforms outside;
    if (!are_numbers(source)) return Napi::Env(env).Null();
    const c10::ScalarType wide = source.is_complex() ? c10::kComplexDouble : c10::kDouble;
    void* data = nullptr;
    napi_value buffer = nullptr;
    const size_t bytes = static_cast<size_t>(source.numel()) * c10::elementSize(wide);
    check(env, napi_create_arraybuffer(env, bytes, &data, &buffer));
    if (bytes > 0)
      at::from_blob(data, source.sizes(), at::TensorOptions(wide)).copy_(source.detach());
    return buffer;
  });
}

template <typename T>
void widen(const at::Tensor& source, double* target) {
  const T* data = source.const_data_ptr<T>();
  std::copy(data, data + source.numel(), target);
}

void widen(const at::Tensor& source, double* target) {
  switch (source.scalar_type()) {
    case c10::kFloat:
      return widen<float>(source, target);
    case c10::kDouble:
      return widen<double>(source, target);
    case c10::kLong:
      return widen<int64_t>(source, target);
    case c10::kInt:
      return widen<int32_t>(source, target);
    case c10::kByte:
      return widen<uint8_t>(source, target);
    case c10::kBool:
      return widen<bool>(source, target);
    case c10::kHalf:
      return widen<c10::Half>(source, target);
    case c10::kBFloat16:
      return widen<c10::BFloat16>(source, target);
    default: {
      // Not copied in place: kernels for complex numbers want them aligned to 16 bytes.
      const c10::ScalarType wide = source.is_complex() ? c10::kComplexDouble : c10::kDouble;
      const at::Tensor widened = source.detach().to(wide);
      if (widened.nbytes() > 0) std::memcpy(target, widened.const_data_ptr(), widened.nbytes());
    }
  }
}

// What kind of elements readElements has read, for JavaScript.
enum class ElementKind { Number, Boolean, Complex };

ElementKind kind_of_elements(const at::Tensor& tensor) {
  if (tensor.is_complex()) return ElementKind::Complex;
  return tensor.scalar_type() == c10::kBool ? ElementKind::Boolean : ElementKind::Number;
}

// readElements(tensor): how many dimensions the tensor has. The scratch memory has the kind of the
// elements, then the sizes, then the elements. -1 when they do not fit there, or not into numbers.
napi_value read_elements(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const Environment& environment = Environment::of(env);
    const at::Tensor& given = environment.handles.get(args.handle(0));
    // Before all of them are laid out in a row. Without elements there may be any number of rows.
    const int64_t elements = given.numel();
    if (elements == 0 || elements > static_cast<int64_t>(Environment::kScratchNumbers)) {
      return number(env, -1);
    }
    const at::Tensor source = readable(given);
    const OutsideTransforms outside;
    const auto dims = static_cast<size_t>(source.dim());
    const auto count = static_cast<size_t>(source.numel());
    const size_t width = source.is_complex() ? 2 : 1;
    if (dims >= Environment::kScratchNumbers ||
        count > (Environment::kScratchNumbers - 1 - dims) / width || !are_numbers(source)) {
      return number(env, -1);
    }
    environment.scratch[0] = static_cast<double>(kind_of_elements(source));
    std::copy(source.sizes().begin(), source.sizes().end(), environment.scratch + 1);
    widen(source, environment.scratch + 1 + dims);
    return number(env, static_cast<double>(dims));
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
  define<from_numbers>(env, exports, "fromNumbers");
  define<from_scratch>(env, exports, "fromScratch");
  define<copy_numbers>(env, exports, "copyNumbers");
  define<read_elements>(env, exports, "readElements");
  define<promote_types>(env, exports, "promoteTypes");
}

}  // namespace aiforge
