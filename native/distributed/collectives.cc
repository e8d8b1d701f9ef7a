#include "collectives.h"

#include "../accelerator/accelerator.h"
#include "../environment.h"
#include "../objects.h"
#include "../values.h"
#include "process_group.h"

namespace aiforge {

namespace {

using Work = c10::intrusive_ptr<c10d::Work>;

// What a collective is called with: the group, then its own arguments.
struct Call {
  napi_env env;
  const ArgumentReader& args;
  c10d::ProcessGroup& group;

  at::Tensor tensor(size_t i) const {
    return checked(Environment::of(env).handles.get(args.handle(i)));
  }

  std::vector<at::Tensor> tensors(size_t i) const {
    auto tensors = to_tensors(Environment::of(env), env, args[i]);
    for (const at::Tensor& tensor : tensors) checked(tensor);
    return tensors;
  }

  int rank(size_t i) const {
    const int64_t rank = args.int64(i);
    if (rank < 0 || rank >= group.getSize()) {
      throw Error("INVALID_ARGUMENT", "rank " + std::to_string(rank) + " is not in 0 … " +
                                          std::to_string(group.getSize() - 1) +
                                          ", the ranks of this process group");
    }
    return static_cast<int>(rank);
  }

  c10d::ReduceOp op(size_t i) const {
    using Op = c10d::ReduceOp;
    const std::string name = args.string(i);
    for (const auto& [op_name, op] : {std::pair<const char*, Op::RedOpType>{"sum", Op::SUM},
                                      {"avg", Op::AVG},
                                      {"product", Op::PRODUCT},
                                      {"min", Op::MIN},
                                      {"max", Op::MAX},
                                      {"band", Op::BAND},
                                      {"bor", Op::BOR},
                                      {"bxor", Op::BXOR}}) {
      if (name == op_name) return op;
    }
    throw Error("INVALID_ARGUMENT", "'" + name +
                                        "' is no reduction; expected 'sum', 'avg', "
                                        "'product', 'min', 'max', 'band', 'bor' or 'bxor'");
  }

