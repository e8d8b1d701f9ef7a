#include "storage.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <cstring>

#include "../calls/values.h"
#include "../environment.h"
#include "../errors.h"
#include "../topics.h"
#include "../transforms/functorch.h"
#include "buffers.h"

namespace aiforge {

namespace {

size_t item_bytes(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return 1;
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array:
      return 8;
    default:
      throw Error("INVALID_ARGUMENT", "expected a typed array of a kind that tensors have");
  }
}

}  // namespace

TypedArray read_typed_array(napi_env env, napi_value value) {
  bool is_typed_array = false;
  check(env, napi_is_typedarray(env, value, &is_typed_array));
  if (!is_typed_array) throw Error("INVALID_ARGUMENT", "expected a typed array");
  napi_typedarray_type type;
  size_t length = 0;
  TypedArray array;
  check(env, napi_get_typedarray_info(env, value, &type, &length, &array.data, nullptr, nullptr));
  array.bytes = length * item_bytes(type);
  return array;
}

std::vector<int64_t> read_shape(napi_env env, napi_value value) {
  const ValueType type{Kind::Int, true, false, false, 0, "int[]"};
  return to_ivalue(Environment::of(env), env, value, type).toIntVector();
}

void check_size(const TypedArray& array, const std::vector<int64_t>& shape, c10::ScalarType dtype) {
  uint64_t needed = c10::elementSize(dtype);
  for (int64_t size : shape) {
    if (size < 0) throw Error("INVALID_ARGUMENT", "a shape has no negative size");
    if (__builtin_mul_overflow(needed, static_cast<uint64_t>(size), &needed)) needed = UINT64_MAX;
  }
  if (needed != array.bytes) {
    throw Error("INVALID_ARGUMENT", "the data has " + std::to_string(array.bytes) +
                                        " bytes, but the shape and dtype need " +
                                        std::to_string(needed));
  }
}

at::Tensor readable(const at::Tensor& tensor) {
  at::Tensor plain = unwrapped(tensor);
  const bool is_ready = plain.device().is_cpu() && plain.layout() == c10::kStrided &&
                        plain.is_contiguous() && !plain.is_conj() && !plain.is_neg() &&
                        plain.has_storage() && !plain._is_zerotensor();
  if (is_ready) return plain;
  const OutsideTransforms outside;
  // A gradient that is known to be zero has no memory; a clone has.
  const at::Tensor held = plain._is_zerotensor() ? plain.clone() : plain;
  return held.detach().to(c10::kCPU).contiguous().resolve_conj().resolve_neg();
}

namespace {

// fromTypedArray(data, dtype, shape): a tensor with a copy of the data.
napi_value from_typed_array(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    const c10::ScalarType dtype = dtype_from_name(args.string(1));
    const std::vector<int64_t> shape = read_shape(env, args[2]);
    const TypedArray source = read_typed_array(env, args[0]);
    check_size(source, shape, dtype);
    at::Tensor tensor = lifted([&] {
      at::Tensor made = at::empty(shape, at::TensorOptions(dtype));
      if (source.bytes > 0) std::memcpy(made.data_ptr(), source.data, source.bytes);
      return made;
    });
    return from_tensor(Environment::of(env), env, std::move(tensor));
  });
}

// A tensor over the memory of a typed array, which is kept until LibTorch drops the last tensor
// over it.
napi_value tensor_over(napi_env env, const ArgumentReader& args) {
  const c10::ScalarType dtype = dtype_from_name(args.string(1));
  const std::vector<int64_t> shape = read_shape(env, args[2]);
  const TypedArray source = read_typed_array(env, args[0]);
  check_size(source, shape, dtype);
  if (reinterpret_cast<uintptr_t>(source.data) % c10::elementSize(dtype) != 0) {
    throw Error("INVALID_ARGUMENT", "the data does not begin at a multiple of its elements' size");
  }
  Environment& environment = Environment::of(env);
  environment.buffers->drain(env);
  if (source.bytes == 0) {
    return from_tensor(environment, env, at::empty(shape, at::TensorOptions(dtype)));
  }
  napi_ref reference = nullptr;
  check(env, napi_create_reference(env, args[0], 1, &reference));
  auto* held = new HeldBuffer{environment.buffers, reference};
  at::Tensor tensor = lifted([&] {
    return at::for_blob(source.data, shape)
        .context(held, release_buffer)
        .options(at::TensorOptions(dtype))
        .make_tensor();
  });
  return from_tensor(environment, env, std::move(tensor));
}

bool is_over_shared_memory(napi_env env, napi_value value) {
  napi_value buffer = nullptr;
  bool is_own = false;
  read_typed_array(env, value);
  check(env, napi_get_typedarray_info(env, value, nullptr, nullptr, nullptr, &buffer, nullptr));
  check(env, napi_is_arraybuffer(env, buffer, &is_own));
  return !is_own;
}

// shareTypedArray(data, dtype, shape): a tensor over the data itself, which must be of a
// SharedArrayBuffer: that memory never moves and cannot be detached.
napi_value share_typed_array(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    if (!is_over_shared_memory(env, args[0])) {
      throw Error("INVALID_ARGUMENT", "only the memory of a SharedArrayBuffer can be shared");
    }
    return tensor_over(env, args);
  });
}

// adoptTypedArray(data, dtype, shape): a tensor over the data itself. Only for an ArrayBuffer that
// nobody else has, since whoever has one can detach it.
napi_value adopt_typed_array(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    return tensor_over(env, args);
  });
}

