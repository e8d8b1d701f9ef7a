#include "engine.h"

#include <torch/csrc/autograd/engine.h>

#include <limits>

namespace aiforge {

namespace {

class JsEngine : public torch::autograd::Engine {
 public:
  JsEngine() {
    // LibTorch's own would take a pass nested this deep to another thread and block this one, where
    // its JavaScript runs. V8 bounds the depth: a hook that goes on nesting throws a RangeError.
    max_recursion_depth_ = std::numeric_limits<int>::max();
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
