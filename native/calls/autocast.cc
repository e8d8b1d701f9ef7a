#include "autocast.h"

#include <ATen/autocast_mode.h>

#include "../errors.h"
#include "../topics.h"
#include "values.h"

namespace aiforge {

namespace {

void set(c10::DeviceType type, bool enabled, const std::string& dtype) {
  at::autocast::set_autocast_enabled(type, enabled);
  at::autocast::set_autocast_dtype(type, dtype_from_name(dtype));
}

// setAutocast(cpu, cpuDtype, cuda, cudaDtype, cacheEnabled): of this thread
napi_value set_autocast(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<5> args(env, info);
    set(c10::kCPU, args.boolean(0), args.string(1));
    set(c10::kCUDA, args.boolean(2), args.string(3));
    at::autocast::set_autocast_cache_enabled(args.boolean(4));
    return nullptr;
  });
}

napi_value clear_autocast_cache(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value {
    at::autocast::clear_cache();
    return nullptr;
  });
}

}  // namespace

AutocastDtypes::AutocastDtypes()
    : cpu_(at::autocast::get_autocast_dtype(c10::kCPU)),
      cuda_(at::autocast::get_autocast_dtype(c10::kCUDA)),
      cache_enabled_(at::autocast::is_autocast_cache_enabled()) {}

void AutocastDtypes::enter() const {
  at::autocast::set_autocast_dtype(c10::kCPU, cpu_);
  at::autocast::set_autocast_dtype(c10::kCUDA, cuda_);
  at::autocast::set_autocast_cache_enabled(cache_enabled_);
}

AutocastSwitches::AutocastSwitches()
    : cpu_(at::autocast::is_autocast_enabled(c10::kCPU)),
      cuda_(at::autocast::is_autocast_enabled(c10::kCUDA)) {}

void AutocastSwitches::enter() const {
  at::autocast::set_autocast_enabled(c10::kCPU, cpu_);
  at::autocast::set_autocast_enabled(c10::kCUDA, cuda_);
}

void define_autocast(Napi::Env env, Napi::Object exports) {
  define<set_autocast>(env, exports, "setAutocast");
  define<clear_autocast_cache>(env, exports, "clearAutocastCache");
}

}  // namespace aiforge
