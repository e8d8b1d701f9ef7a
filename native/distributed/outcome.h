// Promises for what may never end, which are settled all the same.
#pragma once

#include <napi.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "background.h"

namespace aiforge {

// The outcome of a task, and whom to tell: it is known before or after somebody asks, or too late.
struct Outcome {
  enum { kPending, kKnown, kAwaited, kLate };

  std::atomic<int> state{kPending};
  Settle settle;
  Background::Done done;

  void know(Settle known) {
    settle = std::move(known);
    if (state.exchange(kKnown) == kAwaited) done(std::move(settle));
  }
};

// Has `done` told of an outcome, or of one that is not known when `limit` is over.
void await(const std::shared_ptr<Outcome>& outcome, Background::Done done,
           std::chrono::milliseconds limit, const std::string& late_message);

// Does on a thread of its own what c10d may never end. Failures are described as those of `what`.
napi_value beside(napi_env env, napi_callback_info info, const char* what,
                  std::chrono::milliseconds limit, const std::string& late_message,
                  std::function<Settle()> body);

}  // namespace aiforge
