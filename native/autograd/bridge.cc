#include "bridge.h"

#include <optional>
#include <utility>

#include "../condition.h"
#include "../entries.h"
#include "../environment.h"
#include "../errors.h"

namespace aiforge {

namespace {

thread_local Bridge* bridge_of_thread = nullptr;

}  // namespace

std::shared_ptr<Bridge> Bridge::open(napi_env env) {
  auto bridge = std::make_shared<Bridge>();
  bridge->env_ = env;
  bridge->queue_ = open_queue<serve_all, close>(env, "aiforge.engine", bridge);
  bridge_of_thread = bridge.get();
  return bridge;
}

Bridge* Bridge::here() { return bridge_of_thread; }

void Bridge::close(void* data) {
  const std::unique_ptr<std::shared_ptr<Bridge>> holder(
      static_cast<std::shared_ptr<Bridge>*>(data));
  Bridge& bridge = **holder;
  bridge_of_thread = nullptr;
  std::deque<Task> refused;
  {
    const std::lock_guard<std::mutex> lock(bridge.signal_->mutex);
    bridge.closed_ = true;
    bridge.tasks_.swap(refused);
    bridge.dropped_.clear();  // Node-API frees the references itself
    napi_release_threadsafe_function(bridge.queue_, napi_tsfn_abort);
    bridge.queue_ = nullptr;
  }
  for (const Task& task : refused) task.refuse();
}

void Bridge::wake() {
  if (awake_) return;
  awake_ = true;
  napi_call_threadsafe_function(queue_, nullptr, napi_tsfn_nonblocking);
}

void Bridge::add(Task task) {
  {
    const std::lock_guard<std::mutex> lock(signal_->mutex);
    if (!closed_) {
      tasks_.push_back(std::move(task));
      wake();
      signal_->changed.notify_all();
      return;
    }
  }
  task.refuse();
}

void Bridge::post(std::function<void(napi_env)> body) {
  add({std::move(body), [] {}});
}

void Bridge::call(const std::function<void(napi_env)>& body) {
  if (is_here()) {
    const Napi::HandleScope scope(env_);
    body(env_);
    return;
  }
  // An environment's thread goes on serving its own while it waits for another.
  Bridge* const waiting = here();
  const auto signal = waiting == nullptr ? std::make_shared<Signal>() : waiting->signal_;
  struct State {
    bool done = false;
    std::exception_ptr error;
  };
  const auto state = std::make_shared<State>();
  const auto finish = [signal, state](std::exception_ptr error) {
    const std::lock_guard<std::mutex> lock(signal->mutex);
    state->error = std::move(error);
    state->done = true;
    signal->changed.notify_all();
  };
  const auto run = [&body, finish](napi_env env) {
    std::exception_ptr error;
    try {
      body(env);
    } catch (...) {
      error = std::current_exception();
    }
    finish(std::move(error));
  };
  const auto refuse = [finish] {
    finish(std::make_exception_ptr(Error(
        "OPERATOR_FAILED", "The thread has ended whose JavaScript function this graph calls.")));
  };
  add({run, refuse});
  const auto done = [state] { return state->done; };
  if (waiting != nullptr) {
    waiting->serve_until(done);
  } else {
    std::unique_lock<std::mutex> lock(signal->mutex);
    signal->changed.wait(lock, done);
  }
  if (state->error) std::rethrow_exception(state->error);
}

void Bridge::serve_one(std::unique_lock<std::mutex>& lock) {
  std::optional<Task> task = std::move(tasks_.front());
  tasks_.pop_front();
  lock.unlock();
  {
    const Napi::HandleScope scope(env_);
    task->run(env_);
    task.reset();  // it may hold references, which lock to be dropped
  }
  lock.lock();
}

void Bridge::serve_until(const std::function<bool()>& done) {
  std::unique_lock<std::mutex> lock(signal_->mutex);
  while (!done()) {
    if (tasks_.empty()) {
      signal_->changed.wait(lock);
    } else {
      serve_one(lock);
    }
  }
}

void Bridge::serve_pending() {
  std::unique_lock<std::mutex> lock(signal_->mutex);
  while (!tasks_.empty()) serve_one(lock);
}

void Bridge::serve_all(napi_env, void* context, void*) {
  const auto self = static_cast<Bridge*>(context)->shared_from_this();
  std::unique_lock<std::mutex> lock(self->signal_->mutex);
  self->awake_ = false;
  // Only what is there now: the event loop has its turn before what comes meanwhile.
  for (size_t left = self->tasks_.size(); left > 0 && !self->tasks_.empty(); --left) {
    self->serve_one(lock);
  }
  lock.unlock();
  self->delete_dropped();
}

void Bridge::hold() {
  if (holds_++ == 0) check(env_, napi_ref_threadsafe_function(env_, queue_));
}

void Bridge::let_go() {
  if (--holds_ == 0) napi_unref_threadsafe_function(env_, queue_);
}

void Bridge::drop(napi_ref reference) {
  const std::lock_guard<std::mutex> lock(signal_->mutex);
  if (closed_) return;
  dropped_.push_back(reference);
  wake();
}

void Bridge::delete_dropped() {
  std::vector<napi_ref> dropped;
  {
    const std::lock_guard<std::mutex> lock(signal_->mutex);
    dropped.swap(dropped_);
  }
  for (const napi_ref reference : dropped) napi_delete_reference(env_, reference);
}

JsReference::JsReference(Bridge& bridge, napi_value value) : bridge_(bridge.shared_from_this()) {
  // Here too, since a loop that never turns the event loop makes and drops them.
  bridge.delete_dropped();
  check(bridge.env(), napi_create_reference(bridge.env(), value, 1, &reference_));
  ++bridge.held;
}

JsReference::~JsReference() {
  --bridge_->held;
  bridge_->drop(reference_);
}

napi_value JsReference::value() const {
  napi_value value = nullptr;
  check(bridge_->env(), napi_get_reference_value(bridge_->env(), reference_, &value));
  if (value == nullptr)
    throw Error("OPERATOR_FAILED", "the function that this graph calls is gone");
  return value;
}

bool JsReference::loosen() {
  return napi_reference_unref(bridge_->env(), reference_, nullptr) == napi_ok;
}

void JsReference::fasten() { napi_reference_ref(bridge_->env(), reference_, nullptr); }

void throw_pending(napi_env env) {
  napi_value error = nullptr;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending && napi_get_and_clear_last_exception(env, &error) == napi_ok && error != nullptr) {
    throw JsException(std::make_shared<JsReference>(*Bridge::here(), error));
  }
  throw Error("OPERATOR_FAILED", "This thread ends: it runs no more JavaScript.");
}

}  // namespace aiforge
