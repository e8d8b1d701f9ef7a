#include <napi.h>

#include "../calls/arguments.h"
#include "../errors.h"
#include "../topics.h"
#include "recording.h"

namespace aiforge {

namespace {

// The one that this thread has begun. A worker that ends in the middle takes it with it.
thread_local std::shared_ptr<Recording> own;

Recording& running() {
  if (own == nullptr) throw Error("INVALID_ARGUMENT", "no profile runs");
  return *own;
}

// profilerStart(shapes, memory, mostEvents)
napi_value start(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    if (own != nullptr) throw Error("INVALID_ARGUMENT", "a profile runs already");
    RecordingOptions options;
    options.shapes = args.boolean(0);
    options.memory = args.boolean(1);
    options.most_events = args.int64(2);
    own = std::make_shared<Recording>(options);
    Recording::start(own);
    return nullptr;
  });
}

// profilerEnter(name, isModule): the number of a range, -1 where there is no room for it
napi_value enter(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    Recording& recording = running();
    const auto thread = recording.reserve();
    if (thread == nullptr) return number(env, -1);
    const auto scope = static_cast<int32_t>(at::RecordScope::USER_SCOPE);
    const std::string name = args.string(0);
    const int32_t kind = args.boolean(1) ? kModuleRange : scope;
    const std::lock_guard<std::mutex> lock(thread->mutex);
    return number(env, thread->begin(name, kind, recording.now()));
  });
}

Event* event_of(ThreadEvents& thread, int64_t number) {
  const bool is_known = number >= 0 && number < static_cast<int64_t>(thread.events.size());
  return is_known ? &thread.events[number] : nullptr;
}

// profilerSuspend(range): what comes now is no longer inside the range, which goes on
napi_value suspend(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const auto thread = running().of_this_thread();
    const std::lock_guard<std::mutex> lock(thread->mutex);
    if (Event* event = event_of(*thread, args.int64(0)); event != nullptr) {
      event->kind = kAsyncRange;
      thread->leave(static_cast<int32_t>(args.int64(0)));
    }
    return nullptr;
  });
}

// profilerLeave(range)
napi_value leave(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    Recording& recording = running();
    const auto thread = recording.of_this_thread();
    const std::lock_guard<std::mutex> lock(thread->mutex);
    const int64_t range = args.int64(0);
    if (event_of(*thread, range) != nullptr) {
      thread->finish(static_cast<int32_t>(range), recording.now());
    }
    return nullptr;
  });
}

constexpr size_t kColumns = 12;

void write_event(double* row, const Event& event, size_t thread, double first, double numbers) {
  const auto at = [numbers](int64_t place) { return place < 0 ? -1 : numbers + double(place); };
  const double columns[kColumns] = {
      double(event.name),      event.parent < 0 ? -1 : first + event.parent,
      double(thread),          double(event.kind),
      double(event.start),     double(event.end),
      double(event.sequence),  double(event.forward_thread),
      double(event.cpu_bytes), double(event.device_bytes),
      at(event.inputs),        at(event.outputs),
  };
  std::copy(std::begin(columns), std::end(columns), row);
}

Napi::Object thread_object(Napi::Env env, const ThreadEvents& thread) {
  Napi::Object object = Napi::Object::New(env);
  Napi::Array names = Napi::Array::New(env, thread.names.size());
  for (uint32_t i = 0; i < thread.names.size(); ++i) names[i] = thread.names[i];
  object["id"] = static_cast<double>(thread.thread);
  object["names"] = names;
  object["cpuBytes"] = static_cast<double>(thread.free_cpu_bytes);
  object["deviceBytes"] = static_cast<double>(thread.free_device_bytes);
  return object;
}

// profilerStop(): all events in rows of kColumns numbers, the numbers of values, and the threads
napi_value stop(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value {
    Recording& recording = running();
    const int64_t end = recording.now();
    recording.stop();
    const std::shared_ptr<Recording> ended = std::move(own);
    own = nullptr;
    const auto threads = ended->threads();
    std::vector<std::unique_lock<std::mutex>> locks;
    size_t events = 0;
    size_t numbers = 0;
    for (const auto& thread : threads) {
      locks.emplace_back(thread->mutex);
      events += thread->events.size();
      numbers += thread->numbers.size();
    }
    auto rows = Napi::Float64Array::New(env, events * kColumns);
    auto values = Napi::Float64Array::New(env, numbers);
    Napi::Array list = Napi::Array::New(env, threads.size());
    size_t row = 0;
    size_t value = 0;
    for (uint32_t i = 0; i < threads.size(); ++i) {
      const ThreadEvents& thread = *threads[i];
      const size_t first = row;
      for (const Event& event : thread.events) {
        write_event(rows.Data() + row++ * kColumns, event, i, double(first), double(value));
      }
      std::copy(thread.numbers.begin(), thread.numbers.end(), values.Data() + value);
      value += thread.numbers.size();
      list[i] = thread_object(env, thread);
    }
    Napi::Object result = Napi::Object::New(env);
    result["rows"] = rows;
    result["numbers"] = values;
    result["threads"] = list;
    result["thread"] = static_cast<double>(at::RecordFunction::currentThreadId());
    result["end"] = static_cast<double>(end);
    result["cpuPeak"] = static_cast<double>(ended->cpu_level().peak());
    result["devicePeak"] = static_cast<double>(ended->device_level().peak());
    result["dropped"] = static_cast<double>(ended->dropped());
    return result;
  });
}

}  // namespace

void define_profiler(Napi::Env env, Napi::Object exports) {
  define<start>(env, exports, "profilerStart");
  define<enter>(env, exports, "profilerEnter");
  define<suspend>(env, exports, "profilerSuspend");
  define<leave>(env, exports, "profilerLeave");
  define<stop>(env, exports, "profilerStop");
}

}  // namespace aiforge
