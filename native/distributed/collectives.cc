#include "collectives.h"

#include "../accelerator/accelerator.h"
#include "../environment.h"
#include "../objects.h"
#include "../values.h"
#include "collective_call.h"
#include "process_group.h"
#include "single_tensor.h"

namespace aiforge {

namespace {

struct Broadcast {
  static constexpr const char* name = "broadcast";
  static Work start(const CollectiveCall& call) {
    c10d::BroadcastOptions options;
    options.rootRank = call.rank(2);
    std::vector<at::Tensor> tensors{call.tensor(1)};
    return call.group.broadcast(tensors, options);
  }
};

struct AllReduce {
  static constexpr const char* name = "allReduce";
  static Work start(const CollectiveCall& call) {
    c10d::AllreduceOptions options;
    std::vector<at::Tensor> tensors{call.tensor(1)};
    options.reduceOp = call.op(2, tensors[0]);
    return call.group.allreduce(tensors, options);
  }
};

// The tensors of a list; throws for an empty one, where `what` says what it is of.
std::vector<at::Tensor> some_tensors(const CollectiveCall& call, size_t i, const char* what) {
  auto tensors = call.tensors(i);
  if (tensors.empty()) {
    throw Error("INVALID_ARGUMENT", std::string("got an empty list of ") + what);
  }
  return tensors;
}

struct AllReduceCoalesced {
  static constexpr const char* name = "allReduceCoalesced";
  static Work start(const CollectiveCall& call) {
    auto tensors = some_tensors(call, 1, "tensors");
    for (const at::Tensor& tensor : tensors) {
      if (tensor.dtype() == tensors[0].dtype() && tensor.device() == tensors[0].device()) continue;
      throw Error("INVALID_ARGUMENT",
                  "the tensors of one allReduceCoalesced have one dtype and one device, got " +
                      describe_tensor(tensors[0]) + " on " + tensors[0].device().str() + " and " +
                      describe_tensor(tensor) + " on " + tensor.device().str());
    }
    c10d::AllreduceCoalescedOptions options;
    options.reduceOp = call.op(2, tensors[0]);
    return call.group.allreduce_coalesced(tensors, options);
  }
};

struct Reduce {
  static constexpr const char* name = "reduce";
  static Work start(const CollectiveCall& call) {
    c10d::ReduceOptions options;
    options.rootRank = call.rank(2);
    std::vector<at::Tensor> tensors{call.tensor(1)};
    options.reduceOp = call.op(3, tensors[0]);
    return call.group.reduce(tensors, options);
  }
};

using TensorLists = std::vector<std::vector<at::Tensor>>;

// Only one rank has the list; for the others it is empty.
TensorLists list_of_root(const CollectiveCall& call, size_t i, int root) {
  TensorLists lists;
  if (call.group.getRank() == root) lists.push_back(call.tensors(i));
  return lists;
}

struct AllGather {
  static constexpr const char* name = "allGather";
  static Work start(const CollectiveCall& call) {
    TensorLists outputs{call.tensors(1)};
    std::vector<at::Tensor> inputs{call.tensor(2)};
    return call.group.allgather(outputs, inputs);
  }
};

struct Gather {
  static constexpr const char* name = "gather";
  static Work start(const CollectiveCall& call) {
    c10d::GatherOptions options;
    options.rootRank = call.rank(3);
    TensorLists outputs = list_of_root(call, 1, call.rank(3));
    std::vector<at::Tensor> inputs{call.tensor(2)};
    return call.group.gather(outputs, inputs, options);
  }
};

struct Scatter {
  static constexpr const char* name = "scatter";
  static Work start(const CollectiveCall& call) {
    c10d::ScatterOptions options;
    options.rootRank = call.rank(3);
    std::vector<at::Tensor> outputs{call.tensor(1)};
    TensorLists inputs = list_of_root(call, 2, call.rank(3));
    return call.group.scatter(outputs, inputs, options);
  }
};

struct ReduceScatter {
  static constexpr const char* name = "reduceScatter";
  static Work start(const CollectiveCall& call) {
    c10d::ReduceScatterOptions options;
    std::vector<at::Tensor> outputs{call.tensor(1)};
    options.reduceOp = call.op(3, outputs[0]);
    TensorLists inputs{call.tensors(2)};
    return call.group.reduce_scatter(outputs, inputs, options);
  }
};

struct AllToAll {
  static constexpr const char* name = "allToAll";
  static Work start(const CollectiveCall& call) {
    auto outputs = call.tensors(1);
    auto inputs = call.tensors(2);
    return call.group.alltoall(outputs, inputs);
  }
};

// Throws unless `whole` is as large as `part` of every rank together, and of its kind.
void check_parts(const CollectiveCall& call, const at::Tensor& whole, const at::Tensor& part) {
  if (whole.dtype() == part.dtype() && whole.device() == part.device() &&
      whole.numel() == part.numel() * call.group.getSize()) {
    return;
  }
  throw Error("INVALID_ARGUMENT",
              "one tensor holds the parts of all " + std::to_string(call.group.getSize()) +
                  " ranks, of one dtype and device: got " + describe_tensor(whole) + " on " +
                  whole.device().str() + " for parts of " + describe_tensor(part) + " on " +
                  part.device().str());
}

void check_parts(const CollectiveCall& call, const std::vector<at::Tensor>& wholes,
                 const std::vector<at::Tensor>& parts) {
  if (wholes.size() != parts.size()) {
    throw Error("INVALID_ARGUMENT", "got " + std::to_string(wholes.size()) + " tensors for " +
                                        std::to_string(parts.size()) + " of parts");
  }
  for (size_t i = 0; i < wholes.size(); ++i) check_parts(call, wholes[i], parts[i]);
}

// c10d divides along the first dimension, of which a single number has none.
at::Tensor with_dimension(const at::Tensor& tensor) {
  return tensor.dim() == 0 ? tensor.detach().view({1}) : tensor;
}

std::vector<at::Tensor> with_dimensions(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& tensor : tensors) result.push_back(with_dimension(tensor));
  return result;
}

struct AllGatherIntoTensor {
  static constexpr const char* name = "allGatherIntoTensor";
  static Work start(const CollectiveCall& call) {
    const at::Tensor output = with_dimension(call.tensor(1));
    const at::Tensor input = with_dimension(call.tensor(2));
    check_parts(call, output, input);
    return gather_single(call.group, output, input);
  }
};

struct AllGatherIntoTensorCoalesced {
  static constexpr const char* name = "allGatherIntoTensorCoalesced";
  static Work start(const CollectiveCall& call) {
    const auto outputs = with_dimensions(some_tensors(call, 1, "outputs"));
    const auto inputs = with_dimensions(call.tensors(2));
    check_parts(call, outputs, inputs);
    return gather_singles(call.group, outputs, inputs);
  }
};

struct ReduceScatterTensor {
  static constexpr const char* name = "reduceScatterTensor";
  static Work start(const CollectiveCall& call) {
    const at::Tensor output = with_dimension(call.tensor(1));
    const at::Tensor input = with_dimension(call.tensor(2));
    check_parts(call, input, output);
    c10d::ReduceScatterOptions options;
    options.reduceOp = call.op(3, output);
    return reduce_scatter_single(call.group, output, input, options);
  }
};

struct ReduceScatterTensorCoalesced {
  static constexpr const char* name = "reduceScatterTensorCoalesced";
  static Work start(const CollectiveCall& call) {
    const auto outputs = with_dimensions(some_tensors(call, 1, "outputs"));
    const auto inputs = with_dimensions(call.tensors(2));
    check_parts(call, inputs, outputs);
    c10d::ReduceScatterOptions options;
    options.reduceOp = call.op(3, outputs[0]);
    return reduce_scatter_singles(call.group, outputs, inputs, options);
  }
};

struct AllToAllSingle {
  static constexpr const char* name = "allToAllSingle";
  static Work start(const CollectiveCall& call) {
    return all_to_all_single(call.group, call.tensor(1), call.tensor(2), call.numbers(3),
                             call.numbers(4));
  }
};

struct Barrier {
  static constexpr const char* name = "barrier";
  static Work start(const CollectiveCall& call) {
    c10d::BarrierOptions options;
    options.timeout = call.timeout(2);
    // Left alone, NCCL takes the GPU whose number is the rank.
    if (call.group.getBackendType() == c10d::ProcessGroup::BackendType::NCCL) {
      const auto bound = call.group.getBoundDeviceId();
      const bool is_bound = call.args.is_missing(1) && bound.has_value();
      options.device_ids = {is_bound ? bound->index() : device_index(call.args, 1)};
    } else if (!call.args.is_missing(1)) {
      throw Error("INVALID_ARGUMENT",
                  "deviceIds are for NCCL, and this process group's backend is Gloo");
    }
    return call.group.barrier(options);
  }
};

struct Send {
  static constexpr const char* name = "send";
  static Work start(const CollectiveCall& call) {
    std::vector<at::Tensor> tensors{call.tensor(1)};
    return call.group.send(tensors, call.rank(2), call.tag(3));
  }
};

struct Receive {
  static constexpr const char* name = "recv";
  static Work start(const CollectiveCall& call) {
    std::vector<at::Tensor> tensors{call.tensor(1)};
    return call.group.recv(tensors, call.rank(2), call.tag(3));
  }
};

// Several works that are waited for as one.
class Works : public c10d::Work {
 public:
  explicit Works(std::vector<aiforge::Work> works) : works_(std::move(works)) {}

