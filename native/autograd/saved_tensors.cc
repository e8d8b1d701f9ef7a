#include "saved_tensors.h"

#include "../calls/values.h"
#include "../environment.h"
#include "../errors.h"
#include "autograd.h"
#include "run.h"

namespace aiforge {

namespace {

class JsSavedVariableHooks : public torch::autograd::SavedVariableHooks {
 public:
  explicit JsSavedVariableHooks(std::shared_ptr<SavedTensorsHooks> hooks)
      : hooks_(std::move(hooks)) {}

  void call_pack_hook(const at::Tensor& tensor) override {
    // Without its node, which keeps what is packed here: a hook that returns its tensor would make
    // a circle that nobody frees.
    call_js(*hooks_->pack, {tensor.detach()}, [&](napi_env env, napi_value unpack) {
      unpack_ = std::make_shared<JsReference>(*Environment::of(env).bridge, unpack);
    });
  }

  at::Tensor call_unpack_hook() override {
    at::Tensor tensor;
    call_js(*unpack_, {}, [&](napi_env env, napi_value value) {
      Handles& handles = Environment::of(env).handles;
      const auto handle = static_cast<Handle>(read_number(env, value, "a Tensor"));
      tensor = handles.get(handle);
      if (hooks_->takes) handles.release(handle);
    });
    return tensor;
  }

 private:
  const std::shared_ptr<SavedTensorsHooks> hooks_;
  std::shared_ptr<JsReference> unpack_;
};

// openSavedTensorsHooks(pack, takes, kept | null): their number, for contexts; `pack` gets a handle
// and returns the function that gives one back
napi_value open_hooks(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    Environment& environment = Environment::of(env);
    auto hooks = std::make_shared<SavedTensorsHooks>();
    hooks->pack = std::make_shared<JsReference>(*environment.bridge, args[0]);
    hooks->takes = args.boolean(1);
    if (!args.is_missing(2)) hooks->kept = environment.handles.get(args.handle(2));
    const uint32_t number_of = ++environment.last_saved_tensors_hooks;
    environment.saved_tensors_hooks.emplace(number_of, std::move(hooks));
    return number(env, number_of);
  });
}

napi_value close_hooks(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    Environment& environment = Environment::of(env);
    const auto found = environment.saved_tensors_hooks.find(args.uint32(0));
    if (found == environment.saved_tensors_hooks.end()) return nullptr;
    if (active_saved_tensors_hooks() == found->second) active_saved_tensors_hooks().reset();
    environment.saved_tensors_hooks.erase(found);
    return nullptr;
  });
}

}  // namespace

std::shared_ptr<SavedTensorsHooks>& active_saved_tensors_hooks() {
  thread_local std::shared_ptr<SavedTensorsHooks> active;
  return active;
}

std::unique_ptr<torch::autograd::SavedVariableHooks> hooks_for_saved_tensor() {
  std::shared_ptr<SavedTensorsHooks> hooks = active_saved_tensors_hooks();
  if (!hooks && Bridge::here() == nullptr) {
    if (const Run* run = Run::current()) hooks = run->saved_tensors_hooks;
  }
  if (!hooks) return nullptr;
  return std::make_unique<JsSavedVariableHooks>(std::move(hooks));
}

void define_saved_tensors(Napi::Env env, Napi::Object exports) {
  define<open_hooks>(env, exports, "openSavedTensorsHooks");
  define<close_hooks>(env, exports, "closeSavedTensorsHooks");
}

}  // namespace aiforge
