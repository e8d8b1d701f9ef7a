#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/function.h>

#include "../calls/values.h"
#include "../environment.h"
#include "../errors.h"
#include "../topics.h"
#include "autograd.h"
#include "gradient_lock.h"
#include "run.h"

namespace aiforge {

namespace {

// A list argument that may be left out.
std::vector<at::Tensor> tensors_or_none(Environment& environment, napi_env env,
                                        const ArgumentReader& args, size_t i) {
  return args.is_missing(i) ? std::vector<at::Tensor>() : to_tensors(environment, env, args[i]);
}

// The arguments of backward and backwardAsync: (tensors, gradients | null, retainGraph,
// createGraph, inputs | null, context)
std::function<void()> backward_pass(Environment& environment, napi_env env,
                                    const ArgumentReader& args,
                                    const std::vector<at::Tensor>& roots) {
  return [tensors = roots, gradients = tensors_or_none(environment, env, args, 1),
          retain = args.boolean(2), create = args.boolean(3),
          inputs = tensors_or_none(environment, env, args, 4)] {
    torch::autograd::backward(tensors, gradients, retain, create, inputs);
  };
}

napi_value backward(napi_env env, napi_callback_info info) {
  const Call call{info, "Tensor.backward", {"self", "gradient"}};
  return guarded(env, call, [&]() -> napi_value {
    const Arguments<6> args(env, info);
    Environment& environment = Environment::of(env);
    const auto roots = to_tensors(environment, env, args[0]);
    run_pass(environment, args.uint32(5), roots, backward_pass(environment, env, args, roots));
    return nullptr;
  });
}

napi_value backward_async(napi_env env, napi_callback_info info) {
  const Call call{info, "Tensor.backwardAsync", {"self", "gradient"}};
  return guarded(env, call, [&]() -> napi_value {
    const Arguments<6> args(env, info);
    Environment& environment = Environment::of(env);
    const auto roots = to_tensors(environment, env, args[0]);
    return run_pass_beside(environment, env, args.uint32(5), roots,
                           backward_pass(environment, env, args, roots));
  });
}

// grad(outputs, inputs, gradients | null, retainGraph, createGraph, allowUnused, context): handles
// or null
napi_value grad(napi_env env, napi_callback_info info) {
  const Call call{info, "grad", {"outputs", "inputs", "gradOutputs"}};
  return guarded(env, call, [&]() -> napi_value {
    const Arguments<7> args(env, info);
    Environment& environment = Environment::of(env);
    const auto outputs = to_tensors(environment, env, args[0]);
    const auto inputs = to_tensors(environment, env, args[1]);
    const auto gradients = tensors_or_none(environment, env, args, 2);
    const bool retain = args.boolean(3);
    const bool create = args.boolean(4);
    const bool allow_unused = args.boolean(5);
    std::vector<at::Tensor> results;
    run_pass(environment, args.uint32(6), {}, [&] {
      results = torch::autograd::grad(outputs, inputs, gradients, retain, create, allow_unused);
    });
    return from_tensors(environment, env, results);
  });
}

// gradients(tensors): the .grad of each, a handle or null
napi_value gradients(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    Environment& environment = Environment::of(env);
    std::vector<at::Tensor> grads;
    for (const at::Tensor& tensor : to_tensors(environment, env, args[0])) {
      const GradientLock lock(environment, tensor);
      grads.push_back(tensor.grad());
    }
    return from_tensors(environment, env, grads);
  });
}

enum GradientKind : uint8_t { kNone = 0, kStrided = 1, kSparse = 2, kOther = 3 };

GradientKind kind_of_gradient(const at::Tensor& gradient) {
  if (!gradient.defined()) return kNone;
  if (gradient.layout() == c10::kStrided) return kStrided;
  return gradient.layout() == c10::kSparse ? kSparse : kOther;
}

template <typename Item>
Item* writable(napi_env env, napi_value value, napi_typedarray_type wanted, size_t count) {
  bool is_typed_array = false;
  check(env, napi_is_typedarray(env, value, &is_typed_array));
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void* data = nullptr;
  if (is_typed_array) {
    check(env, napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr));
  }
  if (!is_typed_array || type != wanted || length != count) {
    throw Error("INVALID_ARGUMENT", "expected a typed array of " + std::to_string(count) +
                                        " items for the gradients, and one for their kinds");
  }
  return static_cast<Item*>(data);
}

// collectGradients(tensors, gradients, kinds): writes the handle of the .grad of each, -1 for none,
// and its kind, without a JavaScript value for each; whether a kind is another than it was.
napi_value collect_gradients(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    Environment& environment = Environment::of(env);
    std::vector<at::Tensor> grads = to_tensors(environment, env, args[0]);
    for (at::Tensor& tensor : grads) {
      if (!tensor.defined())
        throw Error("INVALID_ARGUMENT", "expected Tensors, got none at a place");
      const GradientLock lock(environment, tensor);
      // A copy first: the assignment frees the tensor, and its gradient with it.
      at::Tensor grad = tensor.grad();
      tensor = std::move(grad);
    }
    // Looked up last: a lock may run JavaScript, which could take the memory away.
    auto* handles = writable<double>(env, args[1], napi_float64_array, grads.size());
    auto* kinds = writable<uint8_t>(env, args[2], napi_uint8_array, grads.size());
    bool changed = false;
    for (size_t i = 0; i < grads.size(); ++i) {
      const GradientKind kind = kind_of_gradient(grads[i]);
      changed |= kinds[i] != kind;
      kinds[i] = kind;
      handles[i] =
          kind == kNone ? -1 : static_cast<double>(environment.handles.add(std::move(grads[i])));
    }
    return Napi::Boolean::New(env, changed);
  });
}

