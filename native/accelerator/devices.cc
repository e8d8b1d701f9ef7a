#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include "../calls/values.h"
#include "../errors.h"
#include "../topics.h"
#include "accelerator.h"

namespace aiforge {

c10::DeviceIndex device_count() {
  return at::hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : c10::DeviceIndex{0};
}

bool is_device_used() {
  const auto& hooks = at::detail::getCUDAHooks();
  for (c10::DeviceIndex device = 0; device < device_count(); ++device) {
    if (hooks.hasPrimaryContext(device)) return true;
  }
  return false;
}

void require_device() {
  if (device_count() > 0) return;
#ifdef AIFORGE_CUDA
  throw Error("DEVICE_UNAVAILABLE",
              "No CUDA device can be used: there is no NVIDIA driver, or it shows no GPU. See what "
              "nvidia-smi and CUDA_VISIBLE_DEVICES say; cuda.isAvailable() tells it beforehand.");
#else
  throw Error(
      "DEVICE_UNAVAILABLE",
      "This build of aiforge is for the CPU, which cuda.isAvailable() tells beforehand; for CUDA: "
      "npm install @aiforge/linux-x64-cuda, or npm run build:cuda in a checkout.");
#endif
}

c10::DeviceIndex device_index(const ArgumentReader& args, size_t i) {
  require_device();
  const int64_t index = args.is_missing(i) ? at::accelerator::getDeviceIndex() : args.int64(i);
  if (index < 0 || index >= device_count()) {
    throw Error("DEVICE_UNAVAILABLE", "There is no CUDA device " + std::to_string(index) +
                                          ": this machine shows " + std::to_string(device_count()) +
                                          ", numbered from 0.");
  }
  return static_cast<c10::DeviceIndex>(index);
}

DeviceContext::DeviceContext() {
  if (device_count() == 0) return;
  const c10::DeviceIndex device = at::accelerator::getDeviceIndex();
  // Without a context no stream was made, and asking for one would make a context.
  if (!at::detail::getCUDAHooks().hasPrimaryContext(device)) return;
  stream_ = at::accelerator::getCurrentStream(device);
}

void DeviceContext::enter() const {
  if (!stream_) return;
  at::accelerator::setDeviceIndex(stream_->device_index());
  at::accelerator::setCurrentStream(*stream_);
}

DeviceVisit::DeviceVisit(const DeviceContext& there) {
  if (!there.stream_) return;
  device_ = at::accelerator::getDeviceIndex();
  stream_ = at::accelerator::getCurrentStream(there.stream_->device_index());
  there.enter();
}

DeviceVisit::~DeviceVisit() {
  if (!stream_) return;
  at::accelerator::setCurrentStream(*stream_);
  at::accelerator::setDeviceIndex(device_);
}

namespace {

napi_value count(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value { return number(env, device_count()); });
}

// deviceIndex(device | null): its number, or that of the current one
napi_value index_of_device(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return number(env, device_index(args, 0));
  });
}

napi_value set_device(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    at::accelerator::setDeviceIndex(device_index(args, 0));
    return nullptr;
  });
}

napi_value synchronize(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    at::accelerator::synchronizeDevice(device_index(args, 0));
    return nullptr;
  });
}

// synchronizeBeside(device): Promise<void>
napi_value synchronize_beside(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return wait_beside(
        env, info, [index = device_index(args, 0)] { at::accelerator::synchronizeDevice(index); });
  });
}

}  // namespace

napi_value wait_beside(napi_env env, napi_callback_info info, std::function<void()> wait) {
  return Background::of(env, info).run(env, "waiting", [wait = std::move(wait)]() -> Settle {
    try {
      wait();
    } catch (...) {
      // As the failure of a call, not of a collective.
      return [error = std::current_exception()](napi_env) -> napi_value {
        std::rethrow_exception(error);
      };
    }
    return [](napi_env) -> napi_value { return nullptr; };
  });
}

void define_devices(Napi::Env env, Napi::Object object, Background& background) {
  background.define<synchronize_beside>(env, object, "synchronizeBeside");
  define<count>(env, object, "deviceCount");
  define<index_of_device>(env, object, "deviceIndex");
  define<set_device>(env, object, "setDevice");
  define<synchronize>(env, object, "synchronize");
}

void define_accelerator(Napi::Env env, Napi::Object exports) {
  Napi::Object object = Napi::Object::New(env);
  Background& background = Background::open(env);
  define_devices(env, object, background);
  define_device_memory(env, object);
  define_streams(env, object, background);
#ifdef AIFORGE_CUDA
  define_cuda(env, object);
#endif
  exports.Set("cuda", object);
}

}  // namespace aiforge
