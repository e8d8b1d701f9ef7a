#include "reducer.h"

#include <algorithm>
#include <limits>

#include "../calls/values.h"
#include "../environment.h"
#include "../objects.h"
#include "../versions/reducers.h"
#include "comm_hooks.h"
#include "process_group.h"
#include "reducer_join.h"
#include "reducer_logging.h"
#include "reducer_model.h"
#include "reducer_object.h"
#include "reducer_steps.h"

namespace aiforge {

namespace {

struct ReducerOptions {
  ReducerArguments arguments;
  ConstructionData construction;
  bool shares_state = true;
  std::string unused_advice;  // what to do about parameters that a step leaves out
};

using Buckets = std::vector<std::vector<size_t>>;

std::vector<size_t> first_limits(const ReducerOptions& options) {
  const ReducerArguments& given = options.arguments;
  if (!given.bucket_bytes_list.empty()) {
    return {given.bucket_bytes_list.begin(), given.bucket_bytes_list.end()};
  }
  // Without a search for unused parameters, the first iteration uses one bucket: the order in which
  // gradients come is not known before it.
  if (options.construction.is_static_graph || !given.find_unused_parameters) {
    return {std::numeric_limits<size_t>::max()};
  }
  const auto others = static_cast<size_t>(given.bucket_bytes);
  const auto first = static_cast<size_t>(given.first_bucket_bytes);
  return first < others ? std::vector<size_t>{first, others} : std::vector<size_t>{others};
}

Buckets assign_buckets(const Model& model, const ReducerOptions& options) {
  auto assigned = c10d::compute_bucket_assignment_by_size(model.parameters, first_limits(options),
                                                          model.sparse);
  Buckets buckets = std::move(std::get<0>(assigned));
  // The last layers' gradients come first.
  std::reverse(buckets.begin(), buckets.end());
  return buckets;
}

std::shared_ptr<ReducerObject> build(const Group& group, const Model& model,
                                     const ReducerOptions& options) {
  if (options.shares_state) {
    require_same_parameters(group, model);
    share_from(group, model.state, 0);
  }
  auto object = std::make_shared<ReducerObject>();
  object->group = group;
  ReducerArguments arguments = options.arguments;
  arguments.parameters = model.parameters;
  arguments.buckets = assign_buckets(model, options);
  arguments.group = group;
  arguments.sparse = model.sparse;
  arguments.names = model.names;
  object->reducer = make_reducer<StepReducer>(std::move(arguments));
  object->logger = std::make_shared<c10d::Logger>(object->reducer);
  object->reducer->set_logger(object->logger);
  log_construction(*object, group, options.construction);
  if (options.construction.is_static_graph) {
    object->is_static_graph = true;
    object->reducer->set_static_graph();
    object->logger->set_static_graph();
  }
  object->names = model.names;
  for (size_t i = 0; i < model.parameters.size(); ++i) {
    object->numbers.emplace(model.parameters[i].unsafeGetTensorImpl(), i);
  }
  object->unused_advice = options.unused_advice;
  return object;
}

ReducerOptions read_options(napi_env env, napi_value value) {
  const Napi::Object given(env, value);
  const auto flag = [&](const char* name) { return read_bool(env, given.Get(name)); };
  const auto whole = [&](const char* name) { return read_int(env, given.Get(name)); };
  const auto text = [&](const char* name) { return expect_string(env, given.Get(name), name); };
  ReducerOptions options;
  ReducerArguments& arguments = options.arguments;
  arguments.bucket_bytes = whole("bucketBytes");
  arguments.first_bucket_bytes = whole("firstBucketBytes");
  arguments.find_unused_parameters = flag("findUnusedParameters");
  arguments.gradient_as_bucket_view = flag("gradientAsBucketView");
  arguments.skip_all_reduce_unused_parameters = flag("skipAllReduceUnusedParams");
  arguments.batched_gradient_copy = flag("batchedGradCopy");
  const Napi::Array limits(env, given.Get("bucketBytesList"));
  for (uint32_t i = 0; i < limits.Length(); ++i) {
    arguments.bucket_bytes_list.push_back(read_int(env, Napi::Value(limits[i])));
  }
  if (arguments.batched_gradient_copy && !kHasBatchedGradientCopy) {
    throw Error("INVALID_ARGUMENT", "batchedGradCopy needs LibTorch 2.13 or later");
  }
  ConstructionData& construction = options.construction;
  construction.module_name = text("moduleName");
  construction.broadcasts_buffers = flag("broadcastBuffers");
  construction.has_sync_batch_norm = flag("hasSyncBatchNorm");
  construction.is_static_graph = flag("staticGraph");
  const Napi::Value device = given.Get("device");
  if (!is_missing(env, device)) {
    construction.device_ids.push_back(static_cast<int>(read_int(env, device)));
  }
  options.shares_state = flag("initSync");
  options.unused_advice = text("unusedAdvice");
  return options;
}

// openReducer(group, parameters, names, sparseOnes, buffers, options): Promise<Reducer>
napi_value open_reducer(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<6> args(env, info);
    const Group group = live_group(env, args[0]);
    const Model model = read_model(env, args[1], args[2], args[3], args[4]);
    check_model(*group, model);
    const ReducerOptions options = read_options(env, args[5]);
    return Background::of(env, info).run(env, "DistributedDataParallel",
                                         [group, model, options]() -> Settle {
                                           auto object = build(group, model, options);
                                           return [object](napi_env env) {
                                             add_guest(Environment::of(env), object);
                                             return wrap_object(env, object);
                                           };
                                         });
  });
}

// registerCommHook(reducer, group, name, options): the options are PowerSGD's
napi_value register_hook(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<4> args(env, info);
    const auto object = unwrap_object<ReducerObject>(env, args[0]);
    const Group group = live_group(env, args[1]);
    const Napi::Object given(env, args[3]);
    PowerSgdOptions options;
    options.matrix_approximation_rank = read_int(env, given.Get("matrixApproximationRank"));
    options.start_iteration = read_int(env, given.Get("startPowerSGDIter"));
    options.min_compression_rate =
        read_number(env, given.Get("minCompressionRate"), "minCompressionRate");
    options.use_error_feedback = read_bool(env, given.Get("useErrorFeedback"));
    options.warm_start = read_bool(env, given.Get("warmStart"));
    options.orthogonalization_epsilon =
        read_number(env, given.Get("orthogonalizationEpsilon"), "orthogonalizationEpsilon");
    options.random_seed = static_cast<uint32_t>(read_int(env, given.Get("randomSeed")));
    options.batch_tensors_with_same_shape = read_bool(env, given.Get("batchTensorsWithSameShape"));
    object->logger->set_comm_hook(
        register_comm_hook(*object->reducer, group, args.string(2), options));
    return nullptr;
  });
}

}  // namespace

void define_reducer(napi_env env, napi_value object, Background& background) {
  background.define<open_reducer>(env, object, "openReducer");
  background.define<register_hook>(env, object, "registerCommHook");
  define_reducer_steps(env, object, background);
  define_reducer_join(env, object, background);
  define_reducer_logging(env, object, background);
}

}  // namespace aiforge
