// Promises for what waits on other processes.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "../entries.h"

namespace aiforge {

// Runs on the JavaScript thread: gives a promise's value, or throws its reason.
using Settle = std::function<napi_value(napi_env)>;

// One JavaScript environment's pending promises. What blocks gets a thread of its own and not one
// of libuv's: a peer that does not answer would hold one of those four for minutes, and Node waits
// for them when the process ends.
class Background : public std::enable_shared_from_this<Background> {
 public:
  using Done = std::function<void(Settle)>;

  static Background& open(napi_env env);
  // The one that a function made by `define` belongs to.
  static Background& of(napi_env env, napi_callback_info info);

  // A promise that `start` arranges to settle by calling its argument once, on any thread. What
  // `start` throws before that is its reason.
  napi_value promise(napi_env env, const std::function<void(Done)>& start);

  // A promise that is settled already.
  static napi_value settled(napi_env env, const Settle& settle);

  // A promise for what `body` does on a thread of its own. Failures are described as those of
  // `what`.
  napi_value run(napi_env env, const char* what, std::function<Settle()> body);

  // Has `end` called where the environment ends while promises are pending, unless `of` has gone
  // before. On the JavaScript thread.
  void at_end(std::weak_ptr<void> of, std::function<void()> end);

  // Runs `body` on the JavaScript thread, soon; never where the environment has ended.
  void ask(Settle body);

  template <napi_callback Body>
  void define(napi_env env, napi_value object, const char* name) {
    aiforge::define<Body>(env, object, name, this);
  }

 private:
  struct Completion {
    napi_deferred deferred;  // null where nobody waits
    Settle settle;
  };

  static void settle(napi_env env, napi_deferred deferred, const Settle& settle);
  void post(std::unique_ptr<Completion> completion);
  static void complete(napi_env env, void* context, void* data);
  static void close(void* data);

  std::mutex mutex_;
  napi_threadsafe_function queue_ = nullptr;
  size_t pending_ = 0;
  struct Ending {
    std::weak_ptr<void> of;
    std::function<void()> end;
  };
  std::vector<Ending> endings_;
};

// Does `body` on a thread of its own and tells `done`, once; what `run` promises.
void work(const char* what, Background::Done done, std::function<Settle()> body);

// Takes away what means nothing to a user: source positions of LibTorch, and its own advice.
std::string shortened(std::string message);

// Rejects with an exception, described as a failure of `what`.
Settle failure(const std::exception_ptr& error, const std::string& what);

// Throws the exception being handled as a DISTRIBUTED_FAILED that says what failed and what to do.
// Errors of our own pass through unchanged.
[[noreturn]] void rethrow_as_distributed(const std::string& what);

}  // namespace aiforge
