#include "engine.h"

#include <torch/csrc/autograd/engine.h>

#include <limits>

#include "../versions/nodes.h"
#include "anomaly.h"
#include "run.h"
#include "saved_tensors.h"

namespace aiforge {

namespace {

class JsEngine : public torch::autograd::Engine {
 public:
  JsEngine() {
    // LibTorch's own would take a pass nested this deep to another thread and block this one, where
    // its JavaScript runs. V8 bounds the depth: a hook that goes on nesting throws a RangeError.
    max_recursion_depth_ = std::numeric_limits<int>::max();
  }

  std::unique_ptr<torch::autograd::SavedVariableHooks> get_default_saved_variable_hooks() override {
    return hooks_for_saved_tensor();
  }

  std::unique_ptr<torch::autograd::AnomalyMetadata> make_anomaly_metadata() override {
    return make_js_anomaly_metadata();
  }

  void thread_on_exception(const std::shared_ptr<torch::autograd::GraphTask>& task,
                           const AnyNodePointer& node, std::exception& error) override {
    if (Run* run = Run::current();
        run != nullptr && node && torch::autograd::AnomalyMode::is_enabled()) {
      run->set_forward_stack(forward_stack_of(*node));
    }
    Engine::thread_on_exception(task, node, error);
  }
};

// There is one engine in a process, and it is never destroyed: its threads may outlive every
// environment.
torch::autograd::Engine& engine() {
  static auto* const instance = new JsEngine();
  return *instance;
}

}  // namespace

void install_engine() { torch::autograd::set_default_engine_stub(engine); }

}  // namespace aiforge
