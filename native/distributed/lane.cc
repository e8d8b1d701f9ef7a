#include "lane.h"

#include <chrono>
#include <thread>

#include "../condition.h"

namespace aiforge {

Lane::Lane() : state_(std::make_shared<State>()) {}

Lane::~Lane() {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->is_closed = true;
  state_->changed.notify_one();
}

void Lane::post(std::function<void()> task) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (!state_->is_started) {
    std::thread(work, state_).detach();
    state_->is_started = true;
  }
  state_->tasks.push_back(std::move(task));
  ++state_->count;
  state_->changed.notify_one();
}

bool is_soon(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
  // Without a yield: on a busy machine another process would have the core for milliseconds.
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
  }
  return true;
}

void Lane::work(const std::shared_ptr<State>& state) {
  std::unique_lock<std::mutex> lock(state->mutex);
  while (true) {
    lock.unlock();
    is_soon([&] { return state->count > 0; });
    lock.lock();
    state->changed.wait(lock, [&] { return state->is_closed || !state->tasks.empty(); });
    if (state->tasks.empty()) return;
    auto task = std::move(state->tasks.front());
    state->tasks.pop_front();
    --state->count;
    lock.unlock();
    task();
    // Before the next wait: it may hold the last reference to what it worked on.
    task = nullptr;
    lock.lock();
  }
}

}  // namespace aiforge
