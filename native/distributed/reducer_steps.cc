#include "reducer_steps.h"

#include <optional>
#include <unordered_set>

#include "../autograd/guests.h"
#include "../calls/values.h"
#include "../environment.h"
#include "../objects.h"
#include "call_scope.h"
#include "reducer_errors.h"
#include "reducer_join.h"
#include "reducer_object.h"
#include "reducer_sink.h"

namespace aiforge {

std::vector<at::Tensor> untracked(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> result;
  std::unordered_set<c10::TensorImpl*> seen;
  for (const at::Tensor& tensor : tensors) {
    if (seen.insert(tensor.unsafeGetTensorImpl()).second) result.push_back(tensor.variable_data());
  }
  return result;
}

void share_from(const Group& group, const std::vector<at::Tensor>& tensors, int source) {
  constexpr size_t kBroadcastBytes = size_t{250} * 1024 * 1024;
  c10d::broadcast_coalesced(group, tensors, kBroadcastBytes, source);
}

namespace {

constexpr const char* kName = "DistributedDataParallel";

// Runs the body of a call that waits for the other ranks on the JavaScript thread.
template <typename Body>
napi_value blocking(napi_env env, Body body) {
  return guarded(env, [&]() -> napi_value {
    try {
      body();
    } catch (...) {
      rethrow_as_distributed(kName);
    }
    return nullptr;
  });
}

// Runs a call of the Reducer that may find the backward pass before it incomplete.
template <typename Body>
void step(const ReducerObject& object, Body body) {
  try {
    body();
  } catch (const c10::Error& error) {
    const auto missing = about_missing(object, error.what_without_backtrace());
    if (!missing) throw;
    throw Error("DISTRIBUTED_FAILED", *missing);
  }
}

// How a forward pass begins.
struct Beginning {
  std::shared_ptr<ReducerObject> object;
  Group group;
  bool is_recorded = true;
  bool averages = true;             // whether its gradients will be
  bool syncs = true;                // the same, also of a pass that is not recorded
  std::vector<at::Tensor> buffers;  // to be overwritten by another rank's
  std::optional<Joining> joining;
};

// Waits for the other ranks. Returns whether all are to stop, since one has no inputs left.
bool begin(const Beginning& beginning) {
  const BesideGradients mark;
  const ReducerObject& object = *beginning.object;
  const Group& group = beginning.group;
  if (beginning.averages) {
    object.logger->set_runtime_stats_and_log();
    object.reducer->prepare_for_forward();
  }
  if (beginning.joining && tell_joined_ranks(object, group, *beginning.joining)) return true;
  if (beginning.is_recorded) step(object, [&] { object.reducer->rebuild_buckets(); });
  if (!beginning.buffers.empty()) {
    share_from(group, beginning.buffers, beginning.joining ? common_rank(object, group, true) : 0);
  }
  if (beginning.joining) any_averages(object, group, beginning.syncs);
  return false;
}

// The arguments of beforeForward and beforeForwardAsync: (reducer, group, isRecorded, syncs,
// buffers, joins, dividesByInitialSize, throwsOnEarlyEnd)
Beginning read_beginning(napi_env env, const ArgumentReader& args) {
  Beginning beginning;
  beginning.object = unwrap_object<ReducerObject>(env, args[0]);
  beginning.group = live_group(env, args[1]);
  beginning.is_recorded = args.boolean(2);
  beginning.syncs = args.boolean(3);
  beginning.averages = beginning.is_recorded && beginning.syncs;
  beginning.buffers = untracked(to_tensors(Environment::of(env), env, args[4]));
  if (args.boolean(5)) beginning.joining = Joining{args.boolean(6), args.boolean(7)};
  if (beginning.object->is_busy()) {
    throw Error("INVALID_ARGUMENT",
                "DistributedDataParallel cannot begin another forward pass while backwardAsync() "
                "of the last one may still run; await its promise first");
  }
  check_group_is_idle(living_guests(Environment::of(env)), beginning.group);
  if (beginning.averages) beginning.object->uses_before = beginning.object->reducer->uses();
  return beginning;
}

napi_value begin_here(napi_env env, const Beginning& beginning) {
  try {
    return Napi::Boolean::New(env, begin(beginning));
  } catch (...) {
    rethrow_as_distributed(kName);
  }
}

napi_value before_forward(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<8> args(env, info);
    return begin_here(env, read_beginning(env, args));
  });
}

