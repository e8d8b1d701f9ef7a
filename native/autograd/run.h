// A pass through the engine, and the JavaScript that it calls on its way.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <napi.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bridge.h"
#include "saved_tensors.h"

namespace aiforge {

class Environment;

// What passes call besides the nodes of the graph, such as a Reducer: one on a thread of its own
// keeps it. All on the environment's thread.
class PassGuest {
 public:
  PassGuest() = default;
  virtual ~PassGuest() = default;
  PassGuest(const PassGuest&) = delete;
  PassGuest& operator=(const PassGuest&) = delete;

  // Whether passes that reach this leaf call it.
  virtual bool watches(const at::Tensor& leaf) const = 0;
  // Throw while a pass beside this thread calls it, or one of `all`, and must not be met: by
  // another pass, or by who reads or replaces the gradient of this tensor.
  virtual void check_pass(const std::vector<std::shared_ptr<PassGuest>>& all) = 0;
  virtual void check_gradient(const at::Tensor& tensor) = 0;

  size_t passes_beside = 0;  // that call it
};

void add_guest(Environment& environment, const std::shared_ptr<PassGuest>& guest);
void check_gradient_with_guests(Environment& environment, const at::Tensor& tensor);

// Which JavaScript context a pass was started in. LibTorch carries it to every thread that works
// for the pass.
class Run : public c10::DebugInfoBase {
 public:
  explicit Run(uint32_t context)
      : context(context), saved_tensors_hooks(active_saved_tensors_hooks()) {}
  // The pass that this thread works for; null outside of any, and within the JavaScript that one
  // calls.
  static Run* current();

  // In anomaly mode, where the node was made that failed first.
  void set_forward_stack(std::string stack);
  std::string forward_stack() const;

  const uint32_t context;  // 0: JavaScript that a pass has called
  const std::shared_ptr<SavedTensorsHooks> saved_tensors_hooks;

 private:
  mutable std::mutex mutex_;
  std::string forward_stack_;
};

// Whether a checkpoint may run a pass of its own now: not while one runs that goes to chosen inputs
// only.
bool is_checkpoint_valid();

// Calls a function of lib/tensor/autograd/engine.ts on its own thread, from any thread. `read` gets
// what it returns.
void call_js(const JsReference& function, const std::vector<at::Tensor>& arguments,
             const std::function<void(napi_env, napi_value)>& read);

// Runs `pass` through the engine for the context of that number, and waits. `roots` are where it
// begins, if it accumulates gradients.
void run_pass(Environment& environment, uint32_t context, const std::vector<at::Tensor>& roots,
              const std::function<void()>& pass);

// Runs it on a thread of its own; the promise resolves to undefined.
napi_value run_pass_beside(Environment& environment, napi_env env, uint32_t context,
                           const std::vector<at::Tensor>& roots, std::function<void()> pass);

}  // namespace aiforge
