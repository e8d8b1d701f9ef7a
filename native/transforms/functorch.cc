#include "functorch.h"

#include <ATen/functorch/BatchedTensorImpl.h>
#include <ATen/functorch/DynamicLayer.h>
#include <ATen/functorch/TensorWrapper.h>
#include <c10/core/AutogradState.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include "../calls/values.h"
#include "../environment.h"
#include "../errors.h"
#include "../topics.h"
#include "../versions/transform_layers.h"

namespace aiforge {

namespace {

namespace functorch = at::functorch;
using c10::DispatchKey;

constexpr DispatchKey kFront = DispatchKey::FuncTorchDynamicLayerFrontMode;
constexpr DispatchKey kBack = DispatchKey::FuncTorchDynamicLayerBackMode;

bool is_excluded(DispatchKey key) { return c10::impl::tls_is_dispatch_key_excluded(key); }
void exclude(DispatchKey key, bool value) { c10::impl::tls_set_dispatch_key_excluded(key, value); }

}  // namespace

at::Tensor unwrapped(const at::Tensor& tensor) {
  at::Tensor inner = tensor;
  while (true) {
    if (!inner.defined()) return inner;
    if (functorch::isBatchedTensor(inner)) {
      throw Error("INVALID_ARGUMENT",
                  "a tensor inside vmap stands for a whole batch, so its elements cannot be read: "
                  "return it from the function and read the result");
    }
    const functorch::TensorWrapper* wrapper = functorch::maybeGetTensorWrapper(inner);
    if (wrapper == nullptr) return inner;
    inner = wrapper->value();
  }
}

const at::Tensor& innermost(const at::Tensor& tensor) {
  const at::Tensor* inner = &tensor;
  while (true) {
    if (const auto* batched = functorch::maybeGetBatchedImpl(*inner)) {
      inner = &batched->value();
    } else if (const auto* wrapper = functorch::maybeGetTensorWrapper(*inner)) {
      inner = &wrapper->value();
    } else {
      return *inner;
    }
  }
}

OutsideTransforms::OutsideTransforms() : front_(is_excluded(kFront)), back_(is_excluded(kBack)) {
  exclude(kFront, true);
  exclude(kBack, true);
}

OutsideTransforms::~OutsideTransforms() {
  exclude(kFront, front_);
  exclude(kBack, back_);
}

bool transforms_run() {
  return c10::impl::tls_is_dispatch_key_included(kFront) && !is_excluded(kFront);
}

void keep_transforms_dispatched() {
  functorch::setDynamicLayerFrontBackKeysIncluded(!functorch::getDynamicLayerStack().empty());
}

namespace {

functorch::RandomnessType randomness_from_name(const std::string& name) {
  if (name == "error") return functorch::RandomnessType::Error;
  if (name == "same") return functorch::RandomnessType::Same;
  if (name == "different") return functorch::RandomnessType::Different;
  throw Error("INVALID_ARGUMENT",
              "randomness must be 'error', 'different' or 'same', got '" + name + "'");
}

// enterVmap(batchSize, randomness): the level of the new transform
napi_value enter_vmap(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    return number(env, functorch::initAndPushDynamicLayer(functorch::TransformType::Vmap,
                                                          c10::SymInt(args.int64(0)),
                                                          randomness_from_name(args.string(1))));
  });
}

// enterGrad(): the level of the new transform, which takes reverse-mode gradients
napi_value enter_grad(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    return number(env, push_gradient_layer(functorch::TransformType::Grad,
                                           c10::GradMode::is_enabled(), std::nullopt));
  });
}

// enterJvp(): the level of the new transform, which takes forward-mode gradients
napi_value enter_jvp(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    c10::AutogradState& state = c10::AutogradState::get_tls_state();
    const int64_t level =
        push_gradient_layer(functorch::TransformType::Jvp, std::nullopt, state.get_fw_grad_mode());
    state.set_fw_grad_mode(true);
    return number(env, level);
  });
}

// exitTransform(): ends the innermost transform
napi_value exit_transform(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    if (functorch::getDynamicLayerStack().empty()) {
      throw Error("INVALID_ARGUMENT", "no function transform is running");
    }
    functorch::DynamicLayer layer = functorch::popDynamicLayerAndDeleteMetadata();
    if (layer.key() == functorch::TransformType::Jvp) {
      const functorch::JvpInterpreterPtr jvp(&layer.interpreter());
      c10::AutogradState::get_tls_state().set_fw_grad_mode(jvp.prevFwdGradMode());
    }
    return nullptr;
  });
}

