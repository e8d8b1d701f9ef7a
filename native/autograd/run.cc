#include "run.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ThreadLocalState.h>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/graph_task.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <mutex>

#include "../accelerator/accelerator.h"
#include "../calls/autocast.h"
#include "../calls/values.h"
#include "../environment.h"
#include "../errors.h"
#include "../kept_threads.h"
#include "../topics.h"
#include "anomaly.h"
#include "autograd.h"
#include "guests.h"

namespace aiforge {

namespace {

// While the engine calls JavaScript: what it knows of its pass on the thread that it calls from.
thread_local bool is_callers_checkpoint_valid = true;

// A slot of LibTorch's thread-local state that LibTorch itself does not use.
const auto kSlot = c10::DebugInfoKind::PRODUCER_INFO;

// Passes on threads of their own, of all environments.
std::atomic<size_t> passes_beside{0};

#if defined(__GLIBC__)
// A pass cannot be stopped, and must not lose LibTorch's statics under its feet when the process
// ends.
void leave_at_once(int status, void*) {
  if (passes_beside > 0) _exit(status);
}
#endif

void guard_exit() {
#if defined(__GLIBC__)
  static std::once_flag registered;
  std::call_once(registered, [] { on_exit(leave_at_once, nullptr); });
#endif
}

// A thread with this one's modes and settings.
void start_thread(std::function<void()> work) {
  guard_exit();
  ++passes_beside;
  try {
    run_on_kept_thread([state = at::ThreadLocalState(), threads = at::get_num_threads(),
                        device = DeviceContext(), autocast = AutocastDtypes(),
                        work = std::move(work)]() mutable {
      {
        const at::ThreadLocalStateGuard guard(state);
        device.enter();
        autocast.enter();
        if (at::get_num_threads() != threads) at::set_num_threads(threads);
        work();
        work = nullptr;
      }
      --passes_beside;
    });
  } catch (...) {
    --passes_beside;
    throw;
  }
}

std::exception_ptr attempt(const std::function<void()>& body) {
  try {
    body();
    return nullptr;
  } catch (...) {
    return std::current_exception();
  }
}

// The engine waits for locks of nodes, and calls JavaScript under some of them. So a pass may take
// this environment's thread only while no other thread can hold such a lock and wait for this one.
bool may_run_here(const Environment& environment) {
  return environment.passes.beside == 0 && !(environment.bridge->held > 0 && is_device_used());
}

class SynchronousPass {
 public:
  explicit SynchronousPass(Passes& passes) : passes_(passes) { ++passes_.synchronous; }
  ~SynchronousPass() {
    if (--passes_.synchronous > 0) return;
    for (const auto& start : std::exchange(passes_.waiting, {})) start();
  }
  SynchronousPass(const SynchronousPass&) = delete;
  SynchronousPass& operator=(const SynchronousPass&) = delete;

 private:
  Passes& passes_;
};

void run_served(Environment& environment, const std::function<void()>& pass) {
  struct State {
    bool done = false;
    std::exception_ptr error;
  };
  const auto state = std::make_shared<State>();
  Bridge& bridge = *environment.bridge;
  ++environment.passes.beside;
  try {
    start_thread([state, signal = bridge.signal(), &pass] {
      std::exception_ptr error = attempt(pass);
      const std::lock_guard<std::mutex> lock(signal->mutex);
      state->error = std::move(error);
      state->done = true;
      signal->changed.notify_all();
    });
  } catch (...) {
    --environment.passes.beside;
    throw;
  }
  bridge.serve_until([state] { return state->done; });
  --environment.passes.beside;
  if (state->error) std::rethrow_exception(state->error);
}

void settle(Environment& environment, napi_env env, napi_deferred deferred, const Run& run,
            const std::exception_ptr& error) {
  napi_value value = nullptr;
  if (!error) {
    napi_get_undefined(env, &value);
    napi_resolve_deferred(env, deferred, value);
    return;
  }
  guarded(env, [&]() -> napi_value { rethrow_with_stack(environment, env, run, error); });
  napi_get_and_clear_last_exception(env, &value);
  napi_reject_deferred(env, deferred, value);
}

}  // namespace

void Run::set_forward_stack(std::string stack) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (forward_stack_.empty()) forward_stack_ = std::move(stack);
}

std::string Run::forward_stack() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return forward_stack_;
}

Run* Run::current() {
  auto* run = static_cast<Run*>(c10::ThreadLocalDebugInfo::get(kSlot));
  return run == nullptr || run->context == 0 ? nullptr : run;
}

