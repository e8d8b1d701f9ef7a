#include "environment.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "allocator/allocator.h"
#include "autograd/autograd.h"
#include "calls/autocast.h"
#include "calls/values.h"
#include "errors.h"
#include "memory/sharing.h"
#include "topics.h"
#include "transforms/functorch.h"

namespace aiforge {

namespace {

constexpr int64_t kGrowthBytes = int64_t{96} << 20;
constexpr size_t kFewHooks = 16;
constexpr int64_t kColdTensorNs = 1000;
constexpr int64_t kColdBytesPerNs = 16;
constexpr int64_t kBeyondAnyLimit = int64_t{1} << 40;

// Time that this thread computed: a collection does not seem long because other processes ran.
int64_t thread_cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

thread_local Environment* of_thread = nullptr;

// It may fail where the stack is nearly full, or the environment ends: then nothing is collected.
void call_collector(napi_env env, napi_value collector, napi_value options) {
  napi_value nothing = nullptr;
  check(env, napi_get_undefined(env, &nothing));
  if (napi_call_function(env, nothing, collector, 1, &options, nullptr) != napi_pending_exception)
    return;
  napi_get_and_clear_last_exception(env, &nothing);
}

}  // namespace

Environment& Environment::open(Napi::Env env) {
  std::unique_ptr<Environment> environment(new Environment(env));
  environment->bridge = Bridge::open(env);
  set_instance_data<close>(env, environment.get());
  of_thread = environment.get();
  return *environment.release();
}

Environment& Environment::of(napi_env env) { return *find(env); }

Environment* Environment::find(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return static_cast<Environment*>(data);
}

napi_value Environment::exports_of_thread() {
  const bool is_there = of_thread != nullptr && !of_thread->exports.IsEmpty();
  return is_there ? napi_value(of_thread->exports.Value()) : nullptr;
}

void Environment::close(napi_env, void* data, void*) {
  auto* environment = static_cast<Environment*>(data);
  environment->closed_ = true;
  if (of_thread == environment) of_thread = nullptr;
  environment->exports.Reset();
  end_sharing(environment);
  Drawing::end(*environment);
  environment->inference_.reset();
  environment->forward_level.reset();
  environment->handles = Handles();
  environment->error_factory.Reset();
  environment->engine_caller.Reset();
  environment->scratch_buffer.Reset();
  environment->stack_capturer.Reset();
  environment->stack_annotator.Reset();
  environment->line_source.Reset();
  environment->saved_tensors_hooks.clear();
  active_saved_tensors_hooks().reset();
  forget_anomaly(*environment);
  environment->generators.clear();
  environment->buffers = std::make_shared<Buffers>();
  environment->delete_when_unused();
}

void Environment::delete_when_unused() {
  if (closed_ && attached_ == 0) delete this;
}

bool Environment::attach(napi_env env, napi_value object, Handle handle) {
  sweep(env);
  // The handle itself is the wrapped pointer: nothing is allocated.
  auto* data = reinterpret_cast<void*>(static_cast<uintptr_t>(handle));
  when_collected<collected>(env, object, data, this);
  ++attached_;
  young_bytes_ += handles.report(handle);
  ++young_;
  report_memory(env);
  relieve_memory(env);
  return young_ >= kFewYoung << patience_ || young_bytes_ >= kFewYoungBytes << patience_;
}

void Environment::collect_young(napi_env env, napi_value collector, napi_value options) {
  const int64_t bytes_each = young_bytes_ / std::max<int64_t>(young_, 1);
  const size_t before = collected_.size();
  const int64_t start = thread_cpu_ns();
  call_collector(env, collector, options);
  const int64_t took = thread_cpu_ns() - start;
  const auto released = static_cast<int64_t>(collected_.size() - before);
  // What it takes to use memory that no cache has, in place of what was released.
  if (took > released * (kColdTensorNs + bytes_each / kColdBytesPerNs)) {
    patience_ = std::min(patience_ + 1, kMostPatience);
  } else if (patience_ > 0) {
    --patience_;
  }
  young_bytes_ = 0;
  young_ = 0;
}

void Environment::collected(node_api_basic_env, void* data, void* hint) {
  auto* environment = static_cast<Environment*>(hint);
  --environment->attached_;
  environment->young_ = 0;
  environment->young_bytes_ = 0;
  if (!environment->closed_) {
    environment->collected_.push_back(static_cast<Handle>(reinterpret_cast<uintptr_t>(data)));
    if (!environment->sweep_posted_ && post<sweep_later>(environment->env_, environment)) {
      environment->sweep_posted_ = true;
      ++environment->attached_;
    }
  }
  environment->delete_when_unused();
}

void Environment::sweep_later(napi_env env, void* data, void*) {
  auto* environment = static_cast<Environment*>(data);
  --environment->attached_;
  environment->sweep_posted_ = false;
  if (!environment->closed_) {
    environment->sweep(env);
    if (environment->cycles.may_have_grown(kFewHooks)) environment->collect_cycles(env);
  }
  environment->delete_when_unused();
}

void Environment::sweep(node_api_basic_env env) {
  if (collected_.empty()) return;
  for (const Handle handle : std::exchange(collected_, {})) handles.release(handle);
  report_memory(env);
  buffers->drain(env);
}

void Environment::report_memory(node_api_basic_env env) {
  const int64_t change = handles.take_unreported_bytes();
  if (change == 0) return;
  int64_t total = 0;
  napi_adjust_external_memory(env, change, &total);
  reported_ += change;
  if (change < 0) released_ -= change;
  low_ = std::min(low_, reported_);
}

// Memory beyond any limit makes V8 collect at once.
void Environment::collect(napi_env env) {
  int64_t total = 0;
  cycles.loosen(handles);
  napi_adjust_external_memory(env, kBeyondAnyLimit, &total);
  napi_adjust_external_memory(env, -kBeyondAnyLimit, &total);
  cycles.fasten();
  sweep(env);
}

void Environment::collect_cycles(napi_env env) {
  collect(env);  // the graphs that nobody has any more, which hold tensors
  collect(env);
  cycles.note_what_is_left();
}

// V8 answers external memory with marking on its helper threads, which a synchronous loop on busy
// cores outruns by hundreds of megabytes.
void Environment::relieve_memory(napi_env env) {
  if (released_ > kGrowthBytes) {
    released_ = 0;
    return_free_pages();
  }
  if (reported_ < low_ + kGrowthBytes + low_ / 2) return;
  const int64_t start = thread_cpu_ns();
  // At most a tenth of the computing goes into forced collections, however large the JavaScript
  // heap.
  if (start < may_collect_ && reported_ < low_ + 8 * kGrowthBytes) return;
  collect(env);
  low_ = reported_;
  const int64_t end = thread_cpu_ns();
  may_collect_ = end + 9 * (end - start);
}

void Environment::enter(uint32_t scope, bool grad_enabled, bool inference, uint32_t hooks) {
  handles.enter_scope(scope);
  if (hooks != current_saved_tensors_hooks_) {
    const auto found = saved_tensors_hooks.find(hooks);
    active_saved_tensors_hooks() = found == saved_tensors_hooks.end() ? nullptr : found->second;
    current_saved_tensors_hooks_ = hooks;
  }
  if (inference != inference_.has_value()) {
    // The guard saves and restores all of the thread's dispatch keys, and autocast's are not its
    // own.
    const AutocastSwitches autocast;
    if (inference) {
      inference_.emplace(true);
    } else {
      inference_.reset();
    }
    autocast.enter();
    keep_transforms_dispatched();
  }
  if (!inference) c10::GradMode::set_enabled(grad_enabled);
}

Interlude::Interlude(Environment& environment)
    : environment_(environment),
      scope_(environment.handles.current_scope()),
      grad_enabled_(c10::GradMode::is_enabled()),
      inference_(environment.is_inference()),
      saved_tensors_hooks_(environment.current_saved_tensors_hooks()) {
  ++environment_.interludes;
}

Interlude::~Interlude() {
  --environment_.interludes;
  environment_.enter(scope_, grad_enabled_, inference_, saved_tensors_hooks_);
  c10::GradMode::set_enabled(grad_enabled_);
}

namespace {

napi_value attach(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    const bool is_time = Environment::of(env).attach(env, args[0], args.handle(1));
    return is_time ? napi_value(Napi::Boolean::New(env, true)) : nullptr;
  });
}

