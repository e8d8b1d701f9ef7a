#include <ATen/cuda/CUDAGraph.h>

#include "../accelerator/accelerator.h"
#include "../errors.h"
#include "../objects.h"
#include "../values.h"
#include "cuda.h"

namespace aiforge {

namespace {

struct GraphObject {
  static constexpr napi_type_tag tag = {0xd4b19e06c3a74f28, 0x3170aef58bd24c91};
  static constexpr const char* name = "CUDAGraph";
  at::cuda::CUDAGraph graph;
};

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

// captureBegin(graph, poolOf | null, mode): of what the current stream gets from now on
napi_value capture_begin(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    const auto object = unwrap_object<GraphObject>(env, args[0]);
    c10::MempoolId_t pool{0, 0};
    if (!args.is_missing(1)) pool = unwrap_object<GraphObject>(env, args[1])->graph.pool();
    object->graph.capture_begin(pool, mode_of(args.string(2)));
    return nullptr;
  });
}

template <void (at::cuda::CUDAGraph::*Method)()>
napi_value on_graph(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    (unwrap_object<GraphObject>(env, args[0])->graph.*Method)();
    return nullptr;
  });
}

}  // namespace

void define_graphs(Napi::Env env, Napi::Object object) {
  using Graph = at::cuda::CUDAGraph;
  define(env, object, "openGraph", open_graph);
  define(env, object, "captureBegin", capture_begin);
  define(env, object, "captureEnd", on_graph<&Graph::capture_end>);
  define(env, object, "replay", on_graph<&Graph::replay>);
  define(env, object, "resetGraph", on_graph<&Graph::reset>);
}

}  // namespace aiforge
