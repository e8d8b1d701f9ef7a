#include <ATen/autocast_mode.h>

#include "errors.h"
#include "topics.h"
#include "values.h"

namespace aiforge {

namespace {

c10::DeviceType device_type(const ArgumentReader& args, size_t i) {
  return c10::Device(args.string(i)).type();
}

// autocastState(deviceType): { enabled, dtype, cacheEnabled }, of this thread
napi_value autocast_state(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const c10::DeviceType type = device_type(args, 0);
    Napi::Object state = Napi::Object::New(env);
    state.Set("enabled", at::autocast::is_autocast_enabled(type));
    state.Set("dtype", dtype_name(at::autocast::get_autocast_dtype(type)));
    state.Set("cacheEnabled", at::autocast::is_autocast_cache_enabled());
    return state;
  });
}

void set_autocast(const ArgumentReader& args) {
  const c10::DeviceType type = device_type(args, 0);
  const c10::ScalarType dtype = dtype_from_name(args.string(2));
  at::autocast::set_autocast_enabled(type, args.boolean(1));
  at::autocast::set_autocast_dtype(type, dtype);
  at::autocast::set_autocast_cache_enabled(args.boolean(3));
}

// enterAutocast(deviceType, enabled, dtype, cacheEnabled)
napi_value enter_autocast(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    set_autocast(Arguments<4>(env, info));
    at::autocast::increment_nesting();
    return nullptr;
  });
}

// exitAutocast(deviceType, enabled, dtype, cacheEnabled): back to the state before
napi_value exit_autocast(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    set_autocast(Arguments<4>(env, info));
    // Casts of weights are kept from the outermost autocast's beginning to its end.
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    return nullptr;
  });
}

}  // namespace

void define_autocast(Napi::Env env, Napi::Object exports) {
  define(env, exports, "autocastState", autocast_state);
  define(env, exports, "enterAutocast", enter_autocast);
  define(env, exports, "exitAutocast", exit_autocast);
}

}  // namespace aiforge
