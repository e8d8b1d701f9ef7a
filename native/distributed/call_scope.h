// The JavaScript call that collectives are begun for.
#pragma once

#include <chrono>
#include <cstdint>
#include <torch/csrc/distributed/c10d/Types.hpp>
#include <utility>

namespace aiforge {

// Lives while a call begins its collectives, on the thread that begins them; c10d's own callers,
// such as the Reducer, have none.
class CallScope {
 public:
  CallScope(uint32_t id, const char* name, std::chrono::milliseconds timeout = c10d::kUnsetTimeout)
      : id(id), name(name), timeout(timeout), outer_(current_) {
    current_ = this;
  }
  ~CallScope() { current_ = outer_; }
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

  static const CallScope* current() { return current_; }

  const uint32_t id;  // by which lib/distributed/collectives/calls.ts knows the user's line
  const char* const name;
  const std::chrono::milliseconds timeout;  // of a send or receive, for which c10d has no option

 private:
  const CallScope* const outer_;
  static thread_local const CallScope* current_;
};

// Lives while c10d's callers exchange something beside gradients, on the thread that begins it.
class BesideGradients {
 public:
  BesideGradients() : outer_(std::exchange(is_on_, true)) {}
  ~BesideGradients() { is_on_ = outer_; }
  BesideGradients(const BesideGradients&) = delete;
  BesideGradients& operator=(const BesideGradients&) = delete;

  static bool is_on() { return is_on_; }

 private:
  const bool outer_;
  static thread_local bool is_on_;
};

}  // namespace aiforge
