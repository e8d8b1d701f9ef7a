// JavaScript memory that tensors stand on, let go on the thread that owns it.
#pragma once

#include <napi.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace aiforge {

// LibTorch may drop the last tensor over a buffer on any thread, but a reference to a JavaScript
// value may be deleted on its own thread only: it waits here until that thread passes by.
class Buffers {
 public:
  void release(napi_ref reference) {
    const std::lock_guard<std::mutex> lock(mutex_);
    released_.push_back(reference);
    waiting_.store(true, std::memory_order_relaxed);
  }

  void drain(node_api_basic_env env) {
    if (!waiting_.load(std::memory_order_relaxed)) return;
    std::vector<napi_ref> references;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      references.swap(released_);
      waiting_.store(false, std::memory_order_relaxed);
    }
    for (napi_ref reference : references) napi_delete_reference(env, reference);
  }

 private:
  std::mutex mutex_;
  std::vector<napi_ref> released_;
  std::atomic<bool> waiting_ = false;
};

// What a tensor over JavaScript memory holds, and the deleter that its storage is known by. The
// memory goes with its environment: such a tensor must not outlive it in another one.
struct HeldBuffer {
  std::shared_ptr<Buffers> buffers;
  napi_ref reference;
};
inline void release_buffer(void* context) {
  const std::unique_ptr<HeldBuffer> held(static_cast<HeldBuffer*>(context));
  held->buffers->release(held->reference);
}

}  // namespace aiforge
