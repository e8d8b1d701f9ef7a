// What a profile records: LibTorch's operators on every thread that works for it, ranges that
// JavaScript opens, and memory, in bounded room.
#pragma once

#include <ATen/record_function.h>
#include <c10/core/Allocator.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace aiforge {

struct RecordingOptions {
  bool shapes = false;  // of arguments and results, with plain numbers among the arguments
  bool memory = false;
  int64_t most_events = 0;  // 0: memory alone
};

// Kinds of events; the others are those of LibTorch's RecordScope.
constexpr int kAsyncRange = 100;
constexpr int kModuleRange = 101;

// Bytes on all threads since the recording began, and their high.
class Level {
 public:
  void add(int64_t bytes);
  int64_t peak() const { return peak_; }

 private:
  std::atomic<int64_t> now_{0};
  std::atomic<int64_t> peak_{0};
};

struct Event {
  int32_t name = 0;
  int32_t parent = -1;  // of the same thread
  int32_t kind = 0;
  int64_t start = 0;  // ns since the recording began
  int64_t end = -1;
  int64_t sequence = -1;
  uint64_t forward_thread = 0;
  int64_t cpu_bytes = 0;
  int64_t device_bytes = 0;
  int64_t inputs = -1;  // where they begin among the numbers
  int64_t outputs = -1;
};

// The events of one thread, in the order in which they began.
struct ThreadEvents {
  explicit ThreadEvents(uint64_t id) : thread(id) {}

  const uint64_t thread;
  std::mutex mutex;  // a pass may still run on this thread when the recording ends
  std::deque<Event> events;
  std::vector<int32_t> open;  // innermost last
  std::vector<std::string> names;
  std::unordered_map<std::string, int32_t> name_numbers;
  // Values one after the other: how many, then each as its kind, and what that kind has.
  std::vector<int64_t> numbers;
  int64_t free_cpu_bytes = 0;  // allocated (or freed) outside all events
  int64_t free_device_bytes = 0;

  int32_t begin(const std::string& name, int32_t kind, int64_t start);
  void finish(int32_t event, int64_t end);
  void leave(int32_t event);
};

// LibTorch hands it to each thread that works for the one which began the recording: threads of the
// engine too.
class Recording : public c10::MemoryReportingInfoBase {
 public:
  explicit Recording(const RecordingOptions& options);
  ~Recording() override;
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // The one that records what this thread does, or null.
  static Recording* here();

  // Begins to record the work of this thread; `stop` is called on the same one.
  static void start(const std::shared_ptr<Recording>& recording);
  void stop();

  // The events of this thread; null where there is no room for one more.
  std::shared_ptr<ThreadEvents> reserve();
  std::shared_ptr<ThreadEvents> of_this_thread();
  int64_t now() const;
  bool records_shapes() const { return options_.shapes; }
  // Numbers take room as well: 16 of them that of an event.
  void count_numbers(size_t numbers);

  int64_t dropped() const { return dropped_; }
  const Level& cpu_level() const { return cpu_level_; }
  const Level& device_level() const { return device_level_; }
  // All threads; to be read under the mutex of each.
  std::vector<std::shared_ptr<ThreadEvents>> threads();

  void reportMemoryUsage(void* pointer, int64_t bytes, size_t allocated, size_t reserved,
                         c10::Device device) override;
  bool memoryProfilingEnabled() const override { return options_.memory; }

 private:
  const RecordingOptions options_;
  const uint64_t serial_;
  const std::chrono::steady_clock::time_point began_;
  std::atomic<bool> open_{true};
  std::atomic<int64_t> used_{0};
  std::atomic<int64_t> dropped_{0};
  Level cpu_level_;
  Level device_level_;
  at::CallbackHandle callback_ = at::INVALID_CALLBACK_HANDLE;
  std::mutex mutex_;
  std::vector<std::shared_ptr<ThreadEvents>> threads_;
};

}  // namespace aiforge
