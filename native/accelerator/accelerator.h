// CUDA devices as LibTorch shows them through its interface for any accelerator: that needs no
// header of CUDA and lies in libtorch_cpu, so both flavours have the same functions.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/Stream.h>
#include <napi.h>

#include <functional>
#include <optional>

#include "../calls/arguments.h"
#include "../distributed/background.h"

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
  friend class DeviceVisit;
  std::optional<c10::Stream> stream_;
};

// Takes a thread to another's device and stream, and back.
class DeviceVisit {
 public:
  explicit DeviceVisit(const DeviceContext& there);
  ~DeviceVisit();
  DeviceVisit(const DeviceVisit&) = delete;
  DeviceVisit& operator=(const DeviceVisit&) = delete;

 private:
  c10::DeviceIndex device_ = 0;
  std::optional<c10::Stream> stream_;  // what this thread had on the device that it visits
};

// A promise for what waits for a device, on a thread of its own; `info` is of a function that
// Background defines.
napi_value wait_beside(napi_env env, napi_callback_info info, std::function<void()> wait);

// The topics, each defined in a file of its own and called by define_accelerator.
void define_devices(Napi::Env env, Napi::Object object, Background& background);
void define_device_memory(Napi::Env env, Napi::Object object);
void define_streams(Napi::Env env, Napi::Object object, Background& background);
#ifdef AIFORGE_CUDA
void define_cuda(Napi::Env env, Napi::Object object);  // cuda/
#endif

}  // namespace aiforge
