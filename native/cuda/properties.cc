#include <ATen/cuda/CUDAContextLight.h>
#include <torch/csrc/cuda/nccl.h>

#include "../accelerator/accelerator.h"
#include "../calls/values.h"
#include "../errors.h"
#include "cuda.h"

namespace aiforge {

namespace {

// deviceProperties(device)
napi_value device_properties(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const cudaDeviceProp* properties = at::cuda::getDeviceProperties(device_index(args, 0));
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", properties->name);
    object.Set("major", properties->major);
    object.Set("minor", properties->minor);
    object.Set("totalMemory", static_cast<double>(properties->totalGlobalMem));
    object.Set("multiProcessorCount", properties->multiProcessorCount);
    object.Set("warpSize", properties->warpSize);
    object.Set("l2CacheSize", static_cast<double>(properties->l2CacheSize));
    object.Set("isIntegrated", properties->integrated != 0);
    return object;
  });
}

// ncclVersion(): major * 2^32 + minor * 2^16 + patch
napi_value nccl_version(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value {
    return number(env, static_cast<double>(torch::cuda::nccl::version()));
  });
}

}  // namespace

void define_device_properties(Napi::Env env, Napi::Object object) {
  define<device_properties>(env, object, "deviceProperties");
  define<nccl_version>(env, object, "ncclVersion");
}

}  // namespace aiforge
