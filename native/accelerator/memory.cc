#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <c10/core/CachingDeviceAllocator.h>

#include "../calls/values.h"
#include "../errors.h"
#include "accelerator.h"

namespace aiforge {

namespace {

// LibTorch makes the allocator when CUDA is first used.
void initialise() { at::globalContext().lazyInitDevice(c10::kCUDA); }

void put(Napi::Object& object, const std::string& name, const c10::CachingAllocator::Stat& stat) {
  object.Set(name + ".current", static_cast<double>(stat.current));
  object.Set(name + ".peak", static_cast<double>(stat.peak));
  object.Set(name + ".allocated", static_cast<double>(stat.allocated));
  object.Set(name + ".freed", static_cast<double>(stat.freed));
}

void put(Napi::Object& object, const std::string& name,
         const c10::CachingAllocator::StatArray& stats) {
  using c10::CachingAllocator::StatType;
  put(object, name + ".all", stats[static_cast<size_t>(StatType::AGGREGATE)]);
  put(object, name + ".small_pool", stats[static_cast<size_t>(StatType::SMALL_POOL)]);
  put(object, name + ".large_pool", stats[static_cast<size_t>(StatType::LARGE_POOL)]);
}

// memoryStats(device): the keys of torch.cuda.memory_stats
napi_value memory_stats(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const c10::DeviceIndex index = device_index(args, 0);
    initialise();
    const auto stats = at::accelerator::getDeviceStats(index);
    Napi::Object object = Napi::Object::New(env);
    put(object, "allocation", stats.allocation);
    put(object, "segment", stats.segment);
    put(object, "active", stats.active);
    put(object, "inactive_split", stats.inactive_split);
    put(object, "allocated_bytes", stats.allocated_bytes);
    put(object, "reserved_bytes", stats.reserved_bytes);
    put(object, "active_bytes", stats.active_bytes);
    put(object, "inactive_split_bytes", stats.inactive_split_bytes);
    put(object, "requested_bytes", stats.requested_bytes);
    object.Set("num_alloc_retries", static_cast<double>(stats.num_alloc_retries));
    object.Set("num_ooms", static_cast<double>(stats.num_ooms));
    object.Set("num_sync_all_streams", static_cast<double>(stats.num_sync_all_streams));
    object.Set("num_device_alloc", static_cast<double>(stats.num_device_alloc));
    object.Set("num_device_free", static_cast<double>(stats.num_device_free));
    return object;
  });
}

napi_value reset_peak_memory_stats(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const c10::DeviceIndex index = device_index(args, 0);
    initialise();
    at::accelerator::resetPeakStats(index);
    return nullptr;
  });
}

napi_value reset_accumulated_memory_stats(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const c10::DeviceIndex index = device_index(args, 0);
    initialise();
    at::accelerator::resetAccumulatedStats(index);
    return nullptr;
  });
}

napi_value empty_cache(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value {
    if (device_count() == 0) return nullptr;
    initialise();
    at::accelerator::emptyCache();
    return nullptr;
  });
}

// memGetInfo(device): [free, total], of the whole device
napi_value memory_info(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const c10::DeviceIndex index = device_index(args, 0);
    initialise();
    const auto [free, total] = at::accelerator::getMemoryInfo(index);
    Napi::Array pair = Napi::Array::New(env, 2);
    pair[uint32_t{0}] = Napi::Number::New(env, static_cast<double>(free));
    pair[uint32_t{1}] = Napi::Number::New(env, static_cast<double>(total));
    return pair;
  });
}

}  // namespace

void define_device_memory(Napi::Env env, Napi::Object object) {
  define<memory_stats>(env, object, "memoryStats");
  define<reset_peak_memory_stats>(env, object, "resetPeakMemoryStats");
  define<reset_accumulated_memory_stats>(env, object, "resetAccumulatedMemoryStats");
  define<empty_cache>(env, object, "emptyCache");
  define<memory_info>(env, object, "memGetInfo");
}

}  // namespace aiforge
