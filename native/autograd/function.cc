#include <unordered_set>

#include "../calls/values.h"
#include "../environment.h"
#include "../errors.h"
#include "../versions/function_outputs.h"
#include "../versions/nodes.h"
#include "autograd.h"
#include "function_node.h"

namespace aiforge {

namespace {

using OwnNode = NodePointer<FunctionNode>;
using WeakNode = WeakNodePointer<FunctionNode>;

// What `forward` hands back, as lib/autograd/function.ts arranges it.
struct Forward {
  napi_value handles;
  std::vector<at::Tensor> outputs;  // undefined where an output is no tensor
  std::vector<at::Tensor> dirty;
  std::vector<at::Tensor> non_differentiable;
  std::vector<at::Tensor> to_save;
  bool materialize;
};

Forward run_forward(Environment& environment, napi_env env, napi_value forward) {
  napi_value result = nullptr;
  napi_value undefined = Napi::Env(env).Undefined();
  if (napi_call_function(env, undefined, forward, 0, nullptr, &result) != napi_ok) {
    throw_pending(env);
  }
  const auto field = [&](const char* name) {
    napi_value value = nullptr;
    check(env, napi_get_named_property(env, result, name, &value));
    return value;
  };
  return {field("outputs"),
          to_tensors(environment, env, field("outputs")),
          to_tensors(environment, env, field("dirty")),
          to_tensors(environment, env, field("nonDifferentiable")),
          to_tensors(environment, env, field("toSave")),
          read_bool(env, field("materializeGrads"))};
}

std::unordered_set<at::TensorImpl*> impls_of(const std::vector<at::Tensor>& tensors) {
  std::unordered_set<at::TensorImpl*> impls;
  for (const at::Tensor& tensor : tensors) impls.insert(tensor.unsafeGetTensorImpl());
  return impls;
}

std::vector<std::optional<at::Tensor>> wrap_outputs(const std::vector<at::Tensor>& inputs,
                                                    const Forward& forward, const OwnNode& node) {
  std::vector<std::optional<at::Tensor>> raw;
  for (const at::Tensor& output : forward.outputs) {
    raw.push_back(output.defined() ? std::optional<at::Tensor>(output) : std::nullopt);
  }
  for (const at::Tensor& tensor : forward.dirty) torch::autograd::impl::bump_version(tensor);
  const auto jvp = [](const auto&, const auto&) -> torch::autograd::variable_list {
    throw Error("OPERATOR_FAILED", "a Function has no forward-mode derivative");
  };
  return outputs_with_node(inputs, impls_of(forward.non_differentiable), impls_of(forward.dirty),
                           raw, node, jvp);
}

// A handle for each output; -1 where it is the very tensor that `forward` returned, null for
// another value. `all` gets those of the tensors.
napi_value handles_of(Environment& environment, napi_env env, const Forward& forward,
                      const std::vector<std::optional<at::Tensor>>& outputs,
                      std::vector<Handle>& all) {
  const HandleList returned = read_handles(env, forward.handles);
  napi_value array = nullptr;
  check(env, napi_create_array_with_length(env, outputs.size(), &array));
  for (size_t i = 0; i < outputs.size(); ++i) {
    napi_value item = nullptr;
    if (!outputs[i]) {
      check(env, napi_get_null(env, &item));
    } else if (outputs[i]->is_same(forward.outputs[i])) {
      item = number(env, -1);
      all.push_back(to_handle(returned.data[i]));
    } else {
      item = from_tensor(environment, env, *outputs[i]);
      all.push_back(static_cast<Handle>(read_number(env, item, "")));
    }
    check(env, napi_set_element(env, array, static_cast<uint32_t>(i), item));
  }
  return array;
}

napi_value external_for(napi_env env, const OwnNode& node) {
  return external(env, std::make_unique<WeakNode>(node));
}

// applyFunction(name, inputs, forward, backward, recorded): runs `forward` and gives its tensors a
// node that calls `backward`, which `recorded` tells about. An input of -1 is an argument that is
// no tensor.
napi_value apply_function(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<5> args(env, info);
    Environment& environment = Environment::of(env);
    std::vector<at::Tensor> inputs;
    std::vector<bool> is_tensor;
    for (at::Tensor& argument : to_tensors(environment, env, args[1])) {
      is_tensor.push_back(argument.defined());
      if (argument.defined()) inputs.push_back(std::move(argument));
    }
    OwnNode node;
    std::shared_ptr<JsReference> backward;
    if (c10::GradMode::is_enabled() && torch::autograd::any_variable_requires_grad(inputs)) {
      backward = std::make_shared<JsReference>(*environment.bridge, args[3]);
      node = make_node<FunctionNode>(args.string(0), backward, std::move(is_tensor));
      node->set_next_edges(torch::autograd::collect_next_edges(inputs));
      node->clear_input_metadata();
    }
    const Forward forward = run_forward(environment, env, args[2]);
    const auto outputs = wrap_outputs(inputs, forward, node);
    if (node) {
      node->set_outputs(outputs, forward.materialize);
      node->save(forward.to_save);
      const napi_value external = external_for(env, node);
      napi_value undefined = Napi::Env(env).Undefined();
      if (napi_call_function(env, undefined, args[4], 1, &external, nullptr) != napi_ok) {
        throw_pending(env);
      }
    }
    std::vector<Handle> all;
    const napi_value handles = handles_of(environment, env, forward, outputs, all);
    if (node) environment.cycles.add(env, backward, std::move(all), node.get());
    return handles;
  });
}

// savedTensors(node): what the Function saved; handles, or null for what was no tensor
napi_value saved_tensors(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    void* data = nullptr;
    check(env, napi_get_value_external(env, args[0], &data));
    const OwnNode node = static_cast<WeakNode*>(data)->lock();
    if (!node) throw Error("OPERATOR_FAILED", "the graph that saved these tensors is gone");
    return from_tensors(Environment::of(env), env, node->saved());
  });
}

}  // namespace

void define_functions(Napi::Env env, Napi::Object exports) {
  define<apply_function>(env, exports, "applyFunction");
  define<saved_tensors>(env, exports, "savedTensors");
}

}  // namespace aiforge
