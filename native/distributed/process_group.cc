#include "process_group.h"

#include <torch/csrc/distributed/c10d/debug.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <torch/csrc/distributed/c10d/FlightRecorder.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>

#include "../accelerator/accelerator.h"
#include "../calls/values.h"
#include "../objects.h"
#include "call_lines.h"
#include "deadlines.h"
#include "gloo.h"
#include "last_words.h"
#include "outcome.h"
#include "rank_claim.h"
#include "store.h"

namespace aiforge {

Group live_group(napi_env env, napi_value value) {
  const auto object = unwrap_object<GroupObject>(env, value);
  if (!object->group) {
    throw Error("DISTRIBUTED_FAILED", std::string("This process group was ") +
                                          (object->is_aborted ? "aborted" : "destroyed") +
                                          "; call initProcessGroup() to make another.");
  }
  return object->group;
}

bool is_nccl(c10d::ProcessGroup& group, c10::DeviceType type) {
  return group.getBackend(type)->getBackendName() == "nccl";
}

c10::intrusive_ptr<CheckedGloo> gloo_of(c10d::ProcessGroup& group) {
  const auto types = group.getDeviceTypes();
  const bool has_cpu = std::any_of(types.begin(), types.end(),
                                   [](const c10::Device& each) { return each.is_cpu(); });
  if (!has_cpu) return {};
  const auto backend = group.getBackend(c10::kCPU);
  auto* const gloo = dynamic_cast<CheckedGloo*>(backend.get());
  return gloo == nullptr ? c10::intrusive_ptr<CheckedGloo>()
                         : c10::intrusive_ptr<CheckedGloo>::reclaim_copy(gloo);
}

c10::intrusive_ptr<CheckedGloo> checked_gloo(c10d::ProcessGroup& group) {
  auto gloo = gloo_of(group);
  return gloo && gloo->is_checked() ? gloo : c10::intrusive_ptr<CheckedGloo>();
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
  milliseconds join_timeout{};
  std::string address;  // of this machine, for Gloo; empty where it finds one itself
  bool has_gloo = false;
  bool has_nccl = false;
  std::optional<c10::Device> device;  // the one GPU of this rank
  NcclOptions nccl;
};

// The group of all ranks, as in Python.
constexpr const char* kDefaultName = "0";

using Store = c10::intrusive_ptr<c10d::Store>;

Store under(const std::string& prefix, const Store& store) {
  return c10::make_intrusive<c10d::PrefixStore>(prefix, store);
}

#ifdef AIFORGE_CUDA
void add_nccl(c10d::ProcessGroup& group, const Store& of_group, const GroupOptions& options) {
  const auto nccl = make_nccl(under("cuda/", of_group), options.rank, options.size, options.timeout,
                              options.name, options.nccl);
  if (options.device) group.setBoundDeviceId(options.device);
  group.setBackend(c10::DeviceType::CUDA, c10d::ProcessGroup::BackendType::NCCL, nccl);
  // Finds out now, not in the first collective, that the ranks cannot be connected.
  if (options.device) nccl->eagerConnectSingleDevice(*options.device);
}
#endif

// The prefixes are those of Python's torch.distributed, so that its ranks and ours meet: a backend
// for several devices has that of the first.
Group make_group(const Store& store, const GroupOptions& options, const void* environment,
                 GroupWatch::AskLine ask_line) {
  using c10d::ProcessGroup;
  const Store of_group = under(options.name + "/", store);
  claim_rank(of_group, options.rank, options.size, environment);
  // The ranks of other groups are told by lists, which are compared.
  if (options.has_gloo && options.name == kDefaultName) {
    await_ranks(of_group, options.rank, options.size, options.join_timeout);
  }
  c10d::setDebugLevelFromEnvironment();
  auto group = c10::make_intrusive<ProcessGroup>(of_group, options.rank, options.size);
  group->setDefaultBackend(options.has_nccl ? ProcessGroup::BackendType::NCCL
                                            : ProcessGroup::BackendType::GLOO);
  if (options.has_gloo) {
    const GlooOptions of_gloo{options.rank,         options.size, options.timeout,
                              options.join_timeout, options.name, options.address};
    const auto gloo = make_gloo(under("cpu/", of_group), of_gloo, std::move(ask_line));
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
  if (options.size > 1) note_formed(of_group);
  // By these the flight recorder tells groups apart.
  group->setGroupName(options.name);
  group->setGroupDesc("default_pg");
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

// { isHighPriorityStream, …config } of numbers, booleans and strings
NcclOptions read_nccl_options(napi_env env, napi_value value) {
  NcclOptions options;
  if (is_missing(env, value)) return options;
  const Napi::Object given(env, value);
  const Napi::Array names = given.GetPropertyNames();
  for (uint32_t i = 0; i < names.Length(); ++i) {
    const std::string name = Napi::Value(names[i]).ToString().Utf8Value();
    const Napi::Value each = given.Get(name);
    if (name == "isHighPriorityStream") {
      options.is_high_priority_stream = read_bool(env, each);
    } else if (each.IsString()) {
      options.texts[name] = each.ToString().Utf8Value();
    } else {
      options.numbers[name] = each.IsBoolean() ? each.ToBoolean().Value() : read_int(env, each);
    }
  }
  return options;
}

// The lines are asked of the JavaScript thread, and never come where it has ended.
GroupWatch::AskLine asking_for_lines(Background& background) {
  return
      [weak = background.weak_from_this()](uint32_t call, std::function<void(std::string)> give) {
        const auto live = weak.lock();
        if (!live) return give("");
        live->ask([call, give](napi_env env) -> napi_value {
          give(line_of(env, call));
          return nullptr;
        });
      };
}

// What a thread's end leaves of its groups: pending collectives would hold them, and the others
// would wait for this rank.
std::function<void()> leaving(const std::weak_ptr<GroupObject>& weak) {
  return [weak] {
    const auto live = weak.lock();
    if (!live || !live->group) return;
    if (const auto gloo = gloo_of(*live->group)) gloo->cut();
  };
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0' && std::string(value) != "0";
}

// openProcessGroup(store, backend, name, rank, worldSize, timeoutMs, device | null,
//                  ncclOptions | null, joinTimeoutMs, address | null): Promise<ProcessGroup>
napi_value open_process_group(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<10> args(env, info);
    const auto store = open_store(env, args[0]);
    GroupOptions options;
    options.name = args.string(2);
    options.rank = static_cast<int>(args.uint32(3));
    options.size = static_cast<int>(args.uint32(4));
    options.timeout = milliseconds(args.int64(5));
    read_backends(args.string(1), options);
    if (!args.is_missing(6)) options.device = c10::Device(c10::kCUDA, device_index(args, 6));
    options.nccl = read_nccl_options(env, args[7]);
    options.join_timeout = milliseconds(args.int64(8));
    if (!args.is_missing(9)) options.address = args.string(9);
    if (options.rank >= options.size) {
      throw Error("INVALID_ARGUMENT", "rank " + std::to_string(options.rank) +
                                          " is not below the world size " +
                                          std::to_string(options.size));
    }
    const bool waits_for_gpu = options.has_nccl && is_set("TORCH_NCCL_BLOCKING_WAIT");
    leave_last_words();
    Background& background = Background::of(env, info);
    // Gloo itself waits up to five times as long for a connection, and c10d for ever for a store
    // whose process is stopped.
    constexpr const char* kWhat = "Joining the process group";
    return beside(
        env, info, kWhat, options.join_timeout, late(kWhat, options.join_timeout),
        [store, options, waits_for_gpu, background = &background,
         ask_line = asking_for_lines(background)]() -> Settle {
          // A client of its own: the others would wait for this one's long waits.
          auto object = std::make_shared<GroupObject>(GroupObject{
              make_group(store->clone(), options, background, ask_line), store, waits_for_gpu});
          return [object, background](napi_env env) {
            background->at_end(object, leaving(object));
            return wrap_object(env, object);
          };
        });
  });
}

using Ending = void (*)(c10d::ProcessGroup& group);

// Ends a group on a thread of its own, where it then waits for what is left of its collectives.
napi_value end_group(napi_env env, napi_callback_info info, const char* what,
                     const std::shared_ptr<GroupObject>& object, Ending ending) {
  auto last = std::make_shared<GroupObject>(
      GroupObject{std::move(object->group), std::move(object->store)});
  return Background::of(env, info).run(env, what, [last, ending]() -> Settle {
    if (last->group) ending(*last->group);
    last->group.reset();
    last->store.reset();
    return [](napi_env) -> napi_value { return nullptr; };
  });
}

void shut_down(c10d::ProcessGroup& group) {
  if (const auto gloo = checked_gloo(group)) gloo->drain();
#ifdef AIFORGE_CUDA
  // Without it NCCL's watchdog warns, and waits, when the last reference goes.
  using Type = c10d::ProcessGroup::BackendType;
  if (group.getBackendType() == Type::NCCL) group.shutdown();
#endif
}

// closeProcessGroup(group): Promise<void>
napi_value close_process_group(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const auto object = unwrap_object<GroupObject>(env, args[0]);
    return end_group(env, info, "destroyProcessGroup", object, shut_down);
  });
}

