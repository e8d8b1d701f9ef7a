// JavaScript memory that tensors stand on, let go on the thread that owns it.
#pragma once

#include <napi.h>

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
  }

  void drain(node_api_basic_env env) {
    std::vector<napi_ref> references;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      references.swap(released_);
    }
    for (napi_ref reference : references) napi_delete_reference(env, reference);
  }

 private:
  std::mutex mutex_;
  std::vector<napi_ref> released_;
};

}  // namespace aiforge