bool is_checkpoint_valid() {
  return is_callers_checkpoint_valid &&
         torch::autograd::Engine::get_default_engine().is_checkpoint_valid();
}

void call_js(const JsReference& function, const std::vector<at::Tensor>& arguments,
             const std::function<void(napi_env, napi_value)>& read) {
  const Run* run = Run::current();
  const uint32_t context = run == nullptr ? 0 : run->context;
  const bool grad_enabled = c10::GradMode::is_enabled();
  const int task = torch::autograd::get_current_graph_task_id();
  const bool is_valid = is_checkpoint_valid();
  const DeviceContext engines;
  function.bridge().call([&](napi_env env) {
    Environment& environment = Environment::of(env);
    const DeviceVisit visit(engines);
    const Interlude interlude(environment);
    const c10::DebugInfoGuard outside(kSlot, std::make_shared<Run>(0));
    const auto* before = std::exchange(environment.engine_arguments, &arguments);
    const bool was_valid = std::exchange(is_callers_checkpoint_valid, is_valid);
    const napi_value values[] = {function.value(), number(env, context),
                                 Napi::Boolean::New(env, grad_enabled), number(env, task)};
    napi_value result = nullptr;
    const napi_status status =
        napi_call_function(env, Napi::Env(env).Undefined(), environment.engine_caller.Value(),
                           std::size(values), values, &result);
    environment.engine_arguments = before;
    is_callers_checkpoint_valid = was_valid;
    if (status != napi_ok) throw_pending(env);
    read(env, result);
  });
}

void run_pass(Environment& environment, uint32_t context, const std::vector<at::Tensor>& roots,
              const std::function<void()>& pass) {
  if (environment.passes.beside > 0 && environment.interludes == 0) guests_of(environment, roots);
  const auto run = std::make_shared<Run>(context);
  const std::exception_ptr error = attempt([&] {
    const c10::DebugInfoGuard guard(kSlot, run);
    const SynchronousPass synchronous(environment.passes);
    if (may_run_here(environment)) return pass();
    run_served(environment, pass);
  });
  if (error) rethrow_with_stack(environment, environment.bridge->env(), *run, error);
}

napi_value run_pass_beside(Environment& environment, napi_env env, uint32_t context,
                           const std::vector<at::Tensor>& roots, std::function<void()> pass) {
  const PassGuests guests = guests_of(environment, roots);
  napi_deferred deferred = nullptr;
  napi_value promise = nullptr;
  check(env, napi_create_promise(env, &deferred, &promise));
  const auto bridge = environment.bridge;
  bridge->hold();
  ++environment.passes.beside;
  for (const auto& guest : guests) ++guest->passes_beside;
  const auto run = std::make_shared<Run>(context);
  const auto finish = [bridge, deferred, run, guests](const std::exception_ptr& error) {
    bridge->post([deferred, error, run, guests](napi_env own) {
      Environment& finished = Environment::of(own);
      --finished.passes.beside;
      for (const auto& guest : guests) --guest->passes_beside;
      finished.bridge->let_go();
      settle(finished, own, deferred, *run, error);
    });
  };
  const c10::DebugInfoGuard guard(kSlot, run);
  auto start = [work = std::move(pass), finish, state = at::ThreadLocalState()]() mutable {
    const at::ThreadLocalStateGuard modes(state);
    const std::exception_ptr refused = attempt([&] {
      start_thread([work = std::move(work), finish]() mutable {
        const std::exception_ptr error = attempt(work);
        // Before the promise settles, so that nothing the pass holds outlives it.
        work = nullptr;
        finish(error);
      });
    });
    if (refused) finish(refused);
  };
  if (environment.passes.synchronous == 0) {
    start();
  } else {
    environment.passes.waiting.emplace_back(std::move(start));
  }
  return promise;
}

namespace {

// engineArguments(): the tensors for the function that the engine calls now, made in the current
// scope
napi_value engine_arguments(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value {
    Environment& environment = Environment::of(env);
    if (environment.engine_arguments == nullptr) {
      throw Error("INVALID_ARGUMENT", "the engine calls no JavaScript now");
    }
    return from_tensors(environment, env, *environment.engine_arguments);
  });
}

// setEngineCaller(caller): `caller(function, context, gradEnabled, graphTask)` runs a function that
// the engine calls
napi_value set_engine_caller(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    Environment::of(env).engine_caller = Napi::Persistent(args.function(0));
    return nullptr;
  });
}

}  // namespace

void define_runs(Napi::Env env, Napi::Object exports) {
  define<engine_arguments>(env, exports, "engineArguments");
  define<set_engine_caller>(env, exports, "setEngineCaller");
}

}  // namespace aiforge
