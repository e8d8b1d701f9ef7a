#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/core/Tensor.h>

#include "accelerator/accelerator.h"
#include "environment.h"
#include "errors.h"
#include "topics.h"
#include "values.h"

namespace aiforge {

namespace {

// Generator 0 is LibTorch's default one, which all environments share.
at::Generator generator_of(napi_env env, uint32_t id) {
  if (id == 0) return at::detail::getDefaultCPUGenerator();
  const auto& generators = Environment::of(env).generators;
  const auto found = generators.find(id);
  if (found == generators.end()) throw Error("INVALID_ARGUMENT", "this Generator does not exist");
  return found->second;
}

napi_value from_seed(napi_env env, uint64_t seed) {
  if (seed < (uint64_t{1} << 53)) return number(env, static_cast<double>(seed));
  return Napi::BigInt::New(env, seed);
}

// manualSeed(seed): seeds the default generator of every device.
napi_value manual_seed(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    at::manual_seed(static_cast<uint64_t>(args.int64(0)));
    return nullptr;
  });
}

at::Generator new_generator(const c10::Device& device) {
  if (device.is_cpu()) return at::detail::createCPUGenerator();
  require_device();
  // Left without a number it would never say of which device it is.
  const auto index = device.has_index() ? device.index() : at::accelerator::getDeviceIndex();
  return at::globalContext().getAcceleratorHooksInterface(device.type()).getNewGenerator(index);
}

// createGenerator(device): a number
napi_value create_generator(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    Environment& environment = Environment::of(env);
    at::Generator generator = new_generator(c10::Device(args.string(0)));
    const uint32_t id = ++environment.last_generator;
    environment.generators.emplace(id, std::move(generator));
    return number(env, id);
  });
}

napi_value generator_device(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return Napi::String::New(env, generator_of(env, args.uint32(0)).device().str());
  });
}

napi_value release_generator(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    Environment::of(env).generators.erase(args.uint32(0));
    return nullptr;
  });
}

napi_value seed_generator(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    at::Generator generator = generator_of(env, args.uint32(0));
    const std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_current_seed(static_cast<uint64_t>(args.int64(1)));
    return nullptr;
  });
}

// seedFromSystem(generator): seeds it from the system's entropy and returns that seed.
napi_value seed_from_system(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    at::Generator generator = generator_of(env, args.uint32(0));
    const std::lock_guard<std::mutex> lock(generator.mutex());
    return from_seed(env, generator.seed());
  });
}

napi_value initial_seed(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return from_seed(env, generator_of(env, args.uint32(0)).current_seed());
  });
}

napi_value generator_state(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    at::Generator generator = generator_of(env, args.uint32(0));
    const std::lock_guard<std::mutex> lock(generator.mutex());
    return from_tensor(Environment::of(env), env, generator.get_state());
  });
}

napi_value set_generator_state(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    at::Generator generator = generator_of(env, args.uint32(0));
    const at::Tensor state = Environment::of(env).handles.get(args.handle(1));
    const std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_state(state);
    return nullptr;
  });
}

at::Generator default_generator(const ArgumentReader& args) {
  return at::globalContext().defaultGenerator(c10::Device(args.string(0)));
}

// seedDefaultGenerator(device, seed)
napi_value seed_default_generator(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    at::Generator generator = default_generator(args);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_current_seed(static_cast<uint64_t>(args.int64(1)));
    return nullptr;
  });
}

// seedDefaultFromSystem(device): the seed
napi_value seed_default_from_system(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    at::Generator generator = default_generator(args);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    return from_seed(env, generator.seed());
  });
}

napi_value default_initial_seed(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return from_seed(env, default_generator(args).current_seed());
  });
}

// defaultGeneratorState(device): of the generator that this device's operators draw from by default
napi_value default_generator_state(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    at::Generator generator = default_generator(args);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    return from_tensor(Environment::of(env), env, generator.get_state());
  });
}

napi_value set_default_generator_state(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    at::Generator generator = default_generator(args);
    const at::Tensor state = Environment::of(env).handles.get(args.handle(1));
    const std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_state(state);
    return nullptr;
  });
}

}  // namespace

void define_random(Napi::Env env, Napi::Object exports) {
  define<manual_seed>(env, exports, "manualSeed");
  define<create_generator>(env, exports, "createGenerator");
  define<generator_device>(env, exports, "generatorDevice");
  define<release_generator>(env, exports, "releaseGenerator");
  define<seed_generator>(env, exports, "seedGenerator");
  define<seed_from_system>(env, exports, "seedFromSystem");
  define<initial_seed>(env, exports, "initialSeed");
  define<generator_state>(env, exports, "generatorState");
  define<set_generator_state>(env, exports, "setGeneratorState");
  define<seed_default_generator>(env, exports, "seedDefaultGenerator");
  define<seed_default_from_system>(env, exports, "seedDefaultFromSystem");
  define<default_initial_seed>(env, exports, "defaultInitialSeed");
  define<default_generator_state>(env, exports, "defaultGeneratorState");
  define<set_default_generator_state>(env, exports, "setDefaultGeneratorState");
}

}  // namespace aiforge
