// CUDA devices as LibTorch shows them through its interface for any accelerator: that needs no
// header of CUDA and lies in libtorch_cpu, so both flavours have the same functions.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/Stream.h>
#include <napi.h>

#include <optional>

#include "../arguments.h"

namespace aiforge {

// 0 in a build for the CPU and without a driver.
c10::DeviceIndex device_count();

// Whether this process has used a device: the engine has a thread for it from then on.
bool is_device_used();

// Throws DEVICE_UNAVAILABLE, with what to do, where there is no device at all.
void require_device();

// The device of an argument, the current one where it is missing; throws for one that is not there.
c10::DeviceIndex device_index(const ArgumentReader& args, size_t i);

// The current device and stream of the thread that makes it, for a thread that works for it: both
// belong to a thread, and a new one has device 0 and the default stream.
class DeviceContext {
 public:
  DeviceContext();
  void enter() const;

 private:
  std::optional<c10::Stream> stream_;
};

// The topics, each defined in a file of its own and called by define_accelerator.
void define_devices(Napi::Env env, Napi::Object object);
void define_device_memory(Napi::Env env, Napi::Object object);
void define_streams(Napi::Env env, Napi::Object object);
#ifdef AIFORGE_CUDA
void define_cuda(Napi::Env env, Napi::Object object);  // cuda/
#endif

}  // namespace aiforge
