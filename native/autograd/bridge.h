// The way from LibTorch's engine, on whatever thread it runs, into one JavaScript environment.
#pragma once

#include <napi.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace aiforge {

// Wakes a thread that waits for another one.
struct Signal {
  std::mutex mutex;
  std::condition_variable changed;
};

// What an environment's own thread does for other threads. It serves them when its event loop
// turns, and while it waits itself: so two threads that wait for each other still get on.
class Bridge : public std::enable_shared_from_this<Bridge> {
 public:
  static std::shared_ptr<Bridge> open(napi_env env);
  // The one of the environment that this thread belongs to, or null.
  static Bridge* here();

  bool is_here() const { return here() == this; }
  napi_env env() const { return env_; }  // on its own thread only

  // Runs `body` on the environment's thread and waits for it; throws what it throws.
  void call(const std::function<void(napi_env)>& body);

  // Runs `body` on the environment's thread some time later, unless it has ended by then. From any
  // thread.
  void post(std::function<void(napi_env)> body);

  // On the environment's thread: does what other threads ask for until `done`, which is read and
  // changed under `signal()`'s mutex.
  void serve_until(const std::function<bool()>& done);
  // The same for what they ask for now.
  void serve_pending();
  const std::shared_ptr<Signal>& signal() const { return signal_; }

  // Keeps the process alive while a promise is pending. On the environment's thread.
  void hold();
  void let_go();

  // Frees a reference, from any thread, inside garbage collection too.
  void drop(napi_ref reference);
  // How many JavaScript values the engine holds.
  std::atomic<size_t> held{0};

 private:
  friend class JsReference;

  struct Task {
    std::function<void(napi_env)> run;
    std::function<void()> refuse;  // instead of `run`, when the environment has ended
  };

  void add(Task task);
  void wake();  // under the signal's mutex
  void serve_one(std::unique_lock<std::mutex>& lock);
  void delete_dropped();
  static void serve_all(napi_env env, void* context, void* data);
  static void close(void* data);

  napi_env env_ = nullptr;
  size_t holds_ = 0;
  std::shared_ptr<Signal> signal_ = std::make_shared<Signal>();
  // Under the signal's mutex:
  bool closed_ = false;
  bool awake_ = false;
  std::deque<Task> tasks_;
  std::vector<napi_ref> dropped_;
  napi_threadsafe_function queue_ = nullptr;
};

// A JavaScript value that the engine holds; it may be dropped on any thread.
class JsReference {
 public:
  JsReference(Bridge& bridge, napi_value value);
  ~JsReference();
  JsReference(const JsReference&) = delete;
  JsReference& operator=(const JsReference&) = delete;

  Bridge& bridge() const { return *bridge_; }
  napi_value value() const;  // on the environment's thread

  // On the environment's thread, about a collection: whether V8 may take the value now, and that it
  // may not any more.
  bool loosen();
  void fasten();

 private:
  std::shared_ptr<Bridge> bridge_;
  napi_ref reference_ = nullptr;
};

// What JavaScript threw, on its way through the engine.
class JsException : public std::exception {
 public:
  explicit JsException(std::shared_ptr<JsReference> value) : value_(std::move(value)) {}
  const JsReference& value() const { return *value_; }
  const char* what() const noexcept override { return "JavaScript that the engine called threw"; }

 private:
  std::shared_ptr<JsReference> value_;
};

// Throws the exception that a Node-API call left pending.
[[noreturn]] void throw_pending(napi_env env);

}  // namespace aiforge
