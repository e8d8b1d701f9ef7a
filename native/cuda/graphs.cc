#include <ATen/cuda/CUDAGraph.h>

#include "../accelerator/accelerator.h"
#include "../calls/values.h"
#include "../environment.h"
#include "../errors.h"
#include "../objects.h"
#include "../versions/graph_generators.h"
#include "cuda.h"

namespace aiforge {

namespace {

struct GraphObject {
  static constexpr napi_type_tag tag = {0xd4b19e06c3a74f28, 0x3170aef58bd24c91};
  static constexpr const char* name = "CUDAGraph";
  at::cuda::CUDAGraph graph;
};

struct PoolObject {
  static constexpr napi_type_tag tag = {0x2be90a61f7d845c3, 0x9c1f5e7380b6d42a};
  static constexpr const char* name = "MemoryPool";
  c10::MempoolId_t id;
};

napi_value wrap_pool(napi_env env, c10::MempoolId_t id) {
  return wrap_object(env, std::make_shared<PoolObject>(PoolObject{id}));
}

napi_value open_pool(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value {
    require_device();
    return wrap_pool(env, at::cuda::graph_pool_handle());
  });
}

// poolOf(graph)
napi_value pool_of(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return wrap_pool(env, unwrap_object<GraphObject>(env, args[0])->graph.pool());
  });
}

// isCapturing(): whether the current stream is
napi_value is_capturing(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value {
    const bool capturing =
        device_count() > 0 && is_device_used() &&
        c10::cuda::currentStreamCaptureStatusMayInitCtx() != c10::cuda::CaptureStatus::None;
    return Napi::Boolean::New(env, capturing);
  });
}

// registerGenerator(graph, generator): its draws go on from replay to replay
napi_value register_generator(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    const auto& generators = Environment::of(env).generators;
    const auto found = generators.find(args.uint32(1));
    if (found == generators.end()) throw Error("INVALID_ARGUMENT", "this Generator does not exist");
    register_with_graph(unwrap_object<GraphObject>(env, args[0])->graph, found->second);
    return nullptr;
  });
}

napi_value open_graph(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value {
    require_device();
    return wrap_object(env, std::make_shared<GraphObject>());
  });
}

cudaStreamCaptureMode mode_of(const std::string& name) {
  if (name == "global") return cudaStreamCaptureModeGlobal;
  if (name == "thread_local") return cudaStreamCaptureModeThreadLocal;
  if (name == "relaxed") return cudaStreamCaptureModeRelaxed;
  throw Error("INVALID_ARGUMENT",
              "a capture's mode is 'global', 'thread_local' or 'relaxed', got '" + name + "'");
}

// captureBegin(graph, pool | null, mode): of what the current stream gets from now on
napi_value capture_begin(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    const auto object = unwrap_object<GraphObject>(env, args[0]);
    c10::MempoolId_t pool{0, 0};
    if (!args.is_missing(1)) pool = unwrap_object<PoolObject>(env, args[1])->id;
    object->graph.capture_begin(pool, mode_of(args.string(2)));
    return nullptr;
  });
}

template <void (at::cuda::CUDAGraph::*Method)()>
napi_value on_graph(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const auto object = unwrap_object<GraphObject>(env, args[0]);
    const Drawing drawing(Environment::of(env));  // a replay draws what was captured
    (object->graph.*Method)();
    return nullptr;
  });
}

}  // namespace

void define_graphs(Napi::Env env, Napi::Object object) {
  using Graph = at::cuda::CUDAGraph;
  define<open_graph>(env, object, "openGraph");
  define<open_pool>(env, object, "openPool");
  define<pool_of>(env, object, "poolOf");
  define<is_capturing>(env, object, "isCapturing");
  define<register_generator>(env, object, "registerGenerator");
  define<capture_begin>(env, object, "captureBegin");
  define<on_graph<&Graph::capture_end>>(env, object, "captureEnd");
  define<on_graph<&Graph::replay>>(env, object, "replay");
  define<on_graph<&Graph::reset>>(env, object, "resetGraph");
}

}  // namespace aiforge
