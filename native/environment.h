// What one JavaScript environment (the main thread or a worker) owns. Nothing of it is static.
#pragma once

#include <ATen/core/Generator.h>
#include <c10/core/InferenceMode.h>
#include <napi.h>

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "autograd/bridge.h"
#include "autograd/cycles.h"
#include "autograd/saved_tensors.h"
#include "calls/operators.h"
#include "distributed/in_flight.h"
#include "memory/buffers.h"
#include "random/default_generators.h"
#include "tensors/handles.h"
#include "transforms/forward_mode.h"

namespace aiforge {

class PassGuest;

// The passes through the engine that this environment has started.
struct Passes {
  size_t synchronous = 0;                      // that this thread waits for, one within another
  size_t beside = 0;                           // on threads of their own
  std::vector<std::function<void()>> waiting;  // start when the last of those ends
  std::vector<std::weak_ptr<PassGuest>> guests;
};

class Environment {
 public:
  static Environment& open(Napi::Env env);
  static Environment& of(napi_env env);
  static Environment* find(napi_env env);  // null where the addon is still loading
  // The addon as this thread has it already, for a loader that has forgotten it; else null.
  static napi_value exports_of_thread();

  Napi::ObjectReference exports;
  Handles handles;
  OperatorTable operators;
  torch::jit::Stack spare_stack;  // empty between calls
  Napi::FunctionReference error_factory;
  std::unordered_map<uint32_t, at::Generator> generators;
  uint32_t last_generator = 0;
  DefaultGenerators default_generators;
  // Numbers that cross to JavaScript and back without a value made for each. Only lib/tensor/
  // scratch.ts has the ArrayBuffer, so that nobody detaches it.
  static constexpr size_t kScratchNumbers = 2048;
  double* scratch = nullptr;
  Napi::Reference<Napi::ArrayBuffer> scratch_buffer;
  std::unique_ptr<ForwardLevel> forward_level;  // while this thread is in a dual level
  std::shared_ptr<Buffers> buffers = std::make_shared<Buffers>();
  std::shared_ptr<Bridge> bridge;  // from the engine back into JavaScript
  Cycles cycles;
  Napi::FunctionReference engine_caller;
  Passes passes;
  size_t interludes = 0;  // how deep in JavaScript that the engine called
  std::unordered_map<uint32_t, std::shared_ptr<SavedTensorsHooks>> saved_tensors_hooks;
  uint32_t last_saved_tensors_hooks = 0;
  Napi::FunctionReference stack_capturer;
  Napi::FunctionReference stack_annotator;
  Napi::FunctionReference line_source;  // of distributed/call_lines
  InFlight in_flight;
  // What the engine passes to the JavaScript function that it calls now.
  const std::vector<at::Tensor>* engine_arguments = nullptr;

  // Gives a tensor's JavaScript object a finalizer that runs inside garbage collection. Whether it
  // is time to collect the young objects.
  bool attach(napi_env env, napi_value object, Handle handle);

  // Makes V8 collect its young objects by `collector(options)`.
  void collect_young(napi_env env, napi_value collector, napi_value options);

  // Makes V8 collect now, and releases what it collected.
  void collect(napi_env env);

  // The same for circles through the graph too, which takes longer.
  void collect_cycles(napi_env env);

  // Releases the tensors whose objects were collected.
  void sweep(node_api_basic_env env);

  // Tells V8 of bytes that came or went, when they are many.
  void report_memory(node_api_basic_env env);

  // Gives free pages back to the system when they are many, and makes V8 collect now when the
  // tensors left to it have grown by much since the last time.
  void relieve_memory(napi_env env);

  // Makes `scope` and the autograd modes those of the context that runs now.
  void enter(uint32_t scope, bool grad_enabled, bool inference, uint32_t saved_tensors_hooks);
  bool is_inference() const { return inference_.has_value(); }
  uint32_t current_saved_tensors_hooks() const { return current_saved_tensors_hooks_; }

 private:
  explicit Environment(napi_env env) : env_(env) {}
  static void close(napi_env env, void* data, void* hint);
  static void collected(node_api_basic_env env, void* data, void* hint);
  static void sweep_later(napi_env env, void* data, void* hint);
  void delete_when_unused();

  napi_env const env_;

  // A collection may run in the middle of a call whose tensor has no other owner any more: the code
  // has read its number and no longer needs its object. So a collected tensor waits here until the
  // next tensor is made, or the event loop turns.
  std::vector<Handle> collected_;
  bool sweep_posted_ = false;

  // Memory that tensors leave soon is used again while the processor's cache still has it: so many
  // tensors, or bytes, since any was collected are enough, times 2^patience where it is not worth
  // its time.
  static constexpr int64_t kFewYoung = 512;
  static constexpr int64_t kFewYoungBytes = int64_t{8} << 20;
  static constexpr unsigned kMostPatience = 7;
  int64_t young_ = 0;
  int64_t young_bytes_ = 0;
  unsigned patience_ = 0;

  // Finalizers may run after the environment's own: it lives until the last of them.
  size_t attached_ = 0;
  bool closed_ = false;
  int64_t reported_ = 0;     // bytes that V8 was told of
  int64_t low_ = 0;          // their low since the last forced collection
  int64_t released_ = 0;     // bytes released since free pages were last looked for
  int64_t may_collect_ = 0;  // when the next collection may be forced, in ns of computing
  std::optional<c10::InferenceMode> inference_;
  uint32_t current_saved_tensors_hooks_ = 0;
};

// Keeps what an operator or the engine runs under, while it calls JavaScript in the middle of its
// work.
class Interlude {
 public:
  explicit Interlude(Environment& environment);
  ~Interlude();
  Interlude(const Interlude&) = delete;
  Interlude& operator=(const Interlude&) = delete;

 private:
  Environment& environment_;
  uint32_t scope_;
  bool grad_enabled_;
  bool inference_;
  uint32_t saved_tensors_hooks_;
};

}  // namespace aiforge
