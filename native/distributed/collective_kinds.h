// What each collective is called, and how c10d begins it; collectives.cc has what they have in
// common.
#pragma once

#include <string>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <utility>
#include <vector>

#include "../accelerator/accelerator.h"
#include "../calls/values.h"
#include "../errors.h"
#include "../versions/collectives.h"
#include "collective_call.h"
#include "collective_checks.h"
#include "works.h"

namespace aiforge::collectives {

struct Broadcast {
  static constexpr const char* name = "broadcast";
  static Work start(const CollectiveCall& call) {
    c10d::BroadcastOptions options;
    options.timeout = call.timeout();
    options.rootRank = call.rank(2);
    std::vector<at::Tensor> tensors{call.output_but_of(1, call.rank(2))};
    return call.group.broadcast(tensors, options);
  }
};

struct AllReduce {
  static constexpr const char* name = "allReduce";
  static Work start(const CollectiveCall& call) {
    c10d::AllreduceOptions options;
    options.timeout = call.timeout();
    std::vector<at::Tensor> tensors{call.reduced(1)};
    options.reduceOp = call.op(2, tensors[0]);
    return call.group.allreduce(tensors, options);
  }
};

struct AllReduceCoalesced {
  static constexpr const char* name = "allReduceCoalesced";
  static Work start(const CollectiveCall& call) {
    auto tensors = some(call.outputs(1), "tensors");
    check_alike(tensors, name);
    c10d::AllreduceCoalescedOptions options;
    options.timeout = call.timeout();
    options.reduceOp = call.op(2, tensors[0]);
    return call.group.allreduce_coalesced(tensors, options);
  }
};

struct Reduce {
  static constexpr const char* name = "reduce";
  static Work start(const CollectiveCall& call) {
    c10d::ReduceOptions options;
    options.timeout = call.timeout();
    options.rootRank = call.rank(2);
    std::vector<at::Tensor> tensors{call.output(1)};
    options.reduceOp = call.op(3, tensors[0]);
    return call.group.reduce(tensors, options);
  }
};

// Only one rank has the list; for the others it is empty.
inline TensorLists list_of_root(const CollectiveCall& call, size_t i, int root, bool is_output) {
  TensorLists lists;
  if (call.group.getRank() == root) lists.push_back(is_output ? call.outputs(i) : call.inputs(i));
  return lists;
}

struct AllGather {
  static constexpr const char* name = "allGather";
  static Work start(const CollectiveCall& call) {
    TensorLists outputs{call.outputs(1)};
    std::vector<at::Tensor> inputs{call.input(2)};
    return call.group.allgather(outputs, inputs);
  }
};

struct Gather {
  static constexpr const char* name = "gather";
  static Work start(const CollectiveCall& call) {
    c10d::GatherOptions options;
    options.timeout = call.timeout();
    options.rootRank = call.rank(3);
    TensorLists outputs = list_of_root(call, 1, call.rank(3), /*is_output=*/true);
    std::vector<at::Tensor> inputs{call.input(2)};
    return call.group.gather(outputs, inputs, options);
  }
};

struct Scatter {
  static constexpr const char* name = "scatter";
  static Work start(const CollectiveCall& call) {
    c10d::ScatterOptions options;
    options.timeout = call.timeout();
    options.rootRank = call.rank(3);
    std::vector<at::Tensor> outputs{call.output(1)};
    const bool is_root = call.group.getRank() == call.rank(3);
    if (!is_root && !call.tensors(2).empty()) {
      throw Error("INVALID_ARGUMENT", "rank " + std::to_string(call.rank(3)) +
                                          " gives the tensors, and the other ranks null");
    }
    TensorLists inputs = list_of_root(call, 2, call.rank(3), /*is_output=*/false);
    if (is_root) check_one_for_each(call, inputs[0], outputs[0]);
    return call.group.scatter(outputs, inputs, options);
  }
};

struct ReduceScatter {
  static constexpr const char* name = "reduceScatter";
  static Work start(const CollectiveCall& call) {
    c10d::ReduceScatterOptions options;
    options.timeout = call.timeout();
    std::vector<at::Tensor> outputs{call.output(1)};
    options.reduceOp = call.op(3, outputs[0]);
    TensorLists inputs{call.inputs(2)};
    check_one_for_each(call, inputs[0], outputs[0]);
    return call.group.reduce_scatter(outputs, inputs, options);
  }
};

struct AllToAll {
  static constexpr const char* name = "allToAll";
  static Work start(const CollectiveCall& call) {
    auto outputs = call.outputs(1);
    auto inputs = call.inputs(2);
    check_exchange(call, call.tensors(1), call.tensors(2));
    return call.group.alltoall(outputs, inputs);
  }
};

// c10d divides along the first dimension, of which a single number has none.
inline at::Tensor with_dimension(const at::Tensor& tensor) {
  return tensor.dim() == 0 ? tensor.detach().view({1}) : tensor;
}

inline std::vector<at::Tensor> with_dimensions(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& tensor : tensors) result.push_back(with_dimension(tensor));
  return result;
}

