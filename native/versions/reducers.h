// The Reducer's constructor, which has other arguments since 2.13.
#pragma once

#include <torch/headeronly/version.h>

#include <memory>
#include <torch/csrc/distributed/c10d/reducer.hpp>
#include <unordered_map>
#include <utility>
#include <vector>

namespace aiforge {

struct ReducerArguments {
  std::vector<at::Tensor> parameters;
  std::vector<std::vector<size_t>> buckets;
  c10::intrusive_ptr<c10d::ProcessGroup> group;
  std::vector<bool> sparse;
  int64_t bucket_bytes = 0;
  bool find_unused_parameters = false;
  bool gradient_as_bucket_view = false;
  std::unordered_map<size_t, std::string> names;
  int64_t first_bucket_bytes = 0;
  bool skip_all_reduce_unused_parameters = false;
  std::vector<int64_t> bucket_bytes_list;
  bool batched_gradient_copy = false;
};

constexpr bool kHasBatchedGradientCopy = TORCH_VERSION_MINOR >= 13;

template <typename Reducer>
std::shared_ptr<Reducer> make_reducer(ReducerArguments given) {
  return std::make_shared<Reducer>(
      std::move(given.parameters), std::move(given.buckets), std::move(given.group),
      std::move(given.sparse), given.bucket_bytes, given.find_unused_parameters,
      given.gradient_as_bucket_view, std::move(given.names), given.first_bucket_bytes,
      given.skip_all_reduce_unused_parameters, /*use_python_reducer=*/false,
      std::move(given.bucket_bytes_list)
#if TORCH_VERSION_MINOR >= 13
          ,
      given.batched_gradient_copy
#endif
  );
}

}  // namespace aiforge
