#include "reducer.h"

#include <torch/csrc/distributed/c10d/debug.h>

#include <algorithm>
#include <limits>
#include <sstream>
#include <unordered_set>

#include "../calls/values.h"
#include "../environment.h"
#include "../objects.h"
#include "process_group.h"
#include "reducer_object.h"
#include "reducer_steps.h"

namespace aiforge {

namespace {

struct ReducerOptions {
  std::string module_name;
  int64_t first_bucket_bytes = 0;
  int64_t bucket_bytes = 0;
  bool find_unused_parameters = false;
  bool gradient_as_bucket_view = false;
  bool broadcast_buffers = true;
  std::string unused_advice;  // what to do about parameters that a step leaves out
};

struct Model {
  std::vector<at::Tensor> parameters;  // those that are trained, shared ones once
  std::vector<bool> sparse;            // whether the gradient of each is
  ParameterNames names;
  std::vector<at::Tensor> state;  // all parameters and buffers
};

using Buckets = std::vector<std::vector<size_t>>;

std::shared_ptr<StepReducer> make_reducer(const Group& group, const Model& model, Buckets buckets,
                                            const ReducerOptions& options) {
  return std::make_shared<StepReducer>(
      model.parameters, std::move(buckets), group, model.sparse, options.bucket_bytes,
      options.find_unused_parameters, options.gradient_as_bucket_view, model.names,
      options.first_bucket_bytes, /*skip_all_reduce_unused_params=*/false,
      /*use_python_reducer=*/false, /*bucket_bytes_cap_list=*/std::vector<int64_t>());
}

Buckets assign_buckets(const Model& model, const ReducerOptions& options) {
  // Without a search for unused parameters, the first iteration uses one bucket: the order in which
  // gradients come is not known before it.
  std::vector<size_t> limits{std::numeric_limits<size_t>::max()};
  if (options.find_unused_parameters) {
    limits = {static_cast<size_t>(options.first_bucket_bytes),
              static_cast<size_t>(options.bucket_bytes)};
    if (limits[1] <= limits[0]) limits.erase(limits.begin());
  }
  auto assigned = c10d::compute_bucket_assignment_by_size(model.parameters, limits, model.sparse);
  Buckets buckets = std::move(std::get<0>(assigned));
  // The last layers' gradients come first.
  std::reverse(buckets.begin(), buckets.end());
  return buckets;
}

std::shared_ptr<ReducerObject> build(const Group& group, const Model& model,
                                     const ReducerOptions& options) {
  c10d::verify_params_across_processes(group, model.parameters, std::nullopt);
  share_from(group, model.state, 0);
  auto object = std::make_shared<ReducerObject>();
  object->reducer = make_reducer(group, model, assign_buckets(model, options), options);
  object->logger = std::make_shared<c10d::Logger>(object->reducer);
  object->reducer->set_logger(object->logger);
  // In this mode it takes the wrapper of a Gloo group for the group itself, and crashes, in Python
  // too.
  if (c10d::debug_level() != c10d::DebugLevel::Detail) {
    object->logger->set_construction_data_and_log(options.module_name, {}, -1,
                                                  options.broadcast_buffers, /*has_sync_bn=*/false,
                                                  /*static_graph=*/false);
  }
  object->names = model.names;
  for (size_t i = 0; i < model.parameters.size(); ++i) {
    object->numbers.emplace(model.parameters[i].unsafeGetTensorImpl(), i);
  }
  object->unused_advice = options.unused_advice;
  return object;
}

Model read_model(napi_env env, napi_value parameters, napi_value names, napi_value sparse,
                 napi_value buffers) {
  Environment& environment = Environment::of(env);
  if (!Napi::Value(env, names).IsArray()) {
    throw Error("INVALID_ARGUMENT", "expected a list of parameter names");
  }
  const Napi::Array name_list(env, names);
  std::vector<at::Tensor> all = to_tensors(environment, env, parameters);
  std::unordered_set<c10::TensorImpl*> sparse_ones;
  for (const at::Tensor& each : to_tensors(environment, env, sparse)) {
    sparse_ones.insert(each.unsafeGetTensorImpl());
  }
  Model model;
  std::unordered_set<c10::TensorImpl*> seen;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!all[i].requires_grad() || !seen.insert(all[i].unsafeGetTensorImpl()).second) continue;
    const Napi::Value name = name_list[static_cast<uint32_t>(i)];
    model.names[model.parameters.size()] = name.ToString().Utf8Value();
    model.parameters.push_back(all[i]);
    model.sparse.push_back(sparse_ones.count(all[i].unsafeGetTensorImpl()) > 0);
  }
  for (at::Tensor& buffer : to_tensors(environment, env, buffers)) all.push_back(buffer);
  model.state = untracked(all);
  return model;
}

void check_model(c10d::ProcessGroup& group, const Model& model) {
  if (model.parameters.empty()) {
    throw Error("INVALID_ARGUMENT",
                "DistributedDataParallel needs a module with at least one parameter that requires "
                "a gradient; call the module itself when there is nothing to train");
  }
  const auto device = model.parameters[0].device();
  for (size_t i = 0; i < model.parameters.size(); ++i) {
    const at::Tensor& parameter = model.parameters[i];
    check_device(group, parameter);
    if (model.sparse[i] && is_nccl(group, parameter.device().type())) {
      throw Error("INVALID_ARGUMENT",
                  "the gradient of '" + model.names.at(i) +
                      "' is sparse, which NCCL does not average: make the embedding with "
                      "sparse: false, or the process group with backend 'gloo'");
    }
    if (parameter.device() != device) {
      throw Error("INVALID_ARGUMENT",
                  "DistributedDataParallel needs all parameters on one device: "
                  "'" +
                      model.names.at(0) + "' is on " + device.str() + ", '" + model.names.at(i) +
                      "' on " + parameter.device().str());
    }
  }
}

// openReducer(group, parameters, names, sparseOnes, buffers, moduleName, firstBucketBytes,
//             bucketBytes, findUnusedParameters, gradientAsBucketView, broadcastBuffers,
//             unusedAdvice): Promise<Reducer>
napi_value open_reducer(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<12> args(env, info);
    const Group group = live_group(env, args[0]);
    const Model model = read_model(env, args[1], args[2], args[3], args[4]);
    check_model(*group, model);
    const ReducerOptions options{args.string(5),  args.int64(6),    args.int64(7),  args.boolean(8),
                                 args.boolean(9), args.boolean(10), args.string(11)};
    return Background::of(env, info).run(
        env, "DistributedDataParallel", [group, model, options]() -> Settle {
          auto object = build(group, model, options);
          return [object](napi_env env) {
            add_guest(Environment::of(env), object);
            return wrap_object(env, object);
          };
        });
  });
}

}  // namespace

void define_reducer(napi_env env, napi_value object, Background& background) {
  background.define<open_reducer>(env, object, "openReducer");
  define_reducer_steps(env, object, background);
}

}  // namespace aiforge
