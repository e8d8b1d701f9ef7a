#include "reducer_steps.h"

#include <sstream>
#include <unordered_set>

#include "../calls/values.h"
#include "../environment.h"
#include "../objects.h"
#include "reducer_object.h"

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

// The parameters that the last backward pass gave no gradient to, by name: the Reducer's complaint
// has their numbers. Empty where it complains of something else.
std::string left_out(const ParameterNames& names, const std::string& complaint) {
  constexpr size_t kMostNames = 8;
  const size_t start = complaint.find("Parameter indices which did not receive grad");
  if (start == std::string::npos) return "";
  std::istringstream numbers(complaint.substr(complaint.find(':', start) + 1));
  std::string list;
  size_t count = 0;
  for (size_t index = 0; numbers >> index; ++count) {
    if (count < kMostNames) list += (count == 0 ? "'" : ", '") + names.at(index) + "'";
  }
  return count <= kMostNames ? list : list + " and " + std::to_string(count - kMostNames) + " more";
}

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
    const std::string unused = left_out(object.names, error.what_without_backtrace());
    if (unused.empty()) throw;
    throw Error("DISTRIBUTED_FAILED",
                "DistributedDataParallel cannot begin another step: since the last forward pass, "
                "backward gave no gradient on this rank to " +
                    unused + ". " + object.unused_advice);
  }
}

// What beforeForward does, on whatever thread waits for the other ranks.
void prepare(const ReducerObject& object, bool syncs) {
  if (syncs) {
    object.logger->set_runtime_stats_and_log();
    object.reducer->prepare_for_forward();
  }
  step(object, [&] { object.reducer->rebuild_buckets(); });
}

// The Reducer of a forward pass that may begin.
std::shared_ptr<ReducerObject> ready_reducer(napi_env env, napi_value value) {
  auto object = unwrap_object<ReducerObject>(env, value);
  if (object->is_busy()) {
    throw Error("INVALID_ARGUMENT",
                "DistributedDataParallel cannot begin another forward pass while backwardAsync() "
                "of the last one may still run; await its promise first");
  }
  return object;
}

// beforeForward(reducer, syncs): `syncs` says whether the gradients of this pass will be averaged
napi_value before_forward(napi_env env, napi_callback_info info) {
  return blocking(env, [&] {
    const Arguments<2> args(env, info);
    prepare(*ready_reducer(env, args[0]), args.boolean(1));
  });
}

// beforeForwardAsync(reducer, syncs): Promise<void>
napi_value before_forward_async(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    const auto object = ready_reducer(env, args[0]);
    return Background::of(env, info).run(
        env, kName, [object, syncs = args.boolean(1)]() -> Settle {
          prepare(*object, syncs);
          // Here too, since the Reducer must not end on another thread.
          return [object](napi_env) -> napi_value { return nullptr; };
        });
  });
}

// shareTensors(group, tensors, source): the values of rank `source` for all
napi_value share_tensors(napi_env env, napi_callback_info info) {
  return blocking(env, [&] {
    const Arguments<3> args(env, info);
    const Group group = live_group(env, args[0]);
    const auto tensors = untracked(to_tensors(Environment::of(env), env, args[1]));
    share_from(group, tensors, static_cast<int>(args.uint32(2)));
  });
}

// shareTensorsAsync(group, tensors, source): Promise<void>
napi_value share_tensors_async(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    const Group group = live_group(env, args[0]);
    const auto tensors = untracked(to_tensors(Environment::of(env), env, args[1]));
    return Background::of(env, info).run(
        env, kName, [group, tensors, source = static_cast<int>(args.uint32(2))]() -> Settle {
          share_from(group, tensors, source);
          return [group](napi_env) -> napi_value { return nullptr; };
        });
  });
}

// afterForward(reducer, outputs): the outputs are searched for unused parameters; an empty list
// says that all are used.
napi_value after_forward(napi_env env, napi_callback_info info) {
  return blocking(env, [&] {
    const Arguments<2> args(env, info);
    const auto object = unwrap_object<ReducerObject>(env, args[0]);
    const auto outputs = to_tensors(Environment::of(env), env, args[1]);
    step(*object, [&] { object->reducer->prepare_for_backward(outputs); });
    object->reducer->expect_average();
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