// abortProcessGroup(group): Promise<void>
napi_value abort_process_group(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const auto object = unwrap_object<GroupObject>(env, args[0]);
    object->is_aborted = true;
    return end_group(env, info, "abort", object, [](c10d::ProcessGroup& group) { group.abort(); });
  });
}

// flightRecord(isNccl, onlyActive): JSON of all the groups of this process
napi_value flight_record(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
#ifdef AIFORGE_CUDA
    if (args.boolean(0)) return Napi::String::New(env, nccl_flight_record(args.boolean(1)));
#endif
    return Napi::String::New(env, c10d::dump_fr_trace_json(true, args.boolean(1)));
  });
}

// collectiveHistory(group): of its last collectives c10d's number in the flight recorder, their
// own, whether they were completed, and what they are in words
napi_value collective_history(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const auto object = unwrap_object<GroupObject>(env, args[0]);
    const Napi::Array list = Napi::Array::New(env);
    if (!object->group) return list;
    const auto gloo = checked_gloo(*object->group);
    if (!gloo) return list;
    for (const auto& each : gloo->history([env](uint32_t call) { return line_of(env, call); })) {
      const Napi::Object entry = Napi::Object::New(env);
      entry.Set("recorded", static_cast<double>(each.tag) + 1);
      entry.Set("number", static_cast<double>(each.number));
      entry.Set("isCompleted", each.is_completed);
      entry.Set("text", each.text);
      list.Set(list.Length(), entry);
    }
    return list;
  });
}

}  // namespace

void define_process_group(napi_env env, napi_value object, Background& background) {
  background.define<open_process_group>(env, object, "openProcessGroup");
  background.define<close_process_group>(env, object, "closeProcessGroup");
  background.define<abort_process_group>(env, object, "abortProcessGroup");
  background.define<collective_history>(env, object, "collectiveHistory");
  background.define<flight_record>(env, object, "flightRecord");
}

}  // namespace aiforge
