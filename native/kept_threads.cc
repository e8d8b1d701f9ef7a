#include "kept_threads.h"

#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "condition.h"

namespace aiforge {

namespace {

// How many wait for work at most; any number may have some.
constexpr size_t kMostIdle = 16;

struct Worker {
  std::function<void()> work;
  std::condition_variable has_work;
};

struct Idle {
  std::mutex mutex;
  std::vector<Worker*> workers;
};

// Never destroyed, since they wait there when the process ends.
Idle& idle() {
  static auto* const all = new Idle();
  return *all;
}

void serve(std::function<void()> first) {
  Worker worker;
  worker.work = std::move(first);
  while (true) {
    std::exchange(worker.work, nullptr)();
    std::unique_lock<std::mutex> lock(idle().mutex);
    if (idle().workers.size() >= kMostIdle) return;
    idle().workers.push_back(&worker);
    worker.has_work.wait(lock, [&] { return worker.work != nullptr; });
  }
}

}  // namespace

void run_on_kept_thread(std::function<void()> work) {
  {
    const std::lock_guard<std::mutex> lock(idle().mutex);
    auto& workers = idle().workers;
    if (!workers.empty()) {
      // The last one's caches are the warmest.
      Worker& worker = *workers.back();
      workers.pop_back();
      worker.work = std::move(work);
      worker.has_work.notify_one();
      return;
    }
  }
  std::thread(serve, std::move(work)).detach();
}

}  // namespace aiforge
