// c10d's Reducer as JavaScript holds it: with its Logger, the names of its parameters, and what a
// pass beside the JavaScript thread must not be disturbed in.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <torch/csrc/distributed/c10d/logger.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>
#include <unordered_map>
#include <vector>

#include "../autograd/run.h"

namespace aiforge {

using ParameterNames = std::unordered_map<size_t, std::string>;

class StepReducer : public c10d::Reducer {
 public:
  using c10d::Reducer::Reducer;

  // On the JavaScript thread: that a forward pass was prepared whose gradients will be averaged, and
  // whether they may still be.
  void expect_average() { is_expected_ = true; }
  bool may_average();

 private:
  bool is_expected_ = false;
};

struct ReducerObject : PassGuest {
  static constexpr napi_type_tag tag = {0xe3b7120d5a94c86f, 0x47f0a2c91b6e3d58};
  static constexpr const char* name = "Reducer";

  // The Reducer follows its Logger by a weak pointer that it does not check: both live together,
  // and the Logger, declared last, goes first.
  std::shared_ptr<StepReducer> reducer;
  std::shared_ptr<c10d::Logger> logger;
  ParameterNames names;
  std::unordered_map<c10::TensorImpl*, size_t> numbers;  // of the parameters, for `names`
  std::string unused_advice;

  // Whether a pass beside the JavaScript thread may be averaging.
  bool is_busy() { return passes_beside > 0 && reducer->may_average(); }

  bool watches(const at::Tensor& leaf) const override;
  void check_pass() override;
  void check_gradient(const at::Tensor& tensor) override;
};

}  // namespace aiforge