napi_value collect(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value {
    Environment::of(env).collect(env);
    return nullptr;
  });
}

// collectYoung(collector, options)
napi_value collect_young(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    Environment::of(env).collect_young(env, args[0], args[1]);
    return nullptr;
  });
}

napi_value dispose(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    Environment& environment = Environment::of(env);
    const bool released = environment.handles.release(args.handle(0));
    environment.report_memory(env);
    environment.buffers->drain(env);
    return Napi::Boolean::New(env, released);
  });
}

napi_value enter(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<4> args(env, info);
    Environment::of(env).enter(args.uint32(0), args.boolean(1), args.boolean(2), args.uint32(3));
    return nullptr;
  });
}

napi_value open_scope(napi_env env, napi_callback_info) {
  return guarded(env, [&] { return number(env, Environment::of(env).handles.open_scope()); });
}

napi_value close_scope(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    Environment& environment = Environment::of(env);
    environment.handles.close_scope(args.uint32(0));
    environment.report_memory(env);
    environment.buffers->drain(env);
    return nullptr;
  });
}

napi_value rehome(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    Environment& environment = Environment::of(env);
    const Handle from = args.handle(0);
    const Handle to = environment.handles.rehome(from);
    environment.cycles.move(from, to);
    return from_handle(env, to);
  });
}

