#include <ATen/Context.h>
#include <c10/cuda/CUDACachingAllocator.h>

#include "../accelerator/accelerator.h"
#include "../calls/values.h"
#include "../errors.h"
#include "cuda.h"

namespace aiforge {

namespace {

namespace allocator = c10::cuda::CUDACachingAllocator;

c10::DeviceIndex initialised_device(const ArgumentReader& args) {
  const c10::DeviceIndex index = device_index(args, 0);
  at::globalContext().lazyInitDevice(c10::kCUDA);
  return index;
}

// memoryFraction(device)
napi_value memory_fraction(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return number(env, allocator::getMemoryFraction(initialised_device(args)));
  });
}

// setMemoryFraction(device, fraction)
napi_value set_memory_fraction(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    allocator::setMemoryFraction(args.number(1), initialised_device(args));
    return nullptr;
  });
}

const char* state_of(const c10::CachingDeviceAllocator::BlockInfo& block) {
  if (block.allocated) return "allocated";
  return block.active ? "pendingFree" : "free";
}

Napi::Object describe(napi_env env, const c10::CachingDeviceAllocator::SegmentInfo& segment) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("device", static_cast<double>(segment.device));
  object.Set("address", Napi::BigInt::New(env, static_cast<uint64_t>(segment.address)));
  object.Set("totalSize", static_cast<double>(segment.total_size));
  object.Set("allocatedSize", static_cast<double>(segment.allocated_size));
  object.Set("activeSize", static_cast<double>(segment.active_size));
  object.Set("requestedSize", static_cast<double>(segment.requested_size));
  object.Set("isLarge", segment.is_large);
  object.Set("isExpandable", segment.is_expandable);
  Napi::Array blocks = Napi::Array::New(env, segment.blocks.size());
  for (size_t i = 0; i < segment.blocks.size(); ++i) {
    const auto& block = segment.blocks[i];
    Napi::Object described = Napi::Object::New(env);
    described.Set("size", static_cast<double>(block.size));
    described.Set("requestedSize", static_cast<double>(block.requested_size));
    described.Set("state", state_of(block));
    blocks[static_cast<uint32_t>(i)] = described;
  }
  object.Set("blocks", blocks);
  return object;
}

// memorySnapshot(): what the allocator has of every device, segment by segment
napi_value memory_snapshot(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value {
    require_device();
    at::globalContext().lazyInitDevice(c10::kCUDA);
    const auto segments = allocator::snapshot({0, 0}, /*include_traces=*/false).segments;
    Napi::Array array = Napi::Array::New(env, segments.size());
    for (size_t i = 0; i < segments.size(); ++i) {
      array[static_cast<uint32_t>(i)] = describe(env, segments[i]);
    }
    return array;
  });
}

}  // namespace

void define_allocator(Napi::Env env, Napi::Object object) {
  define<memory_fraction>(env, object, "memoryFraction");
  define<set_memory_fraction>(env, object, "setMemoryFraction");
  define<memory_snapshot>(env, object, "memorySnapshot");
}

}  // namespace aiforge
