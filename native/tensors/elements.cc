#include <ATen/Dispatch.h>
#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/functions/basic_ops.h>

#include "../calls/values.h"
#include "../environment.h"
#include "../errors.h"
#include "../topics.h"

namespace aiforge {

namespace {

// A tensor whose elements can be reached one by one where they are.
at::Tensor reachable(Environment& environment, const ArgumentReader& args) {
  const at::Tensor tensor = environment.handles.get(args.handle(0));
  if (!tensor.device().is_cpu() || tensor.layout() != c10::kStrided || !tensor.has_storage() ||
      tensor.is_conj() || tensor.is_neg() || !(tensor.is_floating_point() || tensor.is_complex())) {
    throw Error("INVALID_ARGUMENT",
                "expected an ordinary floating-point or complex tensor on the CPU, got " +
                    describe_tensor(tensor));
  }
  return tensor;
}

// Where the element of that index, counted row by row, lies from the first.
int64_t offset_of(const at::Tensor& tensor, int64_t index) {
  if (index < 0 || index >= tensor.numel()) {
    throw Error("INVALID_ARGUMENT", "no element has the index " + std::to_string(index));
  }
  int64_t offset = 0;
  for (int64_t dim = tensor.dim() - 1; dim >= 0; --dim) {
    offset += index % tensor.size(dim) * tensor.stride(dim);
    index /= tensor.size(dim);
  }
  return offset;
}

template <typename T>
T element(double re, double im) {
  if constexpr (c10::is_complex<T>::value) {
    return T(static_cast<typename T::value_type>(re), static_cast<typename T::value_type>(im));
  } else {
    return static_cast<T>(re);
  }
}

// writeElement(tensor, index, re, im): changes one element in place, unseen by autograd
napi_value write_element(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<4> args(env, info);
    const at::Tensor tensor = reachable(Environment::of(env), args);
    const int64_t offset = offset_of(tensor, args.int64(1));
    AT_DISPATCH_FLOATING_AND_COMPLEX_TYPES_AND2(
        c10::kHalf, c10::kBFloat16, tensor.scalar_type(), "writeElement", [&] {
          static_cast<scalar_t*>(tensor.data_ptr())[offset] =
              element<scalar_t>(args.number(2), args.number(3));
        });
    return nullptr;
  });
}

// undefinedGrad(tensor): the tensor itself, whose gradient gets lost on its way back
napi_value undefined_grad(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    Environment& environment = Environment::of(env);
    torch::autograd::UndefinedGrad function;
    return from_tensor(environment, env,
                       function.apply({environment.handles.get(args.handle(0))}).at(0));
  });
}

}  // namespace

void define_elements(Napi::Env env, Napi::Object exports) {
  define<write_element>(env, exports, "writeElement");
  define<undefined_grad>(env, exports, "undefinedGrad");
}

}  // namespace aiforge
