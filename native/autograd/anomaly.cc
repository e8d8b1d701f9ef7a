#include "anomaly.h"

#include <map>
#include <mutex>

#include "../calls/values.h"
#include "../environment.h"
#include "../errors.h"
#include "../versions/nodes.h"
#include "autograd.h"

namespace aiforge {

namespace {

using torch::autograd::AnomalyMode;

std::string capture_stack() {
  const Bridge* bridge = Bridge::here();
  if (bridge == nullptr) return "";
  const napi_env env = bridge->env();
  const Napi::HandleScope scope(env);
  Napi::FunctionReference& capture = Environment::of(env).stack_capturer;
  napi_value stack = nullptr;
  napi_value undefined = Napi::Env(env).Undefined();
  if (capture.IsEmpty() ||
      napi_call_function(env, undefined, capture.Value(), 0, nullptr, &stack) != napi_ok) {
    // The operator goes on without: a stack that is full may be what failed.
    napi_get_and_clear_last_exception(env, &stack);
    return "";
  }
  return expect_string(env, stack, "a stack");
}

class JsAnomalyMetadata : public torch::autograd::AnomalyMetadata {
 public:
  void store_stack() override { stack_ = capture_stack(); }
  // The stack goes into the error instead.
  void print_stack(const std::string&) override {}
  void assign_parent(const AnyNodePointer& parent) override { parent_ = parent; }

  const std::string& stack() const { return stack_; }
  const AnyNodePointer& parent() const { return parent_; }

 private:
  std::string stack_;
  AnyNodePointer parent_;
};

// Anomaly mode belongs to the process: it is on while any environment has it on.
struct Setting {
  bool check_nan;
};
std::mutex settings_mutex;
std::map<const Environment*, Setting>& settings() {
  static auto* const instance = new std::map<const Environment*, Setting>();
  return *instance;
}

void apply_settings() {
  bool check_nan = false;
  for (const auto& [environment, setting] : settings()) check_nan |= setting.check_nan;
  AnomalyMode::set_enabled(!settings().empty(), settings().empty() || check_nan);
}

// setAnomaly(enabled, checkNan)
napi_value set_anomaly(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    const std::lock_guard<std::mutex> lock(settings_mutex);
    if (args.boolean(0)) {
      settings()[&Environment::of(env)] = {args.boolean(1)};
    } else {
      settings().erase(&Environment::of(env));
    }
    apply_settings();
    return nullptr;
  });
}

// setStackCapturer(capture, annotate): `capture()` gives the JavaScript stack; `annotate(error,
// stack)` adds one
napi_value set_stack_capturer(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    Environment& environment = Environment::of(env);
    environment.stack_capturer = Napi::Persistent(args.function(0));
    environment.stack_annotator = Napi::Persistent(args.function(1));
    return nullptr;
  });
}

}  // namespace

std::unique_ptr<torch::autograd::AnomalyMetadata> make_js_anomaly_metadata() {
  return std::make_unique<JsAnomalyMetadata>();
}

std::string forward_stack_of(torch::autograd::Node& node) {
  std::string text;
  const auto* metadata = dynamic_cast<JsAnomalyMetadata*>(node.metadata());
  while (metadata != nullptr) {
    if (!text.empty() && !metadata->stack().empty()) {
      text += "\nin the backward pass of what was made here:\n";
    }
    text += metadata->stack();
    if (!metadata->parent()) break;
    metadata = dynamic_cast<JsAnomalyMetadata*>(metadata->parent()->metadata());
  }
  return text;
}

void rethrow_with_stack(Environment& environment, napi_env env, const Run& run,
                        const std::exception_ptr& error) {
  const std::string stack = run.forward_stack();
  if (stack.empty() || environment.stack_annotator.IsEmpty()) std::rethrow_exception(error);
  guarded(env, [&]() -> napi_value { std::rethrow_exception(error); });
  napi_value value = nullptr;
  check(env, napi_get_and_clear_last_exception(env, &value));
  const napi_value args[] = {value, Napi::String::New(env, stack)};
  napi_value undefined = Napi::Env(env).Undefined();
  if (napi_call_function(env, undefined, environment.stack_annotator.Value(), 2, args, nullptr) !=
      napi_ok) {
    throw_pending(env);
  }
  throw JsException(std::make_shared<JsReference>(*environment.bridge, value));
}

void forget_anomaly(const Environment& environment) {
  const std::lock_guard<std::mutex> lock(settings_mutex);
  settings().erase(&environment);
  apply_settings();
}

void define_anomaly(Napi::Env env, Napi::Object exports) {
  define<set_anomaly>(env, exports, "setAnomaly");
  define<set_stack_capturer>(env, exports, "setStackCapturer");
}

}  // namespace aiforge
