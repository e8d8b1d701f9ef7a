// What a collective is called with.
#pragma once

#include <napi.h>

#include <string>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <vector>

#include "../calls/arguments.h"

namespace aiforge {

// The arguments of a collective: the group, then its own. Each reader throws INVALID_ARGUMENT.
struct CollectiveCall {
  napi_env env;
  const ArgumentReader& args;
  c10d::ProcessGroup& group;

  at::Tensor tensor(size_t i) const;
  std::vector<at::Tensor> tensors(size_t i) const;
  std::vector<int64_t> numbers(size_t i) const;
  int rank(size_t i) const;
  int checked_rank(int64_t rank) const;
  int tag(size_t i) const;
  // A reduction by its name, or a number: the factor of 'premulSum'. `on` is what is reduced.
  c10d::ReduceOp op(size_t i, const at::Tensor& on) const;
  // A time in ms, or the group's where it is missing.
  std::chrono::milliseconds timeout(size_t i) const;

 private:
  const at::Tensor& checked(const at::Tensor& tensor) const;
};

int checked_tag(int64_t tag);

}  // namespace aiforge
