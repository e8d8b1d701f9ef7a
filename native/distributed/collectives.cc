#include "collectives.h"

#include "../accelerator/accelerator.h"
#include "../calls/values.h"
#include "../environment.h"
#include "../objects.h"
#include "call_lines.h"
#include "collective_kinds.h"
#include "process_group.h"

namespace aiforge {

namespace {

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
  std::vector<StandIn> stand_ins;
  std::chrono::milliseconds timeout = kNoTimeout;  // of a wait on another thread
  bool gives_source = false;
  std::unique_ptr<InFlight::Token> in_flight;
};

napi_value value_of(napi_env env, const Pending& pending) {
  give_back(pending.stand_ins);
  return pending.gives_source ? number(env, pending.work->sourceRank()) : nullptr;
}

Settle settled(const char* name, std::shared_ptr<Pending> pending,
               const std::exception_ptr& error) {
  // Moved, since a parameter may outlive the call that posts the result.
  return [name, pending = std::move(pending), error](napi_env env) -> napi_value {
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
      return value_of(env, *pending);
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
      pending->work->wait(pending->timeout);
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
  return object.waits_for_gpu ||
         (std::is_same_v<Collective, collectives::Barrier> && device_count() > 0);
}

// For a send or receive c10d has no option, so that its wait has the time: where the group's watch
// does not end it.
std::chrono::milliseconds timeout_of_wait(const CollectiveCall& call, bool is_message) {
  const auto gloo = is_message ? gloo_of(call.group) : nullptr;
  if (!is_message || (gloo && gloo->is_checked())) return kNoTimeout;
  if (call.timeout() != c10d::kUnsetTimeout) return call.timeout();
  return gloo ? gloo->timeout() : kNoTimeout;
}

template <typename Collective>
constexpr bool is_message() {
  using namespace collectives;
  return std::is_same_v<Collective, Send> || std::is_same_v<Collective, Receive> ||
         std::is_same_v<Collective, Batch>;
}

template <typename Collective>
napi_value collective(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<7> args(env, info);
    Group group = live_group(env, args[0]);
    auto object = unwrap_object<GroupObject>(env, args[0]);
    const CollectiveCall call(env, args, *group);
    Work work;
    try {
      const CallScope scope = call.scope(Collective::name);
      work = Collective::start(call);
    } catch (...) {
      rethrow_as_distributed(Collective::name);
    }
    const Future future = must_wait<Collective>(*object) ? Future() : future_of(work);
    auto pending = std::make_shared<Pending>(
        Pending{std::move(group), std::move(object), std::move(work), std::move(call.stand_ins),
                timeout_of_wait(call, is_message<Collective>()),
                std::is_same_v<Collective, collectives::Receive>,
                Environment::of(env).in_flight.add(Collective::name, std::move(call.spans))});
    Background& background = Background::of(env, info);
    return future ? promise_of(env, background, Collective::name, future, std::move(pending))
                  : promise_beside(env, background, Collective::name, std::move(pending));
  });
}

// Waits on the JavaScript thread, which nobody can ask for the user's line meanwhile.
void wait_here(const CollectiveCall& call, const Work& work) {
  if (auto* checked = dynamic_cast<CheckedWork*>(work.get())) {
    constexpr std::chrono::milliseconds kLate{200};
    if (!checked->ends_within(kLate)) checked->set_line(line_of(call.env, call.args.uint32(1)));
  }
  work->wait();
}

// A collective in the middle of a layer: the JavaScript thread waits for the other ranks.
template <typename Collective>
napi_value blocking(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<7> args(env, info);
    const Group group = live_group(env, args[0]);
    const CollectiveCall call(env, args, *group);
    try {
      Work work;
      {
        const CallScope scope = call.scope(Collective::name);
        work = Collective::start(call);
      }
      wait_here(call, work);
    } catch (...) {
      rethrow_as_distributed(Collective::name);
    }
    give_back(call.stand_ins);
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

// monitoredBarrier(group, call, timeoutMs | null, waitAllRanks): Promise<void>. Where the group has
// a watch, every barrier names the ranks that are missing.
napi_value monitored_barrier(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<7> args(env, info);
    Group group = live_group(env, args[0]);
    const CollectiveCall call(env, args, *group);
    constexpr const char* kName = "monitoredBarrier";
    c10d::BarrierOptions options;
    options.timeout = call.timeout();
    if (group->getBackendType() != c10d::ProcessGroup::BackendType::GLOO) {
      throw Error("INVALID_ARGUMENT",
                  "monitoredBarrier is Gloo's alone, and this process group's backend is NCCL; "
                  "make a group with backend 'gloo' beside it");
    }
    Background& background = Background::of(env, info);
    if (const auto gloo = checked_gloo(*group)) {
      const CallScope scope = call.scope(kName);
      Work work = gloo->barrier(options);
      auto object = unwrap_object<GroupObject>(env, args[0]);
      return promise_beside(
          env, background, kName,
          std::make_shared<Pending>(
              Pending{group, std::move(object), std::move(work), {}, kNoTimeout, false, nullptr}));
    }
    return background.run(env, kName, [group, options, all = args.boolean(3)]() -> Settle {
      group->monitoredBarrier(options, all);
      return [](napi_env) -> napi_value { return nullptr; };
    });
  });
}

template <typename... Collectives>
void define_each(napi_env env, napi_value object, Background& background) {
  (background.define<collective<Collectives>>(env, object, Collectives::name), ...);
}

}  // namespace

void define_collectives(napi_env env, napi_value object, Background& background) {
  using namespace collectives;
  define_each<Broadcast, AllReduce, Reduce, AllGather, Gather, Scatter, ReduceScatter, AllToAll,
              Barrier, Send, Receive, AllReduceCoalesced, AllGatherIntoTensor,
              AllGatherIntoTensorCoalesced, ReduceScatterTensor, ReduceScatterTensorCoalesced,
              AllToAllSingle, Batch>(env, object, background);
  background.define<monitored_barrier>(env, object, "monitoredBarrier");
  background.define<empty_like>(env, object, "emptyLike");
  background.define<blocking<collectives::AllReduce>>(env, object, "allReduceSync");
  background.define<blocking<collectives::AllGather>>(env, object, "allGatherSync");
}

}  // namespace aiforge
