#include "deadlines.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "../condition.h"
#include "../errors.h"

namespace aiforge {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kTick{50};
// After so many without anything that is pending the thread sleeps: waking it costs more than a
// small answer of a store.
constexpr int kIdleTicks = 40;
// A longer limit would overflow the clock.
constexpr milliseconds kLongest = std::chrono::hours(24 * 365);

struct Deadline {
  Clock::time_point when;
  std::weak_ptr<void> pending;
  std::function<void()> late;
};

struct Deadlines {
  std::mutex mutex;
  std::condition_variable added;
  std::vector<Deadline> all;
  bool is_started = false;
  bool is_asleep = false;

  // Takes out what is over, and returns what is late.
  std::vector<std::function<void()>> take_late() {
    std::vector<std::function<void()>> late;
    const auto now = Clock::now();
    const auto is_over = [&](Deadline& each) {
      if (each.pending.expired()) return true;
      if (each.when > now) return false;
      late.push_back(std::move(each.late));
      return true;
    };
    all.erase(std::remove_if(all.begin(), all.end(), is_over), all.end());
    return late;
  }

  void run() {
    std::unique_lock<std::mutex> lock(mutex);
    for (int idle = 0;;) {
      idle = all.empty() ? idle + 1 : 0;
      if (idle > kIdleTicks) {
        is_asleep = true;
        added.wait(lock, [&] { return !all.empty(); });
        is_asleep = false;
      }
      lock.unlock();
      std::this_thread::sleep_for(kTick);
      lock.lock();
      const auto late = take_late();
      lock.unlock();
      for (const auto& each : late) each();
      lock.lock();
    }
  }
};

// Never destroyed, since its thread goes on when the process ends.
Deadlines& deadlines() {
  static auto* const all = new Deadlines();
  return *all;
}

}  // namespace

void after(milliseconds limit, std::weak_ptr<void> pending, std::function<void()> late) {
  Deadlines& of_process = deadlines();
  const auto when = Clock::now() + std::min(limit, kLongest);
  const std::lock_guard<std::mutex> lock(of_process.mutex);
  of_process.all.push_back({when, std::move(pending), std::move(late)});
  if (!of_process.is_started) {
    std::thread([&of_process] { of_process.run(); }).detach();
    of_process.is_started = true;
  }
  if (of_process.is_asleep) of_process.added.notify_one();
}

void within(milliseconds limit, const std::string& what, std::function<void()> body) {
  struct Outcome {
    std::mutex mutex;
    std::condition_variable ended;
    bool is_over = false;
    std::exception_ptr error;
  };
  const auto outcome = std::make_shared<Outcome>();
  std::thread([outcome, body = std::move(body)] {
    std::exception_ptr error;
    try {
      body();
    } catch (...) {
      error = std::current_exception();
    }
    const std::lock_guard<std::mutex> lock(outcome->mutex);
    outcome->error = error;
    outcome->is_over = true;
    outcome->ended.notify_all();
  }).detach();
  std::unique_lock<std::mutex> lock(outcome->mutex);
  const bool is_in_time =
      outcome->ended.wait_for(lock, std::min(limit, kLongest), [&] { return outcome->is_over; });
  if (!is_in_time) throw Error("DISTRIBUTED_FAILED", late_store(what, limit));
  if (outcome->error) std::rethrow_exception(outcome->error);
}

std::string late(const std::string& what, milliseconds limit) {
  return what + " failed: timed out after " + std::to_string(limit.count()) + " ms.";
}

std::string late_store(const std::string& what, milliseconds limit) {
  return late(what, limit) +
         " The store did not answer: its process, that of rank 0 unless a launcher serves it, "
         "may be stopped.";
}

}  // namespace aiforge
