// What a collective is called with.
#pragma once

#include <napi.h>

#include <string>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <utility>
#include <vector>

#include "../calls/arguments.h"
#include "call_scope.h"
#include "in_flight.h"

namespace aiforge {

// A tensor that c10d fills in place of one that it cannot fill itself.
struct StandIn {
  at::Tensor wanted;
  at::Tensor filled;
};

// The arguments of a collective: the group, the call's number and timeout, then its own, which
// count from 1. Each reader throws INVALID_ARGUMENT.
class CollectiveCall {
 public:
  CollectiveCall(napi_env env, const ArgumentReader& args, c10d::ProcessGroup& group)
      : env(env), args(args), group(group) {}

  // What c10d can send or fill: contiguous, and of real numbers. What it fills in place of another
  // tensor is in `stand_ins`.
  at::Tensor input(size_t i) const;
  at::Tensor output(size_t i) const;
  // An output on all ranks but one, which sends it.
  at::Tensor output_but_of(size_t i, int rank) const;
  // An output that may be sparse.
  at::Tensor reduced(size_t i) const;
  std::vector<at::Tensor> inputs(size_t i) const;
  std::vector<at::Tensor> outputs(size_t i) const;
  // The same for a send or receive, which take any dtype.
  at::Tensor sent(const at::Tensor& tensor) const;
  at::Tensor received(const at::Tensor& tensor) const;
  at::Tensor tensor(size_t i) const;
  std::vector<at::Tensor> tensors(size_t i) const;

  std::vector<int64_t> numbers(size_t i) const;
  int rank(size_t i) const;
  // Of another rank than this one.
  int other_rank(size_t i) const;
  int checked_rank(int64_t rank) const;
  int checked_other(int64_t rank) const;
  int tag(size_t i) const;
  bool is_missing(size_t i) const { return args.is_missing(i + kBeforeOwn); }
  // A reduction by its name, or a number: the factor of 'premulSum'. `on` is what is reduced, and
  // was read before.
  c10d::ReduceOp op(size_t i, const at::Tensor& on) const;
  // In ms, or the group's where it is missing.
  std::chrono::milliseconds timeout() const;
  CallScope scope(const char* name) const { return {args.uint32(1), name, timeout()}; }

  static constexpr size_t kBeforeOwn = 2;
  const napi_env env;
  const ArgumentReader& args;
  c10d::ProcessGroup& group;
  mutable std::vector<StandIn> stand_ins;
  mutable std::vector<Span> spans;  // what is read and written before it ends

 private:
  // Throws where a collective that has not ended uses the tensor's memory.
  Span idle(const at::Tensor& tensor, bool is_output) const;
  at::Tensor plain(const at::Tensor& tensor, bool is_output) const;
  at::Tensor of_collective(const at::Tensor& tensor, bool is_output) const;
  c10d::ReduceOp named_op(const std::string& name, const at::Tensor& on) const;

  mutable bool has_complex_ = false;
};

int checked_tag(int64_t tag);

// Gives the tensors that were wanted the values of those that were filled.
void give_back(const std::vector<StandIn>& stand_ins);

}  // namespace aiforge
