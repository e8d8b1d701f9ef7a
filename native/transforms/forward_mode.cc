#include "forward_mode.h"

#include <torch/csrc/autograd/forward_grad.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "../environment.h"
#include "../errors.h"
#include "../topics.h"

namespace aiforge {

namespace {

// LibTorch's level belongs to the process, so the turn of the threads does too.
struct Turn {
  std::mutex mutex;
  std::condition_variable freed;
  bool taken = false;
};

Turn& turn() {
  static Turn shared;
  return shared;
}

constexpr std::chrono::seconds kLongestWait{30};

void take_turn() {
  std::unique_lock<std::mutex> lock(turn().mutex);
  if (!turn().freed.wait_for(lock, kLongestWait, [] { return !turn().taken; })) {
    throw Error("OPERATOR_FAILED",
                "another thread has been differentiating in forward mode for 30 s, and LibTorch "
                "does so in one thread at a time: end its dualLevel() first");
  }
  turn().taken = true;
}

void give_turn() {
  {
    const std::lock_guard<std::mutex> lock(turn().mutex);
    turn().taken = false;
  }
  turn().freed.notify_one();
}

}  // namespace

ForwardLevel::ForwardLevel() {
  take_turn();
  try {
    index_ = static_cast<int64_t>(torch::autograd::ForwardADLevel::get_next_idx());
  } catch (...) {
    give_turn();
    throw;
  }
}

ForwardLevel::~ForwardLevel() {
  try {
    torch::autograd::ForwardADLevel::release_idx(static_cast<uint64_t>(index_));
  } catch (...) {
    // The level is gone already, which is what was wanted.
  }
  give_turn();
}

namespace {

// enterDualLevel(): the index of the level
napi_value enter_dual_level(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    Environment& environment = Environment::of(env);
    if (environment.forward_level != nullptr) {
      throw Error("INVALID_ARGUMENT",
                  "dual levels cannot be nested: use func.jvp() for derivatives of higher order");
    }
    environment.forward_level = std::make_unique<ForwardLevel>();
    return number(env, static_cast<double>(environment.forward_level->index()));
  });
}

// exitDualLevel(): every tangent of the level is released
napi_value exit_dual_level(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    Environment::of(env).forward_level.reset();
    return nullptr;
  });
}

// hasDualLevel(): whether this thread is in a dual level
napi_value has_dual_level(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    return Napi::Boolean::New(env, Environment::of(env).forward_level != nullptr);
  });
}

}  // namespace

void define_forward_mode(Napi::Env env, Napi::Object exports) {
  define<enter_dual_level>(env, exports, "enterDualLevel");
  define<exit_dual_level>(env, exports, "exitDualLevel");
  define<has_dual_level>(env, exports, "hasDualLevel");
}

}  // namespace aiforge
