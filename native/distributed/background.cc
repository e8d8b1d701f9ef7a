#include "background.h"

#include <c10/util/Exception.h>

#include <algorithm>

#include "../accelerator/accelerator.h"
#include "../errors.h"
#include "../kept_threads.h"

namespace aiforge {

Background& Background::open(napi_env env) {
  auto background = std::make_shared<Background>();
  background->queue_ = open_queue<complete, close>(env, "aiforge.distributed", background);
  return *background;
}

Background& Background::of(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  check(env, napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data));
  return *static_cast<Background*>(data);
}

void Background::close(void* data) {
  const std::unique_ptr<std::shared_ptr<Background>> holder(
      static_cast<std::shared_ptr<Background>*>(data));
  Background& background = **holder;
  for (const Ending& each : background.endings_) {
    if (background.pending_ > 0 && !each.of.expired()) each.end();
  }
  const std::lock_guard<std::mutex> lock(background.mutex_);
  napi_release_threadsafe_function(background.queue_, napi_tsfn_abort);
  background.queue_ = nullptr;
}

napi_value Background::promise(napi_env env, const std::function<void(Done)>& start) {
  napi_deferred deferred = nullptr;
  napi_value promise = nullptr;
  check(env, napi_create_promise(env, &deferred, &promise));
  if (pending_++ == 0) check(env, napi_ref_threadsafe_function(env, queue_));
  const Done done = [self = shared_from_this(), deferred](Settle settle) {
    self->post(std::make_unique<Completion>(Completion{deferred, std::move(settle)}));
  };
  try {
    start(done);
  } catch (...) {
    done([error = std::current_exception()](napi_env) -> napi_value {
      std::rethrow_exception(error);
    });
  }
  return promise;
}

void Background::at_end(std::weak_ptr<void> of, std::function<void()> end) {
  endings_.erase(std::remove_if(endings_.begin(), endings_.end(),
                                [](const Ending& each) { return each.of.expired(); }),
                 endings_.end());
  endings_.push_back({std::move(of), std::move(end)});
}

void Background::ask(Settle body) {
  post(std::make_unique<Completion>(Completion{nullptr, std::move(body)}));
}

void Background::post(std::unique_ptr<Completion> completion) {
  const std::lock_guard<std::mutex> lock(mutex_);
  // Kept forever when nobody is left to settle it: it may hold the last reference to a process
  // group, which must not be destroyed on one of the group's own threads.
  Completion* pointer = completion.release();
  if (queue_ != nullptr) napi_call_threadsafe_function(queue_, pointer, napi_tsfn_nonblocking);
}

void Background::complete(napi_env env, void* context, void* data) {
  const std::unique_ptr<Completion> completion(static_cast<Completion*>(data));
  auto* self = static_cast<Background*>(context);
  if (completion->deferred == nullptr) {
    completion->settle(env);
    return;
  }
  if (--self->pending_ == 0) napi_unref_threadsafe_function(env, self->queue_);
  settle(env, completion->deferred, completion->settle);
}

napi_value Background::settled(napi_env env, const Settle& settle) {
  napi_deferred deferred = nullptr;
  napi_value promise = nullptr;
  check(env, napi_create_promise(env, &deferred, &promise));
  Background::settle(env, deferred, settle);
  return promise;
}

void Background::settle(napi_env env, napi_deferred deferred, const Settle& settle) {
  napi_value value = guarded(env, [&] { return settle(env); });
  bool failed = false;
  napi_is_exception_pending(env, &failed);
  if (failed) {
    napi_value reason = nullptr;
    napi_get_and_clear_last_exception(env, &reason);
    napi_reject_deferred(env, deferred, reason);
    return;
  }
  if (value == nullptr) napi_get_undefined(env, &value);
  napi_resolve_deferred(env, deferred, value);
}

namespace {

bool contains(const std::string& text, std::initializer_list<const char*> parts) {
  for (const char* part : parts) {
    if (text.find(part) != std::string::npos) return true;
  }
  return false;
}

const char* remedy_of(const std::string& message) {
  if (contains(message, {"EADDRINUSE", "address already in use"})) {
    return "Another program listens on that port: stop it, or choose another MASTER_PORT.";
  }
  if (contains(message,
               {"Connection closed by peer", "Connection reset", "Broken pipe", "was likely closed",
                "remote process exited", "process group was aborted"})) {
    return "Another rank has ended, or aborted the group: its own output says why.";
  }
  if (contains(message, {"Resource temporarily unavailable"})) {
    return "No further thread can be started: wait for some of what waits first, or raise the "
           "limit of ulimit -u.";
  }
  if (contains(message, {"imed out", "imeout"})) {
    return "Check that every rank was started and is still running, and that MASTER_ADDR, "
           "MASTER_PORT and WORLD_SIZE are the same for all of them; a slow start needs a larger "
           "timeoutMs.";
  }
  if (contains(message, {"in this process with sizes", "different number of", "params[",
                         "Detected mismatch"})) {
    return "All ranks must build the same module and call the same collectives in the same order, "
           "with tensors of the same shape and dtype.";
  }
  if (contains(message, {"Unable to find address", "ifaddrs", "unable to find interface"})) {
    return "Set GLOO_SOCKET_IFNAME to a network interface of this machine, such as lo.";
  }
  return "";
}

[[noreturn]] void fail(const std::string& what, const std::string& message) {
  const std::string remedy = remedy_of(message);
  throw Error("DISTRIBUTED_FAILED",
              what + " failed: " + shortened(message) + "." + (remedy.empty() ? "" : " " + remedy));
}

}  // namespace

Settle failure(const std::exception_ptr& error, const std::string& what) {
  return [error, what](napi_env) -> napi_value {
    try {
      std::rethrow_exception(error);
    } catch (...) {
      rethrow_as_distributed(what);
    }
  };
}

std::string shortened(std::string message) {
  while (message.rfind("[/", 0) == 0 || message.rfind("[enforce fail", 0) == 0) {
    const size_t end = message.find("] ");
    if (end == std::string::npos) break;
    message.erase(0, end + 2);
  }
  for (const char* advice : {" This is typically caused by", " Did the remote server"}) {
    message.erase(std::min(message.find(advice), message.size()));
  }
  while (!message.empty() && (message.back() == '\n' || message.back() == '.')) message.pop_back();
  return message;
}

void rethrow_as_distributed(const std::string& what) {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const Napi::Error&) {
    throw;
  } catch (const PendingException&) {
    throw;
  } catch (const c10::Error& error) {
    fail(what, error.what_without_backtrace());
  } catch (const std::exception& error) {
    fail(what, error.what());
  }
}

napi_value Background::run(napi_env env, const char* what, std::function<Settle()> body) {
  return promise(env, [&](const Done& done) { work(what, done, std::move(body)); });
}

void work(const char* what, Background::Done done, std::function<Settle()> body) {
  try {
    run_on_kept_thread([what, done, device = DeviceContext(), body = std::move(body)]() mutable {
      Settle settle;
      try {
        device.enter();
        settle = body();
      } catch (...) {
        settle = failure(std::current_exception(), what);
      }
      // Before the promise settles, so that nothing `body` holds outlives it.
      body = nullptr;
      done(std::move(settle));
    });
  } catch (...) {
    done(failure(std::current_exception(), what));
  }
}

}  // namespace aiforge