// copyBytes(tensor): a new ArrayBuffer with the tensor's bytes in row-major order.
napi_value copy_bytes(napi_env env, napi_callback_info info) {
  return guarded(env, Call{info, "Tensor.toTypedArray", {"self"}}, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const at::Tensor source = readable(Environment::of(env).handles.get(args.handle(0)));
    void* data = nullptr;
    napi_value buffer = nullptr;
    check(env, napi_create_arraybuffer(env, source.nbytes(), &data, &buffer));
    if (source.nbytes() > 0) std::memcpy(data, source.const_data_ptr(), source.nbytes());
    return buffer;
  });
}

// rowMajor(tensor): a tensor over the same elements whose own memory on the CPU has them in
// row-major order; the tensor itself where it is so.
napi_value row_major(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    Environment& environment = Environment::of(env);
    return from_tensor(environment, env, readable(environment.handles.get(args.handle(0))));
  });
}

// `count` bytes of a row-major tensor's memory from `at` on.
char* bytes_at(const at::Tensor& tensor, int64_t at, uint64_t count) {
  const bool is_row_major = tensor.device().is_cpu() && tensor.layout() == c10::kStrided &&
                            tensor.has_storage() && tensor.is_contiguous();
  if (!is_row_major) throw Error("INVALID_ARGUMENT", "expected a row-major tensor on the CPU");
  const auto size = static_cast<uint64_t>(tensor.nbytes());
  const auto start = static_cast<uint64_t>(at);
  if (at < 0 || start > size || count > size - start) {
    throw Error("INVALID_ARGUMENT", "expected bytes within the tensor's " + std::to_string(size));
  }
  return static_cast<char*>(tensor.data_ptr()) + at;
}

// readBytes(tensor, at, target): fills a typed array with a row-major tensor's bytes from `at` on.
napi_value read_bytes(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    const TypedArray target = read_typed_array(env, args[2]);
    const at::Tensor& tensor = Environment::of(env).handles.get(args.handle(0));
    const char* bytes = bytes_at(tensor, args.int64(1), target.bytes);
    if (target.bytes > 0) std::memcpy(target.data, bytes, target.bytes);
    return nullptr;
  });
}

// writeBytes(tensor, at, source): the opposite.
napi_value write_bytes(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    const TypedArray source = read_typed_array(env, args[2]);
    const at::Tensor& tensor = Environment::of(env).handles.get(args.handle(0));
    char* bytes = bytes_at(tensor, args.int64(1), source.bytes);
    if (source.bytes > 0) std::memcpy(bytes, source.data, source.bytes);
    return nullptr;
  });
}

// viewBytes(tensor): an ArrayBuffer over the tensor's own memory, which it keeps alive.
napi_value view_bytes(napi_env env, napi_callback_info info) {
  return guarded(env, Call{info, "Tensor.viewTypedArray", {"self"}}, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const at::Tensor tensor = unwrapped(Environment::of(env).handles.get(args.handle(0)));
    const OutsideTransforms outside;
    if (!tensor.device().is_cpu() || !tensor.has_storage() || !tensor.is_contiguous() ||
        tensor.is_conj() || tensor.is_neg() || tensor._is_zerotensor()) {
      throw Error("INVALID_ARGUMENT", "only a contiguous tensor on the CPU can be viewed, got " +
                                          describe_tensor(tensor) + "; use contiguous() or copy");
    }
    if (tensor.nbytes() == 0) return Napi::ArrayBuffer::New(env, 0);
    auto held = std::make_unique<at::Tensor>(tensor.detach());
    // As with `Tensor.numpy()`: what JavaScript sees must not move.
    held->storage().unsafeGetStorageImpl()->set_resizable(false);
    void* const memory = held->data_ptr();
    const size_t size = held->nbytes();
    return external_buffer(env, memory, size, std::move(held));
  });
}

// lendBytes(tensor, at, count, use): calls `use` with an ArrayBuffer over bytes of a row-major
// tensor's memory, which has none any more when the call returns. Whether there can be such a one.
napi_value lend_bytes(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<4> args(env, info);
    const at::Tensor tensor = Environment::of(env).handles.get(args.handle(0));
    const int64_t count = args.int64(2);
    if (count < 0) throw Error("INVALID_ARGUMENT", "expected a count of bytes");
    char* const memory = bytes_at(tensor, args.int64(1), static_cast<uint64_t>(count));
    const napi_value buffer = borrowed_buffer(env, memory, count);
    if (buffer == nullptr) return Napi::Boolean::New(env, false);
    const napi_value undefined = Napi::Env(env).Undefined();
    const napi_status status =
        napi_call_function(env, undefined, args.function(3), 1, &buffer, nullptr);
    napi_value thrown = nullptr;
    if (status != napi_ok) napi_get_and_clear_last_exception(env, &thrown);
    check(env, napi_detach_arraybuffer(env, buffer));
    if (thrown != nullptr) check(env, napi_throw(env, thrown));
    return Napi::Boolean::New(env, true);
  });
}

// item(tensor): the one element as a number, bigint, boolean or { re, im }
napi_value item(napi_env env, napi_callback_info info) {
  return guarded(env, Call{info, "Tensor.item", {"self"}}, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return from_scalar(env, Environment::of(env).handles.get(args.handle(0)).item());
  });
}

}  // namespace

void define_storage(Napi::Env env, Napi::Object exports) {
  define<from_typed_array>(env, exports, "fromTypedArray");
  define<share_typed_array>(env, exports, "shareTypedArray");
  define<adopt_typed_array>(env, exports, "adoptTypedArray");
  define<copy_bytes>(env, exports, "copyBytes");
  define<row_major>(env, exports, "rowMajor");
  define<read_bytes>(env, exports, "readBytes");
  define<write_bytes>(env, exports, "writeBytes");
  define<lend_bytes>(env, exports, "lendBytes");
  define<view_bytes>(env, exports, "viewBytes");
  define<item>(env, exports, "item");
}

}  // namespace aiforge
