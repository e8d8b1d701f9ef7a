#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>

#include "../calls/values.h"
#include "../environment.h"
#include "../errors.h"
#include "../topics.h"
#include "autograd.h"
#include "run.h"

namespace aiforge {

namespace {

namespace impl = torch::autograd::impl;

// The hooks of one tensor, in the order of their registration.
class HookChain {
 public:
  uint64_t add(std::shared_ptr<JsReference> reference) {
    const std::lock_guard<std::mutex> lock(mutex_);
    hooks_.emplace_back(++last_, std::move(reference));
    return last_;
  }

  // What was removed; null when it is gone already.
  std::shared_ptr<JsReference> remove(uint64_t id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = std::find_if(hooks_.begin(), hooks_.end(),
                                    [id](const auto& hook) { return hook.first == id; });
    if (found == hooks_.end()) return nullptr;
    auto removed = std::move(found->second);
    hooks_.erase(found);
    return removed;
  }

  // A copy: a hook may add and remove others while it runs.
  std::vector<std::shared_ptr<JsReference>> hooks() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::vector<std::shared_ptr<JsReference>> copy;
    for (const auto& hook : hooks_) copy.push_back(hook.second);
    return copy;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<uint64_t, std::shared_ptr<JsReference>>> hooks_;
  uint64_t last_ = 0;
};

// One entry in LibTorch's own list of a tensor's hooks. LibTorch starts a new list when an operator
// in place gives the tensor another node.
struct TensorHook {
  std::shared_ptr<HookChain> chain;

  at::TensorBase operator()(const at::TensorBase& grad) const {
    // LibTorch may move this object while the hooks run.
    const auto hooks = chain->hooks();
    at::Tensor current(grad);
    if (!current.defined()) return current;
    for (const auto& hook : hooks) {
      at::Tensor result;
      call_js(*hook, {current}, [&](napi_env env, napi_value value) {
        if (is_missing(env, value)) return;
        result = Environment::of(env).handles.get(static_cast<Handle>(read_number(env, value, "")));
      });
      if (!result.defined()) continue;
      torch::autograd::check_variable_result(current, result, "registerHook");
      current = std::move(result);
    }
    return current;
  }
};

struct PostAccumulateHook : torch::autograd::PostAccumulateGradHook {
  std::shared_ptr<HookChain> chain = std::make_shared<HookChain>();

  void operator()(const at::Tensor& parameter) override {
    const auto hooks = chain->hooks();
    for (const auto& hook : hooks) call_js(*hook, {parameter}, [](napi_env, napi_value) {});
  }
};

std::shared_ptr<HookChain> chain_of(const at::Tensor& tensor) {
  tensor.grad_fn();  // a view's node may have to be made anew, with another list
  if (const auto& list = impl::get_autograd_meta(tensor)->cpp_hooks_list_) {
    for (const auto& hook : *list) {
      if (const auto* own = hook.target<TensorHook>()) return own->chain;
    }
  }
  auto chain = std::make_shared<HookChain>();
  at::impl::GetVariableHooks()->_register_hook(tensor, TensorHook{chain});
  return chain;
}

std::shared_ptr<HookChain> post_accumulate_chain_of(const at::Tensor& tensor) {
  if (!tensor.is_leaf()) {
    throw Error("INVALID_ARGUMENT",
                "post-accumulate hooks cannot be registered on non-leaf tensors: nothing "
                "accumulates in them; use registerHook()");
  }
  auto& hook = impl::post_acc_grad_hooks(tensor);
  if (auto* own = dynamic_cast<PostAccumulateHook*>(hook.get())) return own->chain;
  auto made = std::make_unique<PostAccumulateHook>();
  auto chain = made->chain;
  impl::set_post_acc_grad_hooks(tensor, std::move(made));
  return chain;
}

// What JavaScript removes a hook by; it keeps neither the hook nor its tensor.
struct HookToken {
  std::weak_ptr<HookChain> chain;
  uint64_t id;
};

napi_value token_for(napi_env env, const std::shared_ptr<HookChain>& chain,
                     std::shared_ptr<JsReference> hook) {
  return external(env, std::make_unique<HookToken>(HookToken{chain, chain->add(std::move(hook))}));
}

template <std::shared_ptr<HookChain> (*Chain)(const at::Tensor&)>
napi_value register_with(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    Environment& environment = Environment::of(env);
    const at::Tensor tensor = environment.handles.get(args.handle(0));
    if (!tensor.requires_grad()) {
      throw Error("INVALID_ARGUMENT", "a hook needs a tensor that requires gradients, and " +
                                          describe_tensor(tensor) + " does not");
    }
    const auto chain = Chain(tensor);
    auto hook = std::make_shared<JsReference>(*environment.bridge, args[1]);
    const auto* node = impl::get_autograd_meta(tensor)->grad_fn_.get();
    environment.cycles.add(env, hook, {args.handle(0)}, node);
    return token_for(env, chain, std::move(hook));
  });
}

// removeHook(token): the function that is called no more, or null
napi_value remove_hook(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    void* data = nullptr;
    check(env, napi_get_value_external(env, args[0], &data));
    const auto* token = static_cast<HookToken*>(data);
    const auto chain = token->chain.lock();
    const auto removed = chain ? chain->remove(token->id) : nullptr;
    return removed ? removed->value() : Napi::Env(env).Null();
  });
}

napi_value retain_grad(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    Environment::of(env).handles.get(args.handle(0)).retain_grad();
    return nullptr;
  });
}

napi_value retains_grad(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return Napi::Boolean::New(env, Environment::of(env).handles.get(args.handle(0)).retains_grad());
  });
}

}  // namespace

void define_hooks(Napi::Env env, Napi::Object exports) {
  define<register_with<chain_of>>(env, exports, "registerHook");
  define<register_with<post_accumulate_chain_of>>(env, exports, "registerPostAccumulateGradHook");
  define<remove_hook>(env, exports, "removeHook");
  define<retain_grad>(env, exports, "retainGrad");
  define<retains_grad>(env, exports, "retainsGrad");
}

}  // namespace aiforge