napi_value is_live(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return Napi::Boolean::New(env, Environment::of(env).handles.is_live(args.handle(0)));
  });
}

// memory(): { tensors, peak, scopes: [number, tensors, bytes, …] }, first what is outside every
// scope
napi_value memory(napi_env env, napi_callback_info) {
  Environment& environment = Environment::of(env);
  environment.sweep(env);
  const std::vector<Handles::Usage> usage = environment.handles.usage();
  auto scopes = Napi::Float64Array::New(env, 3 * usage.size());
  for (size_t i = 0; i < usage.size(); ++i) {
    scopes[3 * i] = usage[i].scope;
    scopes[3 * i + 1] = static_cast<double>(usage[i].tensors);
    scopes[3 * i + 2] = static_cast<double>(usage[i].bytes);
  }
  Napi::Object stats = Napi::Object::New(env);
  stats.Set("tensors", static_cast<double>(environment.handles.live()));
  stats.Set("peak", static_cast<double>(environment.handles.peak()));
  stats.Set("scopes", scopes);
  return stats;
}

// scratchBuffer(): the ArrayBuffer that both sides write numbers into.
napi_value scratch_buffer(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value {
    Environment& environment = Environment::of(env);
    if (environment.scratch == nullptr) {
      Napi::ArrayBuffer buffer =
          Napi::ArrayBuffer::New(env, Environment::kScratchNumbers * sizeof(double));
      environment.scratch_buffer = Napi::Persistent(buffer);
      environment.scratch = static_cast<double*>(buffer.Data());
    }
    return environment.scratch_buffer.Value();
  });
}

napi_value set_error_factory(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    Environment::of(env).error_factory = Napi::Persistent(args.function(0));
    return nullptr;
  });
}

napi_value keeps_finalizers(napi_env env, napi_callback_info) {
  return Napi::Boolean::New(env, has_keeper());
}

}  // namespace

void define_environment(Napi::Env env, Napi::Object exports) {
  define<attach>(env, exports, "attach");
  define<collect>(env, exports, "collect");
  define<collect_young>(env, exports, "collectYoung");
  define<dispose>(env, exports, "dispose");
  define<enter>(env, exports, "enter");
  define<open_scope>(env, exports, "openScope");
  define<close_scope>(env, exports, "closeScope");
  define<rehome>(env, exports, "rehome");
  define<scratch_buffer>(env, exports, "scratchBuffer");
  define<is_live>(env, exports, "isLive");
  define<set_error_factory>(env, exports, "setErrorFactory");
  define<keeps_finalizers>(env, exports, "hasKeeper");
  define<memory>(env, exports, "memory");
}

}  // namespace aiforge