napi_value gradient(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    Environment& environment = Environment::of(env);
    const at::Tensor tensor = environment.handles.get(args.handle(0));
    const GradientLock lock(environment, tensor);
    return from_tensor(environment, env, tensor.grad());
  });
}

napi_value set_gradient(napi_env env, napi_callback_info info) {
  const Call call{info, "Tensor.grad", {"self", "gradient"}};
  return guarded(env, call, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    Environment& environment = Environment::of(env);
    Handles& handles = environment.handles;
    const at::Tensor tensor = handles.get(args.handle(0));
    const at::Tensor grad = args.is_missing(1) ? at::Tensor() : handles.get(args.handle(1));
    if (grad.defined() && grad.is_same(tensor)) {
      throw Error("INVALID_ARGUMENT",
                  "a tensor cannot be its own gradient; assign a clone() or a detach()");
    }
    if (grad.defined() &&
        (grad.sizes() != tensor.sizes() || grad.scalar_type() != tensor.scalar_type() ||
         grad.device() != tensor.device())) {
      throw Error("INVALID_ARGUMENT", "a gradient for " + describe_tensor(tensor) +
                                          " must have its shape, dtype and device, got " +
                                          describe_tensor(grad));
    }
    const GradientLock lock(environment, tensor);
    tensor.mutable_grad() = grad;
    return nullptr;
  });
}

// zeroGradients(tensors, setToNone)
napi_value zero_gradients(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    const bool set_to_none = args.boolean(1);
    Environment& environment = Environment::of(env);
    for (const at::Tensor& tensor : to_tensors(environment, env, args[0])) {
      const GradientLock lock(environment, tensor);
      at::Tensor& grad = tensor.mutable_grad();
      if (!grad.defined()) continue;
      if (set_to_none) {
        grad.reset();
        continue;
      }
      // A gradient may be a view (of a bucket), which cannot be detached in place and need not be.
      if (grad.grad_fn()) grad.detach_();
      grad.set_requires_grad(false).zero_();
    }
    return nullptr;
  });
}

napi_value requires_grad(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return Napi::Boolean::New(env,
                              Environment::of(env).handles.get(args.handle(0)).requires_grad());
  });
}

napi_value set_requires_grad(napi_env env, napi_callback_info info) {
  const Call call{info, "Tensor.requiresGrad", {"self"}};
  return guarded(env, call, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    Environment::of(env).handles.get(args.handle(0)).set_requires_grad(args.boolean(1));
    return nullptr;
  });
}

napi_value is_leaf(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return Napi::Boolean::New(env, Environment::of(env).handles.get(args.handle(0)).is_leaf());
  });
}

// Python's arithmetic with a number calls the overload for two tensors, whose bits are the same.
std::string name_in_python(const std::string& name) {
  for (const char* operation : {"Add", "Sub", "Mul", "Div"}) {
    if (name == std::string(operation) + "Backward1") return std::string(operation) + "Backward0";
  }
  return name;
}

// gradFnName(tensor): 'AddBackward0', or null for a leaf
napi_value grad_fn_name(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const auto& node = Environment::of(env).handles.get(args.handle(0)).grad_fn();
    return node ? Napi::Value(Napi::String::New(env, name_in_python(node->name())))
                : Napi::Env(env).Null();
  });
}

// setData(tensor, source): tensor takes source's data, as Python's `tensor.data = source`
napi_value set_data(napi_env env, napi_callback_info info) {
  const Call call{info, "Tensor.setData", {"self", "source"}};
  return guarded(env, call, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    Handles& handles = Environment::of(env).handles;
    const at::Tensor source = handles.get(args.handle(1));
    handles.get(args.handle(0)).set_data(source);
    return nullptr;
  });
}

// isCheckpointValid(): false while a pass runs that goes to chosen inputs only
napi_value checkpoint_valid(napi_env env, napi_callback_info) {
  return guarded(env,
                 [&]() -> napi_value { return Napi::Boolean::New(env, is_checkpoint_valid()); });
}

}  // namespace

void define_gradients(Napi::Env env, Napi::Object exports) {
  define<backward>(env, exports, "backward");
  define<backward_async>(env, exports, "backwardAsync");
  define<grad>(env, exports, "grad");
  define<checkpoint_valid>(env, exports, "isCheckpointValid");
  define<gradients>(env, exports, "gradients");
  define<gradient>(env, exports, "gradient");
  define<set_gradient>(env, exports, "setGradient");
  define<collect_gradients>(env, exports, "collectGradients");
  define<zero_gradients>(env, exports, "zeroGradients");
  define<requires_grad>(env, exports, "requiresGrad");
  define<set_requires_grad>(env, exports, "setRequiresGrad");
  define<is_leaf>(env, exports, "isLeaf");
  define<grad_fn_name>(env, exports, "gradFnName");
  define<set_data>(env, exports, "setData");
}

}  // namespace aiforge
