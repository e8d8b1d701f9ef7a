#include "reducer_join.h"

#include <ATen/ATen.h>

#include <utility>
#include <vector>

#include "../calls/values.h"
#include "../condition.h"  // for the wait of a future, which is compiled in here
#include "../environment.h"
#include "../objects.h"
#include "call_scope.h"
#include "reducer_steps.h"

namespace aiforge {

namespace {

using Work = c10::intrusive_ptr<c10d::Work>;

Work begin_sum(const Group& group, const at::Tensor& tensor) {
  std::vector<at::Tensor> one{tensor};
  return group->allreduce(one);
}

double summed(const ReducerObject& object, const Group& group, double own) {
  const at::Tensor number = at::full({1}, own, at::device(object.reducer->device()));
  begin_sum(group, number)->wait();
  return number.item<double>();
}

// The Reducer's exchanges of a backward pass, with zeros of this rank.
void match_backward(const ReducerObject& object, const Group& group) {
  std::vector<c10::intrusive_ptr<c10::ivalue::Future>> results;
  for (c10d::GradBucket& bucket : object.reducer->get_grad_buckets(/*return_zero_tensors=*/true)) {
    results.push_back(object.reducer->run_comm_hook(bucket));
  }
  for (const auto& result : results) result->waitAndThrow();
  if (object.reducer->has_unused_search()) {
    begin_sum(group, object.reducer->get_local_used_map_on_device())->wait();
  }
  object.reducer->push_rebuilt_params_for_all_indices();
}

bool shadow_step(const ReducerObject& object, const Group& group,
                 const std::vector<at::Tensor>& buffers) {
  bool averages = false;
  {
    const BesideGradients mark;
    object.reducer->rebuild_buckets();
    if (!buffers.empty()) share_from(group, buffers, common_rank(object, group, false));
    averages = any_averages(object, group, false);
  }
  if (averages) {
    note_averaged_pass(group);
    match_backward(object, group);
  }
  return averages;
}

// shadowStep(reducer, group, buffers): Promise<boolean>, whether gradients were averaged. `buffers`
// are those that the step exchanges.
napi_value shadow_step_async(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    const auto object = unwrap_object<ReducerObject>(env, args[0]);
    const Group group = live_group(env, args[1]);
    const auto buffers = untracked(to_tensors(Environment::of(env), env, args[2]));
    return Background::of(env, info).run(
        env, "DistributedDataParallel.join", [object, group, buffers]() -> Settle {
          const bool averaged = shadow_step(*object, group, buffers);
          return [object, averaged](napi_env env) -> napi_value {
            return Napi::Boolean::New(env, averaged);
          };
        });
  });
}

// noteJoin(reducer): for the Logger
napi_value note_join(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    unwrap_object<ReducerObject>(env, args[0])->logger->set_uneven_input_join();
    return nullptr;
  });
}

}  // namespace

bool tell_joined_ranks(const ReducerObject& object, const Group& group, const Joining& joining) {
  const at::Tensor one = at::ones({1}, at::device(object.reducer->device()));
  Work work = begin_sum(group, one);
  if (joining.throws_on_early_end && summed(object, group, 0) != 0) return true;
  object.reducer->set_forward_pass_work_handle(std::move(work), joining.divides_by_initial_size);
  return false;
}

void note_averaged_pass(const Group& group) {
  if (const auto gloo = checked_gloo(*group)) gloo->begin_averaged_pass();
}

int common_rank(const ReducerObject& object, const Group& group, bool is_candidate) {
  const int64_t own = is_candidate ? group->getRank() : -1;
  std::vector<at::Tensor> rank{
      at::full({1}, own, at::device(object.reducer->device()).dtype(at::kLong))};
  c10d::AllreduceOptions options;
  options.reduceOp = c10d::ReduceOp::MAX;
  group->allreduce(rank, options)->wait();
  const auto found = rank[0].item<int64_t>();
  if (found < 0) throw Error("DISTRIBUTED_FAILED", "no rank has values to share with the others");
  return static_cast<int>(found);
}

bool any_averages(const ReducerObject& object, const Group& group, bool averages) {
  return summed(object, group, averages ? 1 : 0) != 0;
}

void define_reducer_join(napi_env env, napi_value object, Background& background) {
  background.define<shadow_step_async>(env, object, "shadowStep");
  background.define<note_join>(env, object, "noteJoin");
}

}  // namespace aiforge
