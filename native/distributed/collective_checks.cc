#include "collective_checks.h"

#include <ATen/MemoryOverlap.h>
#include <c10/util/StringUtil.h>

#include "../calls/values.h"
#include "../errors.h"

namespace aiforge {

namespace {

[[noreturn]] void refuse(const std::string& text) { throw Error("INVALID_ARGUMENT", text); }

std::string placed(const at::Tensor& tensor) {
  return describe_tensor(tensor) + " on " + tensor.device().str();
}

bool is_alike(const at::Tensor& one, const at::Tensor& other) {
  return one.dtype() == other.dtype() && one.device() == other.device();
}

// What c10d reads for one rank while it writes for another must not be the same memory.
void check_apart(const at::Tensor& output, const at::Tensor& input) {
  if (output.numel() == 0 || input.numel() == 0) return;
  const auto status = at::get_overlap_status(output, input);
  if (status != at::MemOverlapStatus::Full && status != at::MemOverlapStatus::Partial) return;
  refuse(
      "an output shares memory with an input, and would be written while it is still sent: give "
      "a clone() of " +
      describe_tensor(input));
}

void check_splits(const CollectiveCall& call, const at::Tensor& whole,
                  const std::vector<int64_t>& splits, const char* which) {
  const int size = call.group.getSize();
  const std::string tensor = std::string("the ") + which + " " + describe_tensor(whole);
  if (whole.dim() == 0) refuse(tensor + " has no rows to divide among the ranks");
  const int64_t rows = whole.size(0);
  if (splits.empty()) {
    if (rows % size == 0) return;
    refuse(tensor + " has " + std::to_string(rows) + " rows, which " + std::to_string(size) +
           " ranks cannot divide evenly: give inputSplitSizes and outputSplitSizes");
  }
  int64_t sum = 0;
  bool is_negative = false;
  for (const int64_t each : splits) {
    is_negative = is_negative || each < 0 || each > rows;
    sum += is_negative ? 0 : each;
  }
  if (!is_negative && static_cast<int>(splits.size()) == size && sum == rows) return;
  refuse(std::string(which) + "SplitSizes [" + c10::Join(", ", splits) +
         "] must give each of the " + std::to_string(size) + " ranks its part of the " +
         std::to_string(rows) + " rows of " + describe_tensor(whole));
}

int64_t row_of(const at::Tensor& whole) {
  return whole.size(0) == 0 ? 0 : whole.numel() / whole.size(0);
}

}  // namespace

std::vector<at::Tensor> some(std::vector<at::Tensor> tensors, const char* what) {
  if (tensors.empty()) refuse(std::string("got an empty list of ") + what);
  return tensors;
}

void check_parts(const CollectiveCall& call, const at::Tensor& whole, const at::Tensor& part) {
  const int size = call.group.getSize();
  if (is_alike(whole, part) && whole.numel() == part.numel() * size) return;
  refuse("one tensor holds the parts of all " + std::to_string(size) +
         " ranks, of one dtype and device: got " + placed(whole) + " for parts of " + placed(part));
}

void check_parts(const CollectiveCall& call, const std::vector<at::Tensor>& wholes,
                 const std::vector<at::Tensor>& parts) {
  if (wholes.size() != parts.size()) {
    refuse("got " + std::to_string(wholes.size()) + " tensors for " + std::to_string(parts.size()) +
           " of parts");
  }
  for (size_t i = 0; i < wholes.size(); ++i) check_parts(call, wholes[i], parts[i]);
}

void check_one_for_each(const CollectiveCall& call, const std::vector<at::Tensor>& tensors,
                        const at::Tensor& model) {
  const auto size = static_cast<size_t>(call.group.getSize());
  if (tensors.size() != size) {
    refuse("expected a tensor for each of the " + std::to_string(size) + " ranks, got " +
           std::to_string(tensors.size()));
  }
  for (size_t i = 0; i < size; ++i) {
    if (is_alike(tensors[i], model) && tensors[i].numel() == model.numel()) continue;
    refuse("the tensor for rank " + std::to_string(i) + " is " + placed(tensors[i]) +
           ", and the output " + placed(model) + ": they must have one size, dtype and device");
  }
}

void check_exchange(const CollectiveCall& call, const std::vector<at::Tensor>& outputs,
                    const std::vector<at::Tensor>& inputs) {
  const auto size = static_cast<size_t>(call.group.getSize());
  for (const auto& [list, what] : {std::pair(&inputs, "tensors"), std::pair(&outputs, "outputs")}) {
    if (list->size() == size) continue;
    refuse("expected " + std::string(what) + " for each of the " + std::to_string(size) +
           " ranks, got " + std::to_string(list->size()));
  }
  std::vector<at::Tensor> all = inputs;
  all.insert(all.end(), outputs.begin(), outputs.end());
  check_alike(all, "allToAll");
  const int own = call.group.getRank();
  if (outputs[own].numel() != inputs[own].numel()) {
    refuse("this rank, " + std::to_string(own) + ", sends itself " + describe_tensor(inputs[own]) +
           ", and its output for that is " + describe_tensor(outputs[own]));
  }
  for (const at::Tensor& output : outputs) {
    for (const at::Tensor& input : inputs) check_apart(output, input);
  }
}

void check_division(const CollectiveCall& call, const at::Tensor& output, const at::Tensor& input,
                    const std::vector<int64_t>& output_splits,
                    const std::vector<int64_t>& input_splits) {
  check_splits(call, input, input_splits, "input");
  check_splits(call, output, output_splits, "output");
  check_alike({input, output}, "allToAllSingle");
  const bool is_even = output_splits.empty() && input_splits.empty();
  const bool has_rows = output.size(0) > 0 && input.size(0) > 0;
  if ((has_rows && row_of(output) != row_of(input)) ||
      (is_even && output.numel() != input.numel())) {
    refuse("the output is " + describe_tensor(output) + " for an input of " +
           describe_tensor(input) + ": their rows must have one size" +
           (is_even ? ", and be as many where no split sizes are given" : ""));
  }
  check_apart(output, input);
}

void check_alike(const std::vector<at::Tensor>& tensors, const char* name) {
  for (const at::Tensor& tensor : tensors) {
    if (is_alike(tensor, tensors[0])) continue;
    refuse("the tensors of one " + std::string(name) + " have one dtype and one device, got " +
           placed(tensors[0]) + " and " + placed(tensor));
  }
}

}  // namespace aiforge
