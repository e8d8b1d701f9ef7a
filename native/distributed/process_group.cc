#include "process_group.h"

#include <torch/csrc/distributed/c10d/debug.h>

#include <algorithm>
#include <optional>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupWrapper.hpp>

#include "../accelerator/accelerator.h"
#include "../objects.h"
#include "../values.h"
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
  std::string served;
  for (const c10::Device& device : group.getDeviceTypes()) {
    if (device.type() == tensor.device().type()) return;
    served += (served.empty() ? "" : " and ") + c10::DeviceTypeName(device.type(), true);
  }
  throw Error("INVALID_ARGUMENT", "got " + describe_tensor(tensor) + " on device " +
                                      tensor.device().str() + ", but this process group serves " +
                                      served + " alone; move the tensor there first");
}

namespace {

using std::chrono::milliseconds;

struct GroupOptions {
  std::string name;
  int rank = 0;
  int size = 1;
  milliseconds timeout{};
  bool has_gloo = false;
  bool has_nccl = false;
  std::optional<c10::Device> device;  // the one GPU of this rank
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

c10::intrusive_ptr<c10d::Backend> make_checked_gloo(const Store& store,
                                                    const GroupOptions& options) {
  auto gloo = make_gloo(store, options);
  if (c10d::debug_level() != c10d::DebugLevel::Detail) return gloo;
  // Compares what the ranks are about to do before they do it.
  return c10::make_intrusive<c10d::ProcessGroupWrapper>(
      gloo, make_gloo(under("pg_wrapper:" + options.name, store), options));
}

#ifdef AIFORGE_CUDA
void add_nccl(c10d::ProcessGroup& group, const Store& of_group, const GroupOptions& options) {
  const auto nccl =
      make_nccl(under("cuda/", of_group), options.rank, options.size, options.timeout);
  if (options.device) group.setBoundDeviceId(options.device);
  group.setBackend(c10::DeviceType::CUDA, c10d::ProcessGroup::BackendType::NCCL, nccl);
  // Finds out now, not in the first collective, that the ranks cannot be connected.
  if (options.device) nccl->eagerConnectSingleDevice(*options.device);
}
#endif

// The prefixes are those of Python's torch.distributed, so that its ranks and ours meet: a backend
// for several devices has that of the first.
Group make_group(const Store& store, const GroupOptions& options) {
  using c10d::ProcessGroup;
  const Store of_group = under(options.name + "/", under("default_pg", store));
  c10d::setDebugLevelFromEnvironment();
  auto group = c10::make_intrusive<ProcessGroup>(of_group, options.rank, options.size);
  group->setDefaultBackend(options.has_nccl ? ProcessGroup::BackendType::NCCL
                                            : ProcessGroup::BackendType::GLOO);
  if (options.has_gloo) {
    const auto gloo = make_checked_gloo(under("cpu/", of_group), options);
    group->setBackend(c10::DeviceType::CPU, ProcessGroup::BackendType::GLOO, gloo);
#ifdef AIFORGE_CUDA
    if (!options.has_nccl) {
      group->setBackend(c10::DeviceType::CUDA, ProcessGroup::BackendType::GLOO, gloo);
    }
#endif
  }
#ifdef AIFORGE_CUDA
  if (options.has_nccl) add_nccl(*group, of_group, options);
#endif
  return group;
}

void require_nccl() {
#ifdef AIFORGE_CUDA
  if (device_count() > 0) return;
  throw Error("DISTRIBUTED_FAILED",
              "NCCL needs a GPU, and no CUDA device can be used here: pass { backend: 'gloo' }.");
#else
  throw Error("DISTRIBUTED_FAILED",
              "This build of aiforge has no NCCL: pass { backend: 'gloo' }, which moves CUDA "
              "tensors through the CPU.");
#endif
}

void read_backends(const std::string& backend, GroupOptions& options) {
  options.has_gloo = backend == "gloo" || backend == "cpu:gloo,cuda:nccl";
  options.has_nccl = backend == "nccl" || backend == "cpu:gloo,cuda:nccl";
  if (options.has_nccl) return require_nccl();
  if (options.has_gloo) return;
  throw Error(
      "INVALID_ARGUMENT",
      "backend '" + backend + "' is unknown; expected 'gloo', 'nccl' or 'cpu:gloo,cuda:nccl'");
}

// openProcessGroup(store, backend, name, rank, worldSize, timeoutMs, device | null):
// Promise<ProcessGroup>
napi_value open_process_group(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<7> args(env, info);
    const auto store = unwrap_object<StoreObject>(env, args[0])->store;
    GroupOptions options;
    options.name = args.string(2);
    options.rank = static_cast<int>(args.uint32(3));
    options.size = static_cast<int>(args.uint32(4));
    options.timeout = milliseconds(args.int64(5));
    read_backends(args.string(1), options);
    if (!args.is_missing(6)) options.device = c10::Device(c10::kCUDA, device_index(args, 6));
    if (options.rank >= options.size) {
      throw Error("INVALID_ARGUMENT", "rank " + std::to_string(options.rank) +
                                          " is not below the world size " +
                                          std::to_string(options.size));
    }
    return Background::of(env, info).run(
        env, "Joining the process group", [store, options]() -> Settle {
          // A client of its own: the others would wait for this one's long waits.
          auto object = std::make_shared<GroupObject>(
              GroupObject{make_group(store->clone(), options), store});
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
#ifdef AIFORGE_CUDA
      // Without it NCCL's watchdog warns, and waits, when the last reference goes.
      using Type = c10d::ProcessGroup::BackendType;
      if (last->group && last->group->getBackendType() == Type::NCCL) last->group->shutdown();
#endif
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
