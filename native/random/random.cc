#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/core/Tensor.h>

#include "../accelerator/accelerator.h"
#include "../calls/values.h"
#include "../environment.h"
#include "../errors.h"
#include "../topics.h"

namespace aiforge {

namespace {

// A generator that nobody else uses in the meantime: one that createGenerator() made, by its
// number, or a device's default one, by the device's name.
class Source {
 public:
  Source(napi_env env, napi_value value) : environment_(Environment::of(env)) {
    if (kind_of(env, value) == napi_string) {
      drawing_.emplace(environment_);
      const std::string device = Napi::Value(env, value).As<Napi::String>();
      generator_ = at::globalContext().defaultGenerator(c10::Device(device));
    } else {
      const auto found = environment_.generators.find(static_cast<uint32_t>(read_int(env, value)));
      if (found == environment_.generators.end())
        throw Error("INVALID_ARGUMENT", "this Generator does not exist");
      generator_ = found->second;
    }
    lock_ = std::unique_lock<std::mutex>(generator_.mutex());
  }

  at::Generator* operator->() { return &generator_; }

 private:
  Environment& environment_;
  std::optional<Drawing> drawing_;
  at::Generator generator_;
  std::unique_lock<std::mutex> lock_;
};

napi_value from_seed(napi_env env, uint64_t seed) {
  if (seed < (uint64_t{1} << 53)) return number(env, static_cast<double>(seed));
  return Napi::BigInt::New(env, seed);
}

// manualSeed(seed): seeds the default generator of every device.
napi_value manual_seed(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const Drawing drawing(Environment::of(env));
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
    return Napi::String::New(env, Source(env, args[0])->device().str());
  });
}

napi_value release_generator(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    Environment::of(env).generators.erase(args.uint32(0));
    return nullptr;
  });
}

// seedGenerator(generator, seed)
napi_value seed_generator(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    Source(env, args[0])->set_current_seed(static_cast<uint64_t>(args.int64(1)));
    return nullptr;
  });
}

// seedFromSystem(generator): seeds it from the system's entropy and returns that seed.
napi_value seed_from_system(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return from_seed(env, Source(env, args[0])->seed());
  });
}

napi_value initial_seed(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return from_seed(env, Source(env, args[0])->current_seed());
  });
}

napi_value generator_state(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return from_tensor(Environment::of(env), env, Source(env, args[0])->get_state());
  });
}

napi_value set_generator_state(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    const at::Tensor state = Environment::of(env).handles.get(args.handle(1));
    Source(env, args[0])->set_state(state);
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
}

}  // namespace aiforge
