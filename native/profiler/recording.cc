#include "recording.h"

#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>

#include "../allocator/allocator.h"
#include "values.h"

namespace aiforge {

namespace {

// LibTorch's profilers would take the same slot, and none of them is reached from here.
const auto kSlot = c10::DebugInfoKind::PROFILER_STATE;

std::atomic<uint64_t> last_serial{0};

// Where an operator's event is, from its beginning to its end.
struct EventContext : at::ObserverContext {
  EventContext(std::shared_ptr<ThreadEvents> own, int32_t number)
      : thread(std::move(own)), event(number) {}
  const std::shared_ptr<ThreadEvents> thread;
  const int32_t event;
};

std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function) {
  Recording* recording = Recording::here();
  if (recording == nullptr) return nullptr;
  const std::shared_ptr<ThreadEvents> thread = recording->reserve();
  if (thread == nullptr) return nullptr;
  const std::lock_guard<std::mutex> lock(thread->mutex);
  const auto kind = static_cast<int32_t>(function.scope());
  const int32_t number = thread->begin(function.name(), kind, 0);
  Event& event = thread->events[number];
  event.sequence = function.seqNr();
  event.forward_thread = function.forwardThreadId();
  if (recording->records_shapes()) {
    event.inputs = write_values(thread->numbers, function.inputs());
    recording->count_numbers(thread->numbers.size() - event.inputs);
  }
  // Last: what it takes to record is no time of the operator.
  event.start = recording->now();
  return std::make_unique<EventContext>(thread, number);
}

void on_end(const at::RecordFunction& function, at::ObserverContext* context) {
  Recording* recording = Recording::here();
  if (context == nullptr || recording == nullptr) return;
  const int64_t end = recording->now();
  const auto* own = static_cast<EventContext*>(context);
  const std::lock_guard<std::mutex> lock(own->thread->mutex);
  if (recording->records_shapes()) {
    std::vector<int64_t>& numbers = own->thread->numbers;
    const auto at = static_cast<int64_t>(numbers.size());
    write_values(numbers, c10::ArrayRef<const c10::IValue>(function.outputs().data(),
                                                           function.outputs().size()));
    own->thread->events[own->event].outputs = at;
    recording->count_numbers(numbers.size() - at);
  }
  own->thread->finish(own->event, end);
}

}  // namespace

void Level::add(int64_t bytes) {
  const int64_t now = now_.fetch_add(bytes) + bytes;
  int64_t peak = peak_;
  while (now > peak && !peak_.compare_exchange_weak(peak, now)) continue;
}

int32_t ThreadEvents::begin(const std::string& name, int32_t kind, int64_t start) {
  const auto [known, is_new] = name_numbers.try_emplace(name, static_cast<int32_t>(names.size()));
  if (is_new) names.push_back(name);
  Event event;
  event.name = known->second;
  event.kind = kind;
  event.start = start;
  event.parent = open.empty() ? -1 : open.back();
  const auto number = static_cast<int32_t>(events.size());
  events.push_back(event);
  open.push_back(number);
  return number;
}

void ThreadEvents::leave(int32_t event) {
  const auto found = std::find(open.rbegin(), open.rend(), event);
  if (found != open.rend()) open.erase(std::next(found).base());
}

void ThreadEvents::finish(int32_t event, int64_t end) {
  events[event].end = end;
  leave(event);
}

Recording::Recording(const RecordingOptions& options)
    : options_(options), serial_(++last_serial), began_(std::chrono::steady_clock::now()) {
  if (options_.memory) ++memory_recordings;
}

Recording::~Recording() {
  if (options_.memory) --memory_recordings;
}

Recording* Recording::here() {
  auto* recording = static_cast<Recording*>(c10::ThreadLocalDebugInfo::get(kSlot));
  return recording != nullptr && recording->open_ ? recording : nullptr;
}

void Recording::start(const std::shared_ptr<Recording>& recording) {
  c10::ThreadLocalDebugInfo::_push(kSlot, recording);
  if (recording->options_.most_events == 0) return;
  recording->callback_ = at::addThreadLocalCallback(
      at::RecordFunctionCallback(on_start, on_end)
          .needsInputs(recording->options_.shapes)
          .needsOutputs(recording->options_.shapes)
          .needsIds(true)
          .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION,
                   at::RecordScope::USER_SCOPE}));
}

void Recording::stop() {
  open_ = false;
  if (callback_ != at::INVALID_CALLBACK_HANDLE) at::removeCallback(callback_);
  // Where a hook has begun it and the pass has ended, LibTorch has taken it away itself.
  if (c10::ThreadLocalDebugInfo::get(kSlot) == this) c10::ThreadLocalDebugInfo::_pop(kSlot);
}

std::shared_ptr<ThreadEvents> Recording::reserve() {
  if (used_.fetch_add(1) < options_.most_events) return of_this_thread();
  ++dropped_;
  return nullptr;
}

std::shared_ptr<ThreadEvents> Recording::of_this_thread() {
  thread_local uint64_t known_serial = 0;
  thread_local std::weak_ptr<ThreadEvents> known;
  if (known_serial == serial_) {
    if (auto thread = known.lock()) return thread;
  }
  auto thread = std::make_shared<ThreadEvents>(at::RecordFunction::currentThreadId());
  const std::lock_guard<std::mutex> lock(mutex_);
  threads_.push_back(thread);
  known_serial = serial_;
  known = thread;
  return thread;
}

int64_t Recording::now() const {
  const auto passed = std::chrono::steady_clock::now() - began_;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(passed).count();
}

void Recording::count_numbers(size_t numbers) { used_ += static_cast<int64_t>(numbers / 16); }

std::vector<std::shared_ptr<ThreadEvents>> Recording::threads() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return threads_;
}

void Recording::reportMemoryUsage(void*, int64_t bytes, size_t, size_t, c10::Device device) {
  if (!open_) return;
  const bool is_cpu = device.is_cpu();
  (is_cpu ? cpu_level_ : device_level_).add(bytes);
  const std::shared_ptr<ThreadEvents> thread = of_this_thread();
  const std::lock_guard<std::mutex> lock(thread->mutex);
  if (thread->open.empty()) {
    (is_cpu ? thread->free_cpu_bytes : thread->free_device_bytes) += bytes;
  } else {
    Event& event = thread->events[thread->open.back()];
    (is_cpu ? event.cpu_bytes : event.device_bytes) += bytes;
  }
}

}  // namespace aiforge