 private:
  const at::Tensor& checked(const at::Tensor& tensor) const {
    check_device(group, tensor);
    if (!tensor.is_contiguous()) {
      throw Error("INVALID_ARGUMENT", "got " + describe_tensor(tensor) +
                                          ", which is not contiguous; call contiguous() first");
    }
    return tensor;
  }
};

struct Broadcast {
  static constexpr const char* name = "broadcast";
  static Work start(const Call& call) {
    c10d::BroadcastOptions options;
    options.rootRank = call.rank(2);
    std::vector<at::Tensor> tensors{call.tensor(1)};
    return call.group.broadcast(tensors, options);
  }
};

struct AllReduce {
  static constexpr const char* name = "allReduce";
  static Work start(const Call& call) {
    c10d::AllreduceOptions options;
    options.reduceOp = call.op(2);
    std::vector<at::Tensor> tensors{call.tensor(1)};
    return call.group.allreduce(tensors, options);
  }
};

struct Reduce {
  static constexpr const char* name = "reduce";
  static Work start(const Call& call) {
    c10d::ReduceOptions options;
    options.rootRank = call.rank(2);
    options.reduceOp = call.op(3);
    std::vector<at::Tensor> tensors{call.tensor(1)};
    return call.group.reduce(tensors, options);
  }
};

using TensorLists = std::vector<std::vector<at::Tensor>>;

// Only one rank has the list; for the others it is empty.
TensorLists list_of_root(const Call& call, size_t i, int root) {
  TensorLists lists;
  if (call.group.getRank() == root) lists.push_back(call.tensors(i));
  return lists;
}

struct AllGather {
  static constexpr const char* name = "allGather";
  static Work start(const Call& call) {
    TensorLists outputs{call.tensors(1)};
    std::vector<at::Tensor> inputs{call.tensor(2)};
    return call.group.allgather(outputs, inputs);
  }
};

struct Gather {
  static constexpr const char* name = "gather";
  static Work start(const Call& call) {
    c10d::GatherOptions options;
    options.rootRank = call.rank(3);
    TensorLists outputs = list_of_root(call, 1, call.rank(3));
    std::vector<at::Tensor> inputs{call.tensor(2)};
    return call.group.gather(outputs, inputs, options);
  }
};

struct Scatter {
  static constexpr const char* name = "scatter";
  static Work start(const Call& call) {
    c10d::ScatterOptions options;
    options.rootRank = call.rank(3);
    std::vector<at::Tensor> outputs{call.tensor(1)};
    TensorLists inputs = list_of_root(call, 2, call.rank(3));
    return call.group.scatter(outputs, inputs, options);
  }
};

struct ReduceScatter {
  static constexpr const char* name = "reduceScatter";
  static Work start(const Call& call) {
    c10d::ReduceScatterOptions options;
    options.reduceOp = call.op(3);
    std::vector<at::Tensor> outputs{call.tensor(1)};
    TensorLists inputs{call.tensors(2)};
    return call.group.reduce_scatter(outputs, inputs, options);
  }
};

struct AllToAll {
  static constexpr const char* name = "allToAll";
  static Work start(const Call& call) {
    auto outputs = call.tensors(1);
    auto inputs = call.tensors(2);
    return call.group.alltoall(outputs, inputs);
  }
};

struct Barrier {
  static constexpr const char* name = "barrier";
  static Work start(const Call& call) { return call.group.barrier(); }
};

int tag_of(const Call& call, size_t i) {
  const int64_t tag = call.args.int64(i);
  if (tag < 0 || tag > 0x7fffffff) throw Error("INVALID_ARGUMENT", "a tag is in 0 … 2^31-1");
  return static_cast<int>(tag);
}

struct Send {
  static constexpr const char* name = "send";
  static Work start(const Call& call) {
    std::vector<at::Tensor> tensors{call.tensor(1)};
    return call.group.send(tensors, call.rank(2), tag_of(call, 3));
  }
};

struct Receive {
  static constexpr const char* name = "recv";
  static Work start(const Call& call) {
    std::vector<at::Tensor> tensors{call.tensor(1)};
    return call.group.recv(tensors, call.rank(2), tag_of(call, 3));
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
  Work work;
};

Settle settled(const char* name, std::shared_ptr<Pending> pending,
               const std::exception_ptr& error) {
  // Moved, since a parameter may outlive the call that posts the result.
  return [name, pending = std::move(pending), error](napi_env) -> napi_value {
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
  return background.run(env, name, [pending = std::move(pending)]() -> Settle {
    pending->work->wait();
    return [pending](napi_env) -> napi_value { return nullptr; };
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

template <typename Collective>
napi_value collective(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<5> args(env, info);
    Group group = live_group(env, args[0]);
    Work work;
    try {
      work = Collective::start(Call{env, args, *group});
    } catch (...) {
      rethrow_as_distributed(Collective::name);
    }
    // The future of a barrier on a GPU is complete before the other ranks are there.
    const bool has_future = !std::is_same_v<Collective, Barrier> || device_count() == 0;
    const Future future = has_future ? future_of(work) : Future();
    auto pending = std::make_shared<Pending>(Pending{std::move(group), std::move(work)});
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
      Collective::start(Call{env, args, *group})->wait();
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

// broadcastBytes(group, bytes | null, src): Promise<Uint8Array>. It is two collectives, the second
// one issued later, so a group must have no other in the meantime.
napi_value broadcast_bytes_call(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    const Group group = live_group(env, args[0]);
    const int root = Call{env, args, *group}.rank(2);
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
  background.define(env, object, "emptyLike", empty_like);
  background.define(env, object, "broadcastBytes", broadcast_bytes_call);
  background.define(env, object, "allReduceSync", blocking<AllReduce>);
  background.define(env, object, "allGatherSync", blocking<AllGather>);
}

}  // namespace aiforge
