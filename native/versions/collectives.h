// What c10d calls otherwise since 2.13: collectives whose lists are one tensor, and sums with a
// factor.
#pragma once

#include <torch/headeronly/version.h>

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <vector>

namespace aiforge {

using Work = c10::intrusive_ptr<c10d::Work>;

#if TORCH_VERSION_MINOR >= 13
inline c10d::ReduceOp premul_sum(double factor) { return c10d::makePreMulSum(factor); }
inline Work gather_single(c10d::ProcessGroup& group, at::Tensor output, at::Tensor input) {
  return group.all_gather_single(output, input);
}
inline Work gather_singles(c10d::ProcessGroup& group, std::vector<at::Tensor> outputs,
                           std::vector<at::Tensor> inputs) {
  return group.all_gather_single_coalesced(outputs, inputs);
}
inline Work reduce_scatter_single(c10d::ProcessGroup& group, at::Tensor output, at::Tensor input,
                                  const c10d::ReduceScatterOptions& options) {
  return group.reduce_scatter_single(output, input, options);
}
inline Work reduce_scatter_singles(c10d::ProcessGroup& group, std::vector<at::Tensor> outputs,
                                   std::vector<at::Tensor> inputs,
                                   const c10d::ReduceScatterOptions& options) {
  return group.reduce_scatter_single_coalesced(outputs, inputs, options);
}
inline Work all_to_all_single(c10d::ProcessGroup& group, at::Tensor output, at::Tensor input,
                              std::vector<int64_t> output_splits,
                              std::vector<int64_t> input_splits) {
  return group.all_to_all_single(output, input, output_splits, input_splits);
}
#else
inline c10d::ReduceOp premul_sum(double factor) { return c10d::makeNCCLPreMulSum(factor); }
inline Work gather_single(c10d::ProcessGroup& group, at::Tensor output, at::Tensor input) {
  return group._allgather_base(output, input);
}
inline Work gather_singles(c10d::ProcessGroup& group, std::vector<at::Tensor> outputs,
                           std::vector<at::Tensor> inputs) {
  return group.allgather_into_tensor_coalesced(outputs, inputs);
}
inline Work reduce_scatter_single(c10d::ProcessGroup& group, at::Tensor output, at::Tensor input,
                                  const c10d::ReduceScatterOptions& options) {
  return group._reduce_scatter_base(output, input, options);
}
inline Work reduce_scatter_singles(c10d::ProcessGroup& group, std::vector<at::Tensor> outputs,
                                   std::vector<at::Tensor> inputs,
                                   const c10d::ReduceScatterOptions& options) {
  return group.reduce_scatter_tensor_coalesced(outputs, inputs, options);
}
inline Work all_to_all_single(c10d::ProcessGroup& group, at::Tensor output, at::Tensor input,
                              std::vector<int64_t> output_splits,
                              std::vector<int64_t> input_splits) {
  return group.alltoall_base(output, input, output_splits, input_splits);
}
#endif

}  // namespace aiforge