napi_value transform_depth(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    return number(env, static_cast<double>(functorch::getDynamicLayerStack().size()));
  });
}

// addBatchDim(tensor, dim, level): one tensor that stands for all slices along dim
napi_value add_batch_dim(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    Environment& environment = Environment::of(env);
    return from_tensor(environment, env,
                       functorch::addBatchDim(environment.handles.get(args.handle(0)),
                                              args.int64(1), args.int64(2)));
  });
}

// removeBatchDim(tensor, level, batchSize, outDim): the slices as a dimension; a tensor that is not
// of the level is the same for each.
napi_value remove_batch_dim(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<4> args(env, info);
    Environment& environment = Environment::of(env);
    const at::Tensor tensor = environment.handles.get(args.handle(0));
    const int64_t level = args.int64(1);
    const int64_t out_dim = args.int64(3);
    const auto* batched = functorch::maybeGetBatchedImpl(tensor);
    if (batched == nullptr || batched->level() < level) {
      const at::Tensor single = tensor.unsqueeze(out_dim);
      std::vector<int64_t> sizes = single.sizes().vec();
      sizes[at::maybe_wrap_dim(out_dim, single.dim())] = args.int64(2);
      return from_tensor(environment, env, single.expand(sizes));
    }
    if (batched->level() > level) {
      throw Error("INVALID_ARGUMENT", "the tensor escaped from a vmap inside this one");
    }
    return from_tensor(environment, env, batched->value().movedim(batched->bdim(), out_dim));
  });
}

// wrapForGrad(tensor, level, requiresGrad): the tensor as the transform of that level sees it
napi_value wrap_for_grad(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    Environment& environment = Environment::of(env);
    at::Tensor wrapper =
        functorch::makeTensorWrapper(environment.handles.get(args.handle(0)), args.int64(1));
    if (args.boolean(2)) wrapper.set_requires_grad(true);
    return from_tensor(environment, env, std::move(wrapper));
  });
}

// unwrapForGrad(tensor, level): what a wrapper of that level holds, null for any other tensor
napi_value unwrap_for_grad(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    Environment& environment = Environment::of(env);
    const at::Tensor tensor = environment.handles.get(args.handle(0));
    const functorch::TensorWrapper* wrapper = functorch::maybeGetTensorWrapper(tensor);
    if (wrapper == nullptr || wrapper->level() != args.int64(1)) return Napi::Env(env).Null();
    return from_tensor(environment, env, wrapper->value());
  });
}

// wrapperOf(tensor): { level, batchDim, value } of a tensor inside a transform, else null. The
// level is -2 when its transform has ended; batchDim is -1 but for vmap.
napi_value wrapper_of(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    Environment& environment = Environment::of(env);
    const at::Tensor tensor = environment.handles.get(args.handle(0));
    const auto* batched = functorch::maybeGetBatchedImpl(tensor);
    const functorch::TensorWrapper* wrapper = functorch::maybeGetTensorWrapper(tensor);
    if (batched == nullptr && wrapper == nullptr) return Napi::Env(env).Null();
    Napi::Object object = Napi::Object::New(env);
    const int64_t level = batched != nullptr ? batched->level() : wrapper->level().value_or(-2);
    object.Set("level", static_cast<double>(level));
    object.Set("batchDim", static_cast<double>(batched != nullptr ? batched->bdim() : -1));
    const at::Tensor value = batched != nullptr ? batched->value() : wrapper->value();
    object.Set("value", Napi::Value(env, from_tensor(environment, env, value)));
    return object;
  });
}

// excludeTransforms(excluded): whether operators pass by the transforms that are running; what it
// was
napi_value exclude_transforms(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const bool before = is_excluded(kFront);
    exclude(kFront, args.boolean(0));
    exclude(kBack, args.boolean(0));
    return Napi::Boolean::New(env, before);
  });
}

}  // namespace

void define_functorch(Napi::Env env, Napi::Object exports) {
  define<enter_vmap>(env, exports, "enterVmap");
  define<enter_grad>(env, exports, "enterGrad");
  define<enter_jvp>(env, exports, "enterJvp");
  define<exit_transform>(env, exports, "exitTransform");
  define<transform_depth>(env, exports, "transformDepth");
  define<add_batch_dim>(env, exports, "addBatchDim");
  define<remove_batch_dim>(env, exports, "removeBatchDim");
  define<wrap_for_grad>(env, exports, "wrapForGrad");
  define<unwrap_for_grad>(env, exports, "unwrapForGrad");
  define<wrapper_of>(env, exports, "wrapperOf");
  define<exclude_transforms>(env, exports, "excludeTransforms");
}

}  // namespace aiforge
