// c10d's Reducer as JavaScript holds it: with its Logger, the names of its parameters, and what a
// pass beside the JavaScript thread must not be disturbed in.
#pragma once

#include <napi.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <torch/csrc/distributed/c10d/logger.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>
#include <unordered_map>
#include <vector>

#include "../autograd/run.h"
#include "process_group.h"

namespace aiforge {

using ParameterNames = std::unordered_map<size_t, std::string>;

class StepReducer : public c10d::Reducer {
 public:
  using c10d::Reducer::Reducer;

  // On the JavaScript thread: that a forward pass was prepared whose gradients will be averaged,
  // and whether they may still be.
  void expect_average() { is_expected_ = true; }
  bool may_average();

  // Whether the next forward pass begins with an exchange of which gradients came first.
  bool will_rebuild() const { return should_rebuild_buckets() && !rebuilt_params_.empty(); }

  // By the numbers of parameters, as the passes to come have them; empty while their order is
  // not known.
  std::vector<std::vector<size_t>> settled_buckets(const std::vector<size_t>& limits) const;
  // The buckets that it was made with stay, as those of a run that goes on.
  void keep_buckets() { has_rebuilt_bucket_ = true; }

  // The first parameter, if any, whose gradient does not come here any more, as after another
  // dtype was given to it.
  std::optional<size_t> first_lost() const;

  // How many graphs that exist lead to each parameter, and something constant.
  std::vector<size_t> uses() const;

  at::Device device() const { return params_.front().device(); }
  bool has_unused_search() const { return find_unused_parameters_; }

  // Runs `body` while another group takes the place of the Reducer's.
  template <typename Body>
  void with_group(const Group& group, Body body) {
    const Group own = std::exchange(process_group_, group);
    body();
    process_group_ = own;
  }

 private:
  bool is_expected_ = false;
};

struct ReducerObject : PassGuest {
  static constexpr napi_type_tag tag = {0xe3b7120d5a94c86f, 0x47f0a2c91b6e3d58};
  static constexpr const char* name = "Reducer";

  // The Reducer follows its Logger by a weak pointer that it does not check: both live together,
  // and the Logger, declared last, goes first.
  Group group;
  std::shared_ptr<StepReducer> reducer;
  std::shared_ptr<c10d::Logger> logger;
  ParameterNames names;
  std::unordered_map<c10::TensorImpl*, size_t> numbers;  // of the parameters, for `names`
  std::string unused_advice;
  std::vector<size_t> bucket_limits;  // of the buckets after the first step
  bool is_static_graph = false;
  // In a static graph: whether the first backward pass has begun, after which all is averaged.
  std::atomic<bool> is_first_pass_begun{false};
  // Of the last forward pass, on the JavaScript thread: `uses` before it, and what it used.
  std::vector<size_t> uses_before;
  std::vector<bool> used_in_forward;

  // Whether a pass beside the JavaScript thread may be averaging.
  bool is_busy() { return passes_beside > 0 && reducer->may_average(); }

  bool watches(const at::Tensor& leaf) const override;
  void check_pass(const std::vector<std::shared_ptr<PassGuest>>& all) override;
  void check_gradient(const at::Tensor& tensor) override;
};

// Throws while a pass beside the JavaScript thread may be averaging over the group: what else is
// exchanged there would meet its messages in another order on each rank.
void check_group_is_idle(const std::vector<std::shared_ptr<PassGuest>>& all, const Group& group);

}  // namespace aiforge