  bool wait(std::chrono::milliseconds timeout) override {
    for (const auto& work : works_) work->wait(timeout);
    return true;
  }

 private:
  std::vector<aiforge::Work> works_;
};

// Sends and receives that are begun together: (group, tensors, isSend, peers, tags)
struct Batch {
  static constexpr const char* name = "batchIsendIrecv";
  static Work start(const CollectiveCall& call) {
    auto tensors = some_tensors(call, 1, "operations");
    const auto sends = call.numbers(2);
    const auto peers = call.numbers(3);
    const auto tags = call.numbers(4);
    for (const int64_t peer : peers) call.checked_rank(peer);
    for (const int64_t tag : tags) checked_tag(tag);
    const auto type = tensors[0].device().type();
    const bool coalesces = call.group.getBackend(type)->supportsCoalescing();
    if (coalesces) call.group.startCoalescing(type);
    std::vector<Work> works;
    for (size_t i = 0; i < tensors.size(); ++i) {
      std::vector<at::Tensor> one{tensors[i]};
      const int peer = static_cast<int>(peers[i]);
      const int tag = static_cast<int>(tags[i]);
      works.push_back(sends[i] != 0 ? call.group.send(one, peer, tag)
                                    : call.group.recv(one, peer, tag));
    }
    if (coalesces) return call.group.endCoalescing(type);
    return c10::make_intrusive<Works>(std::move(works));
  }
};

using Future = c10::intrusive_ptr<c10::ivalue::Future>;

Future future_of(const Work& work) {
  try {
    return work->getFuture();
  } catch (const c10::Error&) {
    return {};  // point-to-point work of Gloo's has none
  }
}

// What must live until a collective has ended, and then end on the JavaScript thread: the last
// reference to a group must not go on one of the group's own threads.
struct Pending {
  Group group;
  std::shared_ptr<GroupObject> object;
  Work work;
};

Settle settled(const char* name, std::shared_ptr<Pending> pending,
               const std::exception_ptr& error) {
  // Moved, since a parameter may outlive the call that posts the result.
  return [name, pending = std::move(pending), error](napi_env) -> napi_value {
    if (pending->object->is_aborted) {
      throw Error("DISTRIBUTED_FAILED",
                  std::string(name) +
                      " failed: its process group was aborted on this rank. Its tensors hold "
                      "nothing that can be used; call initProcessGroup() to make another group.");
    }
    try {
      if (error) std::rethrow_exception(error);
      // On a GPU the future is complete once the work was enqueued: what this thread enqueues from
      // now on has to wait for it.
      if (device_count() > 0) pending->work->wait();
      return nullptr;
    } catch (...) {
      rethrow_as_distributed(name);
    }
  };
}

// Waits on a thread of its own.
napi_value promise_beside(napi_env env, Background& background, const char* name,
                          std::shared_ptr<Pending> pending) {
  return background.run(env, name, [name, pending = std::move(pending)]() -> Settle {
    std::exception_ptr error;
    try {
      pending->work->wait();
    } catch (...) {
      error = std::current_exception();
    }
    return settled(name, pending, error);
  });
}

napi_value promise_of(napi_env env, Background& background, const char* name, const Future& future,
                      std::shared_ptr<Pending> pending) {
  return background.promise(env, [&](Background::Done done) {
    auto handed_over = std::make_shared<std::shared_ptr<Pending>>(std::move(pending));
    future->addCallback([name, done, handed_over](c10::ivalue::Future& ended) {
      done(settled(name, std::move(*handed_over),
                   ended.hasError() ? ended.exception_ptr() : nullptr));
    });
  });
}

// Whether a collective's future says nothing of when it is done, so that only a wait does: on a GPU
// that of a barrier is complete before the other ranks are there, and that of any other before the
// GPU has done it.
template <typename Collective>
bool must_wait(const GroupObject& object) {
  return object.waits_for_gpu || (std::is_same_v<Collective, Barrier> && device_count() > 0);
}

template <typename Collective>
napi_value collective(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<5> args(env, info);
    Group group = live_group(env, args[0]);
    auto object = unwrap_object<GroupObject>(env, args[0]);
    Work work;
    try {
      work = Collective::start(CollectiveCall{env, args, *group});
    } catch (...) {
      rethrow_as_distributed(Collective::name);
    }
    const Future future = must_wait<Collective>(*object) ? Future() : future_of(work);
    auto pending =
        std::make_shared<Pending>(Pending{std::move(group), std::move(object), std::move(work)});
    Background& background = Background::of(env, info);
    return future ? promise_of(env, background, Collective::name, future, std::move(pending))
                  : promise_beside(env, background, Collective::name, std::move(pending));
  });
}

