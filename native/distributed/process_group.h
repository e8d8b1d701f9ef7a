// Process groups and their collectives.
#pragma once

#include <napi.h>

#include <chrono>
#include <map>
#include <string>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include "background.h"
#include "checked_gloo.h"

namespace aiforge {

struct GroupObject {
  static constexpr napi_type_tag tag = {0x2d5e8b94f7103ac6, 0xb08161e4f92d7a35};
  static constexpr const char* name = "ProcessGroup";

  c10::intrusive_ptr<c10d::ProcessGroup> group;  // null once it was closed
  // Keeps the store's server alive as long as the group.
  c10::intrusive_ptr<c10d::Store> store;
  // Whether NCCL's collectives are waited for until the GPU has done them:
  // TORCH_NCCL_BLOCKING_WAIT.
  bool waits_for_gpu = false;
  // Read and written on the JavaScript thread.
  bool is_aborted = false;
};

using Group = c10::intrusive_ptr<c10d::ProcessGroup>;

// The group of an argument; throws for one that was closed.
Group live_group(napi_env env, napi_value value);

// Whether NCCL serves the tensors of a type of device.
bool is_nccl(c10d::ProcessGroup& group, c10::DeviceType type);

// Its Gloo, if it has one.
c10::intrusive_ptr<CheckedGloo> gloo_of(c10d::ProcessGroup& group);
// The same, where all ranks are this library's; else null.
c10::intrusive_ptr<CheckedGloo> checked_gloo(c10d::ProcessGroup& group);

// Throws when the group has no backend for the device of a tensor.
void check_device(c10d::ProcessGroup& group, const at::Tensor& tensor);

// What Python's ProcessGroupNCCL.Options has; only what was given is in the maps.
struct NcclOptions {
  bool is_high_priority_stream = false;
  std::map<std::string, int64_t> numbers;
  std::map<std::string, std::string> texts;
};

#ifdef AIFORGE_CUDA
// nccl.cc: its header needs those of CUDA and NCCL.
c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                            int size, std::chrono::milliseconds timeout,
                                            const std::string& group, const NcclOptions& given);
// What NCCL's flight recorder has, as JSON.
std::string nccl_flight_record(bool only_active);
#endif

void define_process_group(napi_env env, napi_value object, Background& background);

}  // namespace aiforge
