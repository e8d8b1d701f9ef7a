// What a collective's tensors must be for one another, told before anything is sent.
#pragma once

#include <vector>

#include "collective_call.h"

namespace aiforge {

using TensorLists = std::vector<std::vector<at::Tensor>>;

// Throws for an empty list, where `what` says what it is of.
std::vector<at::Tensor> some(std::vector<at::Tensor> tensors, const char* what);

// Throws unless `whole` is as large as `part` of every rank together, and of its kind.
void check_parts(const CollectiveCall& call, const at::Tensor& whole, const at::Tensor& part);
void check_parts(const CollectiveCall& call, const std::vector<at::Tensor>& wholes,
                 const std::vector<at::Tensor>& parts);

// Throws unless there is a tensor for each rank, all like `model`.
void check_one_for_each(const CollectiveCall& call, const std::vector<at::Tensor>& tensors,
                        const at::Tensor& model);

// Throws unless each rank is sent a tensor and sends one, of one dtype, and none is both.
void check_exchange(const CollectiveCall& call, const std::vector<at::Tensor>& outputs,
                    const std::vector<at::Tensor>& inputs);

// The same for tensors whose rows are divided: by `splits`, or evenly where there are none.
void check_division(const CollectiveCall& call, const at::Tensor& output, const at::Tensor& input,
                    const std::vector<int64_t>& output_splits,
                    const std::vector<int64_t>& input_splits);

// Throws unless all have one dtype and one device.
void check_alike(const std::vector<at::Tensor>& tensors, const char* name);

}  // namespace aiforge
