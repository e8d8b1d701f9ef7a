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
  std::vector<std::vector<std::string>> buckets;  // those to begin with, by parameters' names
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

// Those of `names`, by numbers; empty unless they have each parameter once.
Buckets given_buckets(const Model& model, const std::vector<std::vector<std::string>>& names) {
  std::unordered_map<std::string, size_t> numbers;
  for (const auto& [number, name] : model.names) numbers.emplace(name, number);
  Buckets buckets;
  for (const auto& list : names) {
    std::vector<size_t> bucket;
    for (const std::string& name : list) {
      const auto found = numbers.find(name);
      if (found == numbers.end()) return {};
      bucket.push_back(found->second);
      numbers.erase(found);
    }
    if (!bucket.empty()) buckets.push_back(std::move(bucket));
  }
  return numbers.empty() ? buckets : Buckets();
}

// Those of the steps after the first, which c10d rebuilds.
std::vector<size_t> later_limits(const ReducerArguments& given) {
  const auto& list = given.bucket_bytes_list;
  if (!list.empty()) return {list.begin(), list.end()};
  return {static_cast<size_t>(given.first_bucket_bytes), static_cast<size_t>(given.bucket_bytes)};
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
  const Buckets given = given_buckets(model, options.buckets);
  arguments.buckets = given.empty() ? assign_buckets(model, options) : given;
  arguments.group = group;
  arguments.sparse = model.sparse;
  arguments.names = model.names;
  object->reducer = make_reducer<StepReducer>(std::move(arguments));
  if (!given.empty()) object->reducer->keep_buckets();
  object->bucket_limits = later_limits(options.arguments);
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

std::vector<std::string> string_list(napi_env env, napi_value value) {
  const Napi::Array list(env, value);
  std::vector<std::string> texts;
  for (uint32_t i = 0; i < list.Length(); ++i) {
    texts.push_back(expect_string(env, Napi::Value(list[i]), "a name"));
  }
  return texts;
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
  const Napi::Array buckets(env, given.Get("buckets"));
  for (uint32_t i = 0; i < buckets.Length(); ++i) {
    options.buckets.push_back(string_list(env, Napi::Value(buckets[i])));
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

// gradientBuckets(reducer): the names in each bucket of the passes to come, or null
napi_value gradient_buckets(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const auto object = unwrap_object<ReducerObject>(env, args[0]);
    const Buckets buckets = object->reducer->settled_buckets(object->bucket_limits);
    if (buckets.empty()) return Napi::Env(env).Null();
    const Napi::Array lists = Napi::Array::New(env, buckets.size());
    for (uint32_t i = 0; i < buckets.size(); ++i) {
      const Napi::Array names = Napi::Array::New(env, buckets[i].size());
      for (uint32_t k = 0; k < buckets[i].size(); ++k) {
        names.Set(k, object->names.at(buckets[i][k]));
      }
      lists.Set(i, names);
    }
    return lists;
  });
}

// lostParameter(reducer): the name of one whose gradient does not come to it any more, or null
napi_value lost_parameter(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const auto object = unwrap_object<ReducerObject>(env, args[0]);
    const auto lost = object->reducer->first_lost();
    if (!lost) return Napi::Env(env).Null();
    return Napi::String::New(env, object->names.at(*lost));
  });
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
  background.define<gradient_buckets>(env, object, "gradientBuckets");
  background.define<lost_parameter>(env, object, "lostParameter");
  background.define<register_hook>(env, object, "registerCommHook");
  define_reducer_steps(env, object, background);
  define_reducer_join(env, object, background);
  define_reducer_logging(env, object, background);
}

}  // namespace aiforge
