// A thread that does one thing after another, for what is too short to be worth a thread of its
// own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace aiforge {

// Whether something becomes true within some 50 µs: what takes less than waking a thread is waited
// for awake.
bool is_soon(const std::function<bool()>& condition);

// Begins with its first task. Its end waits for none: what is under way may take as long as a
// server that does not answer.
class Lane {
 public:
  Lane();
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // `task` must not throw.
  void post(std::function<void()> task);

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::function<void()>> tasks;
    std::atomic<size_t> count{0};  // of tasks
    bool is_started = false;
    bool is_closed = false;
  };

  static void work(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
};

}  // namespace aiforge
