// Process groups and their collectives.
#pragma once

#include <napi.h>

#include <chrono>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include "background.h"

namespace aiforge {

struct GroupObject {
  static constexpr napi_type_tag tag = {0x2d5e8b94f7103ac6, 0xb08161e4f92d7a35};
  static constexpr const char* name = "ProcessGroup";

  c10::intrusive_ptr<c10d::ProcessGroup> group;  // null once it was closed
  // Keeps the store's server alive as long as the group.
  c10::intrusive_ptr<c10d::Store> store;
};

using Group = c10::intrusive_ptr<c10d::ProcessGroup>;

// The group of an argument; throws for one that was closed.
Group live_group(napi_env env, napi_value value);

// Throws when the group has no backend for the device of a tensor.
void check_device(c10d::ProcessGroup& group, const at::Tensor& tensor);

#ifdef AIFORGE_CUDA
// nccl.cc: its header needs those of CUDA and NCCL.
c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                            int size, std::chrono::milliseconds timeout);
#endif

void define_process_group(napi_env env, napi_value object, Background& background);

}  // namespace aiforge