struct AllGatherIntoTensor {
  static constexpr const char* name = "allGatherIntoTensor";
  static Work start(const CollectiveCall& call) {
    const at::Tensor output = with_dimension(call.output(1));
    const at::Tensor input = with_dimension(call.input(2));
    check_parts(call, output, input);
    return gather_single(call.group, output, input);
  }
};

struct AllGatherIntoTensorCoalesced {
  static constexpr const char* name = "allGatherIntoTensorCoalesced";
  static Work start(const CollectiveCall& call) {
    const auto outputs = with_dimensions(some(call.outputs(1), "outputs"));
    const auto inputs = with_dimensions(call.inputs(2));
    check_parts(call, outputs, inputs);
    return gather_singles(call.group, outputs, inputs);
  }
};

struct ReduceScatterTensor {
  static constexpr const char* name = "reduceScatterTensor";
  static Work start(const CollectiveCall& call) {
    const at::Tensor output = with_dimension(call.output(1));
    const at::Tensor input = with_dimension(call.input(2));
    check_parts(call, input, output);
    c10d::ReduceScatterOptions options;
    options.timeout = call.timeout();
    options.reduceOp = call.op(3, output);
    return reduce_scatter_single(call.group, output, input, options);
  }
};

struct ReduceScatterTensorCoalesced {
  static constexpr const char* name = "reduceScatterTensorCoalesced";
  static Work start(const CollectiveCall& call) {
    const auto outputs = with_dimensions(some(call.outputs(1), "outputs"));
    const auto inputs = with_dimensions(call.inputs(2));
    check_parts(call, inputs, outputs);
    c10d::ReduceScatterOptions options;
    options.timeout = call.timeout();
    options.reduceOp = call.op(3, outputs[0]);
    return reduce_scatter_singles(call.group, outputs, inputs, options);
  }
};

struct AllToAllSingle {
  static constexpr const char* name = "allToAllSingle";
  static Work start(const CollectiveCall& call) {
    const at::Tensor output = call.output(1);
    const at::Tensor input = call.input(2);
    const auto output_splits = call.numbers(3);
    const auto input_splits = call.numbers(4);
    check_division(call, call.tensor(1), call.tensor(2), output_splits, input_splits);
    return all_to_all_single(call.group, output, input, output_splits, input_splits);
  }
};

struct Barrier {
  static constexpr const char* name = "barrier";
  static Work start(const CollectiveCall& call) {
    c10d::BarrierOptions options;
    options.timeout = call.timeout();
    // Left alone, NCCL takes the GPU whose number is the rank.
    if (call.group.getBackendType() == c10d::ProcessGroup::BackendType::NCCL) {
      const auto bound = call.group.getBoundDeviceId();
      const bool is_bound = call.is_missing(1) && bound.has_value();
      options.device_ids = {is_bound ? bound->index()
                                     : device_index(call.args, 1 + CollectiveCall::kBeforeOwn)};
    } else if (!call.is_missing(1)) {
      throw Error("INVALID_ARGUMENT",
                  "deviceIds are for NCCL, and this process group's backend is Gloo");
    }
    return call.group.barrier(options);
  }
};

struct Send {
  static constexpr const char* name = "send";
  static Work start(const CollectiveCall& call) {
    std::vector<at::Tensor> tensors{call.sent(call.tensor(1))};
    return call.group.send(tensors, call.other_rank(2), call.tag(3));
  }
};

struct Receive {
  static constexpr const char* name = "recv";
  static Work start(const CollectiveCall& call) {
    std::vector<at::Tensor> tensors{call.received(call.tensor(1))};
    if (call.is_missing(2)) return call.group.recvAnysource(tensors, call.tag(3));
    return call.group.recv(tensors, call.other_rank(2), call.tag(3));
  }
};

// Sends and receives that are begun together: (group, tensors, isSend, peers, tags)
struct Batch {
  static constexpr const char* name = "batchIsendIrecv";
  static Work start(const CollectiveCall& call) {
    auto tensors = some(call.tensors(1), "operations");
    const auto sends = call.numbers(2);
    const auto peers = call.numbers(3);
    const auto tags = call.numbers(4);
    for (const int64_t peer : peers) call.checked_other(peer);
    for (const int64_t tag : tags) checked_tag(tag);
    const auto type = tensors[0].device().type();
    const bool coalesces = call.group.getBackend(type)->supportsCoalescing();
    if (coalesces) call.group.startCoalescing(type);
    std::vector<Work> works;
    for (size_t i = 0; i < tensors.size(); ++i) {
      const bool is_send = sends[i] != 0;
      std::vector<at::Tensor> one{is_send ? call.sent(tensors[i]) : call.received(tensors[i])};
      const int peer = static_cast<int>(peers[i]);
      const int tag = static_cast<int>(tags[i]);
      works.push_back(is_send ? call.group.send(one, peer, tag) : call.group.recv(one, peer, tag));
    }
    if (coalesces) return call.group.endCoalescing(type);
    return c10::make_intrusive<Works>(std::move(works));
  }
};

}  // namespace aiforge::collectives