// A collective in the middle of a layer: the JavaScript thread waits for the other ranks.
template <typename Collective>
napi_value blocking(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    const Group group = live_group(env, args[0]);
    try {
      Collective::start(CollectiveCall{env, args, *group})->wait();
    } catch (...) {
      rethrow_as_distributed(Collective::name);
    }
    return nullptr;
  });
}

// emptyLike(tensor, count): the outputs of a collective
napi_value empty_like(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    Environment& environment = Environment::of(env);
    const at::Tensor model = environment.handles.get(args.handle(0)).detach();
    std::vector<at::Tensor> tensors;
    for (uint32_t i = 0; i < args.uint32(1); ++i) {
      tensors.push_back(at::empty_like(model, at::MemoryFormat::Contiguous));
    }
    return from_tensors(environment, env, tensors);
  });
}

std::vector<uint8_t> broadcast_bytes(c10d::ProcessGroup& group, std::vector<uint8_t> bytes,
                                     int root) {
  c10d::BroadcastOptions options;
  options.rootRank = root;
  std::vector<at::Tensor> length{at::full({1}, static_cast<int64_t>(bytes.size()), at::kLong)};
  group.broadcast(length, options)->wait();
  bytes.resize(length[0].item<int64_t>());
  if (bytes.empty()) return bytes;
  std::vector<at::Tensor> payload{
      at::from_blob(bytes.data(), {static_cast<int64_t>(bytes.size())}, at::kByte)};
  group.broadcast(payload, options)->wait();
  return bytes;
}