bool waits_for_others(const Beginning& beginning) {
  return !beginning.buffers.empty() || beginning.joining ||
         (beginning.is_recorded && beginning.object->reducer->will_rebuild());
}

// A promise only where there is something to wait for, since that costs a thread.
napi_value before_forward_async(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<8> args(env, info);
    Beginning beginning = read_beginning(env, args);
    if (!waits_for_others(beginning)) return begin_here(env, beginning);
    return Background::of(env, info).run(
        env, kName, [beginning = std::move(beginning)]() -> Settle {
          const bool stops = begin(beginning);
          // Here too, since the Reducer must not end on another thread.
          return [stops, object = beginning.object](napi_env env) -> napi_value {
            return Napi::Boolean::New(env, stops);
          };
        });
  });
}

// shareTensors(group, tensors, source): the values of rank `source` for all
napi_value share_tensors(napi_env env, napi_callback_info info) {
  return blocking(env, [&] {
    const Arguments<3> args(env, info);
    const Group group = live_group(env, args[0]);
    check_group_is_idle(living_guests(Environment::of(env)), group);
    const auto tensors = untracked(to_tensors(Environment::of(env), env, args[1]));
    share_from(group, tensors, static_cast<int>(args.uint32(2)));
  });
}

// shareTensorsAsync(group, tensors, source): Promise<void>
napi_value share_tensors_async(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    const Group group = live_group(env, args[0]);
    check_group_is_idle(living_guests(Environment::of(env)), group);
    const auto tensors = untracked(to_tensors(Environment::of(env), env, args[1]));
    return Background::of(env, info).run(
        env, kName, [group, tensors, source = static_cast<int>(args.uint32(2))]() -> Settle {
          share_from(group, tensors, source);
          return [group](napi_env) -> napi_value { return nullptr; };
        });
  });
}

// Which parameters the forward pass that ends has put into its graph.
void note_uses(ReducerObject& object) {
  const std::vector<size_t> after = object.reducer->uses();
  object.used_in_forward.assign(after.size(), false);
  for (size_t i = 0; i < after.size() && i < object.uses_before.size(); ++i) {
    object.used_in_forward[i] = after[i] > object.uses_before[i];
  }
}

// afterForward(reducer, averages, searched, sunk): what to return instead of the outputs `sunk`, or
// null for them themselves. The graph below those `searched` says which parameters are used.
napi_value after_forward(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<4> args(env, info);
    const auto object = unwrap_object<ReducerObject>(env, args[0]);
    Environment& environment = Environment::of(env);
    const auto searched = to_tensors(environment, env, args[2]);
    const bool searches = object->reducer->has_unused_search() && !object->is_static_graph;
    if (args.boolean(1)) {
      // Here, since a pass that the module's own forward breaks off is none.
      note_averaged_pass(object->group);
      note_uses(*object);
      step(*object, [&] {
        object->reducer->prepare_for_backward(searches ? searched : std::vector<at::Tensor>());
      });
      object->reducer->expect_average();
    }
    const bool is_first = object->is_static_graph && !object->is_first_pass_begun;
    if (!searches && !is_first) return nullptr;
    const auto sunk = to_tensors(environment, env, args[3]);
    return from_tensors(environment, env, through_sink(object, sunk));
  });
}

}  // namespace

void define_reducer_steps(napi_env env, napi_value object, Background& background) {
  background.define<before_forward>(env, object, "beforeForward");
  background.define<before_forward_async>(env, object, "beforeForwardAsync");
  background.define<share_tensors>(env, object, "shareTensors");
  background.define<share_tensors_async>(env, object, "shareTensorsAsync");
  background.define<after_forward>(env, object, "afterForward");
}

}  // namespace aiforge
