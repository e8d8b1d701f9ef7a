#include "process_group.h"

#include <torch/csrc/distributed/c10d/debug.h>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupWrapper.hpp>

#include "../values.h"
#include "objects.h"
#include "store.h"

namespace aiforge {

Group live_group(napi_env env, napi_value value) {
  Group group = unwrap_object<GroupObject>(env, value)->group;
  if (!group) {
    throw Error("DISTRIBUTED_FAILED",
                "This process group was destroyed; call initProcessGroup() to make another.");
  }
  return group;
}

void check_device(c10d::ProcessGroup& group, const at::Tensor& tensor) {
  if (!group.hasBackendForDeviceType(tensor.device().type())) {
    throw Error("INVALID_ARGUMENT", "got " + describe_tensor(tensor) + " on device " +
                                        tensor.device().str() +
                                        ", but this process group has no backend for it; move it "
                                        "to the CPU first");
  }
}

namespace {

using std::chrono::milliseconds;

struct GroupOptions {
  std::string name;
  int rank;
  int size;
  milliseconds timeout;
};

using Store = c10::intrusive_ptr<c10d::Store>;

Store under(const std::string& prefix, const Store& store) {
  return c10::make_intrusive<c10d::PrefixStore>(prefix, store);
}

c10::intrusive_ptr<c10d::Backend> make_gloo(const Store& store, const GroupOptions& options) {
  using c10d::ProcessGroupGloo;
  return c10::make_intrusive<ProcessGroupGloo>(
      store, options.rank, options.size,
      ProcessGroupGloo::Options::create_default(options.timeout));
}

// The prefixes are those of Python's torch.distributed, so that its ranks and ours meet.
Group make_gloo_group(const Store& store, const GroupOptions& options) {
  using c10d::ProcessGroup;
  const Store of_group = under(options.name + "/", under("default_pg", store));
  const Store of_backend = under("cpu/", of_group);
  auto gloo = make_gloo(of_backend, options);
  c10d::setDebugLevelFromEnvironment();
  if (c10d::debug_level() == c10d::DebugLevel::Detail) {
    // Compares what the ranks are about to do before they do it.
    gloo = c10::make_intrusive<c10d::ProcessGroupWrapper>(
        gloo, make_gloo(under("pg_wrapper:" + options.name, of_backend), options));
  }
  auto group = c10::make_intrusive<ProcessGroup>(of_group, options.rank, options.size);
  group->setDefaultBackend(ProcessGroup::BackendType::GLOO);
  group->setBackend(c10::DeviceType::CPU, ProcessGroup::BackendType::GLOO, gloo);
#ifdef USE_CUDA
  group->setBackend(c10::DeviceType::CUDA, ProcessGroup::BackendType::GLOO, gloo);
#endif
  return group;
}

void check_backend(const std::string& backend) {
  if (backend == "gloo") return;
  if (backend == "nccl") {
    throw Error("DISTRIBUTED_FAILED",
                "This build of aiforge has no NCCL: pass { backend: 'gloo' }, which moves CUDA "
                "tensors through the CPU.");
  }
  throw Error("INVALID_ARGUMENT",
              "backend '" + backend + "' is unknown; expected 'gloo' or 'nccl'");
}

// openProcessGroup(store, backend, name, rank, worldSize, timeoutMs): Promise<ProcessGroup>
napi_value open_process_group(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<6> args(env, info);
    check_backend(args.string(1));
    const auto store = unwrap_object<StoreObject>(env, args[0])->store;
    const GroupOptions options{args.string(2), static_cast<int>(args.uint32(3)),
                               static_cast<int>(args.uint32(4)), milliseconds(args.int64(5))};
    if (options.rank >= options.size) {
      throw Error("INVALID_ARGUMENT", "rank " + std::to_string(options.rank) +
                                          " is not below the world size " +
                                          std::to_string(options.size));
    }
    return Background::of(env, info).run(
        env, "Joining the process group", [store, options]() -> Settle {
          // A client of its own: the others would wait for this one's long waits.
          auto object = std::make_shared<GroupObject>(
              GroupObject{make_gloo_group(store->clone(), options), store});
          return [object](napi_env env) { return wrap_object(env, object); };
        });
  });
}

// closeProcessGroup(group): Promise<void>
napi_value close_process_group(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    auto object = unwrap_object<GroupObject>(env, args[0]);
    // The group waits for its pending collectives when it goes.
    auto last = std::make_shared<GroupObject>(
        GroupObject{std::move(object->group), std::move(object->store)});
    return Background::of(env, info).run(env, "destroyProcessGroup", [last]() -> Settle {
      last->group.reset();
      last->store.reset();
      return [](napi_env) -> napi_value { return nullptr; };
    });
  });
}

}  // namespace

void define_process_group(napi_env env, napi_value object, Background& background) {
  background.define(env, object, "openProcessGroup", open_process_group);
  background.define(env, object, "closeProcessGroup", close_process_group);
}

}  // namespace aiforge