// monitoredBarrier(group, timeoutMs | null, waitAllRanks): Promise<void>
napi_value monitored_barrier(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    const Group group = live_group(env, args[0]);
    c10d::BarrierOptions options;
    options.timeout = CollectiveCall{env, args, *group}.timeout(1);
    if (group->getBackendType() != c10d::ProcessGroup::BackendType::GLOO) {
      throw Error("INVALID_ARGUMENT",
                  "monitoredBarrier is Gloo's alone, and this process group's backend is NCCL; "
                  "make a group with backend 'gloo' beside it");
    }
    return Background::of(env, info).run(env, "monitoredBarrier",
                                         [group, options, all = args.boolean(2)]() -> Settle {
                                           group->monitoredBarrier(options, all);
                                           return [](napi_env) -> napi_value { return nullptr; };
                                         });
  });
}

// broadcastBytes(group, bytes | null, src): Promise<Uint8Array>. It is two collectives, the second
// one issued later, so a group must have no other in the meantime.
napi_value broadcast_bytes_call(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    const Group group = live_group(env, args[0]);
    const int root = CollectiveCall{env, args, *group}.rank(2);
    auto bytes = group->getRank() == root ? read_bytes(env, args[1]) : std::vector<uint8_t>();
    return Background::of(env, info).run(env, "broadcastBytes", [group, root, bytes]() -> Settle {
      auto received = broadcast_bytes(*group, bytes, root);
      return [received](napi_env env) {
        return to_uint8_array(env, received.data(), received.size());
      };
    });
  });
}

}  // namespace

void define_collectives(napi_env env, napi_value object, Background& background) {
  background.define(env, object, Broadcast::name, collective<Broadcast>);
  background.define(env, object, AllReduce::name, collective<AllReduce>);
  background.define(env, object, Reduce::name, collective<Reduce>);
  background.define(env, object, AllGather::name, collective<AllGather>);
  background.define(env, object, Gather::name, collective<Gather>);
  background.define(env, object, Scatter::name, collective<Scatter>);
  background.define(env, object, ReduceScatter::name, collective<ReduceScatter>);
  background.define(env, object, AllToAll::name, collective<AllToAll>);
  background.define(env, object, Barrier::name, collective<Barrier>);
  background.define(env, object, Send::name, collective<Send>);
  background.define(env, object, Receive::name, collective<Receive>);
  background.define(env, object, AllReduceCoalesced::name, collective<AllReduceCoalesced>);
  background.define(env, object, AllGatherIntoTensor::name, collective<AllGatherIntoTensor>);
  background.define(env, object, AllGatherIntoTensorCoalesced::name,
                    collective<AllGatherIntoTensorCoalesced>);
  background.define(env, object, ReduceScatterTensor::name, collective<ReduceScatterTensor>);
  background.define(env, object, ReduceScatterTensorCoalesced::name,
                    collective<ReduceScatterTensorCoalesced>);
  background.define(env, object, AllToAllSingle::name, collective<AllToAllSingle>);
  background.define(env, object, Batch::name, collective<Batch>);
  background.define(env, object, "monitoredBarrier", monitored_barrier);
  background.define(env, object, "emptyLike", empty_like);
  background.define(env, object, "broadcastBytes", broadcast_bytes_call);
  background.define(env, object, "allReduceSync", blocking<AllReduce>);
  background.define(env, object, "allGatherSync", blocking<AllGather>);
}

}  // namespace aiforge
