#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/version.h>

#include <atomic>
#include <thread>

#include "calls/values.h"
#include "errors.h"
#include "topics.h"

namespace aiforge {

namespace {

int read_threads(const ArgumentReader& args) {
  const uint32_t threads = args.uint32(0);
  if (threads < 1 || threads > 1024) {
    throw Error("INVALID_ARGUMENT",
                "the number of threads must be 1 … 1024, got " + std::to_string(threads));
  }
  return static_cast<int>(threads);
}

napi_value set_num_threads(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    at::set_num_threads(read_threads(args));
    return nullptr;
  });
}

// LibTorch gives threads that begin later as many as were last set on any: a thread of its own sets
// that back to what it was.
napi_value set_own_threads(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    int before = 0;
    std::thread([&] { before = at::get_num_threads(); }).join();
    at::set_num_threads(read_threads(args));
    std::thread([&] { at::set_num_threads(before); }).join();
    return nullptr;
  });
}

napi_value is_first_load(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value {
    static std::atomic_flag loaded = ATOMIC_FLAG_INIT;
    return Napi::Boolean::New(env, !loaded.test_and_set());
  });
}

napi_value get_num_threads(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value { return number(env, at::get_num_threads()); });
}

napi_value set_num_interop_threads(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    at::set_num_interop_threads(read_threads(args));
    return nullptr;
  });
}

napi_value get_num_interop_threads(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value { return number(env, at::get_num_interop_threads()); });
}

napi_value set_deterministic(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    at::globalContext().setDeterministicAlgorithms(args.boolean(0), args.boolean(1));
    return nullptr;
  });
}

napi_value is_deterministic(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value {
    return Napi::Boolean::New(env, at::globalContext().deterministicAlgorithms());
  });
}

napi_value is_deterministic_warn_only(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value {
    return Napi::Boolean::New(env, at::globalContext().deterministicAlgorithmsWarnOnly());
  });
}

napi_value libtorch_version(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value { return Napi::String::New(env, TORCH_VERSION); });
}

}  // namespace

void define_device(Napi::Env env, Napi::Object exports) {
  define<is_first_load>(env, exports, "isFirstLoad");
  define<set_num_threads>(env, exports, "setNumThreads");
  define<set_own_threads>(env, exports, "setOwnThreads");
  define<get_num_threads>(env, exports, "getNumThreads");
  define<set_num_interop_threads>(env, exports, "setNumInteropThreads");
  define<get_num_interop_threads>(env, exports, "getNumInteropThreads");
  define<set_deterministic>(env, exports, "setDeterministic");
  define<is_deterministic>(env, exports, "isDeterministic");
  define<is_deterministic_warn_only>(env, exports, "isDeterministicWarnOnly");
  define<libtorch_version>(env, exports, "libtorchVersion");
}

}  // namespace aiforge
