// Checks of tensors whose values point into others: classes, pooled maxima, pivots, segments, bags.
#include <algorithm>

#include "../calls/values.h"
#include "checks.h"

namespace aiforge::checks {

// The indices of a pooling point into the last `dims` dimensions of the input.
void pool_indices(Call call, int64_t dims) {
  require_dims(call, "self", dims + 1, dims + 2);
  require_same_sizes(call, {"grad_output", "indices"});
  require(call.tensor("grad_output").dim() == call.tensor("self").dim(),
          "'grad_output' to have the dimensions of 'self'");
  const at::Tensor self = call.tensor("self");
  require_same_leading(call, "self", "grad_output", self.dim() - dims);
  int64_t count = 1;
  for (const int64_t size : self.sizes().slice(self.dim() - dims)) count *= size;
  require_within(call.tensor("indices"), "indices", 0, count - 1);
}

void index_tensors(Call call) {
  if (!c10::impl::tls_is_dispatch_key_included(c10::DispatchKey::FuncTorchDynamicLayerFrontMode))
    return;
  const std::vector<at::Tensor> indices = call.tensors("indices");
  require(std::any_of(indices.begin(), indices.end(),
                      [](const at::Tensor& index) { return index.defined(); }),
          "an index that is a tensor");
}

void average_pool(Call call, int64_t dims) {
  require_dims(call, "self", dims + 1, dims + 2);
  require(call.tensor("grad_output").dim() == call.tensor("self").dim(),
          "'grad_output' to have the dimensions of 'self'");
  require_same_leading(call, "self", "grad_output", call.tensor("self").dim() - dims);
}

void class_targets(Call call) {
  const at::Tensor self = call.tensor("self");
  const at::Tensor target = call.tensor("target");
  if (self.dim() == 0 || !c10::isIntegralType(target.scalar_type(), false)) return;
  const int64_t classes = self.size(self.dim() == 1 ? 0 : 1);
  const int64_t ignored = call.integer("ignore_index");
  for (const int64_t value : Integers(target)) {
    if (value == ignored || (value >= 0 && value < classes)) continue;
    refuse("'target' to have values in 0 … " + std::to_string(classes - 1) + ", got " +
           std::to_string(value));
  }
}

void row_pointers(Call call) {
  const at::Tensor rows = call.tensor("crow_indices");
  const at::Tensor columns = call.tensor("col_indices");
  require_dims(call, "crow_indices", 1, 64);
  require_dims(call, "col_indices", rows.dim(), rows.dim());
  require_same_leading(call, "crow_indices", "col_indices", rows.dim() - 1);
  require(rows.size(-1) > 0, "a row pointer");
  const at::Tensor all = rows.reshape({-1, rows.size(-1)});
  for (int64_t i = 0; i < all.size(0); ++i) {
    require_rising(all[i], "crow_indices", 0, columns.size(-1));
  }
}

static std::vector<int64_t> lengths_of(Call call, const char* name) {
  if (call[name].isIntList()) return call.integers(name);
  const Integers lengths(call.tensor(name).to(c10::kCPU));
  return {lengths.begin(), lengths.end()};
}

// The labels of each sample up to its length; what follows them is padding.
void ctc_targets(Call call) {
  require_dims(call, "log_probs", 2, 3);
  require_dims(call, "targets", 1, 2);
  const at::Tensor probabilities = call.tensor("log_probs");
  const at::Tensor targets = call.tensor("targets");
  const int64_t last = probabilities.size(-1) - 1;
  const int64_t blank = call.integer("blank");
  require(blank >= 0 && blank <= last, "'blank' to be one of the labels");
  if (probabilities.is_meta()) return;
  for (const int64_t length : lengths_of(call, "input_lengths")) {
    require(length >= 0 && length <= probabilities.size(0), "'input_lengths' of at most the steps");
  }
  const std::vector<int64_t> lengths = lengths_of(call, "target_lengths");
  int64_t at = 0;
  for (size_t i = 0; i < lengths.size(); ++i) {
    const bool is_row = targets.dim() == 2;
    const auto row = static_cast<int64_t>(i);
    require(lengths[i] >= 0 && (!is_row || row < targets.size(0)) &&
                lengths[i] <= targets.size(-1) - (is_row ? 0 : at),
            "'target_lengths' to fit 'targets'");
    const at::Tensor labels =
        is_row ? targets[row].narrow(0, 0, lengths[i]) : targets.narrow(0, at, lengths[i]);
    require_within(labels, "targets", 0, last);
    at += lengths[i];
  }
}

void ctc_backward(Call call) {
  ctc_targets(call);
  require_dims(call, "log_probs", 3, 3);
  require_dims(call, "log_alpha", 3, 3);
  const at::Tensor probabilities = call.tensor("log_probs");
  const at::Tensor alpha = call.tensor("log_alpha");
  require_elements(call, {"grad", "neg_log_likelihood"}, probabilities.size(1));
  int64_t longest = 0;
  for (const int64_t length : lengths_of(call, "target_lengths"))
    longest = std::max(longest, length);
  if (!(alpha.size(0) == probabilities.size(1) && alpha.size(1) == probabilities.size(0) &&
        alpha.size(2) == 2 * longest + 1))
    refuse("'log_alpha' of the forward pass, got " + describe_tensor(alpha));
}

void lu_pivots(Call call, const char* lu, const char* pivots) {
  require_dims(call, lu, 2, 64);
  require_within(call.tensor(pivots), pivots, 1, call.tensor(lu).size(-2));
}

void unpacked_pivots(Call call) {
  require_dims(call, "LU_data", 2, 64);
  if (!call.flag("unpack_pivots")) return;
  const at::Tensor lu = call.tensor("LU_data");
  const at::Tensor pivots = call.tensor("LU_pivots");
  require_dims(call, "LU_pivots", lu.dim() - 1, lu.dim() - 1);
  require_same_leading(call, "LU_data", "LU_pivots", lu.dim() - 2);
  if (pivots.size(-1) != std::min(lu.size(-1), lu.size(-2)))
    refuse("'LU_pivots' to have one for each row that was swapped, got " + describe_tensor(pivots) +
           " for " + describe_tensor(lu));
  lu_pivots(call, "LU_data", "LU_pivots");
}

// A block of two rows has its negative pivot twice.
void ldl_pivots(Call call) {
  require_dims(call, "LD", 2, 64);
  const at::Tensor pivots = call.tensor("pivots");
  const int64_t rows = call.tensor("LD").size(-2);
  require_within(pivots, "pivots", -rows, rows);
  if (pivots.dim() == 0) return;
  require(pivots.size(-1) == rows, "a pivot for each row");
  const Integers values(pivots);
  for (int64_t i = 0; i < values.size(); ++i) {
    require(values[i] != 0, "pivots other than 0");
    if (values[i] > 0) continue;
    require((i + 1) % rows != 0 && values[i + 1] < 0, "negative pivots in pairs");
    ++i;
  }
}

static int64_t axis_of(Call call, const at::Tensor& data) {
  const int64_t axis = call.integer("axis");
  require(data.dim() > 0, "'data' to have a dimension");
  require_axis(axis, data.dim(), "axis");
  return axis < 0 ? axis + data.dim() : axis;
}

void segments(Call call) {
  const at::Tensor data = call.tensor("data");
  const int64_t axis = axis_of(call, data);
  const int64_t size = data.size(axis);
  for (const char* name : {"lengths", "offsets"}) {
    const at::Tensor given = call.tensor(name);
    if (!given.defined()) continue;
    if (!(given.dim() == axis + 1))
      refuse(std::string("'") + name + "' to have axis + 1 dimensions");
    require_same_leading(call, "data", name, axis);
    const at::Tensor rows = given.reshape({-1, std::max<int64_t>(given.size(-1), 1)});
    for (int64_t i = 0; given.numel() > 0 && i < rows.size(0); ++i) {
      const at::Tensor row = rows[i];
      require_within(row, name, 0, size);
      require_rising(name[0] == 'l' ? row.cumsum(0) : row, name, 0, size);
    }
  }
}

void segments_backward(Call call) {
  segments(call);
  require_same_sizes(call, {"output", "grad"});
  const at::Tensor data = call.tensor("data");
  const at::Tensor output = call.tensor("output");
  const int64_t axis = axis_of(call, data);
  require(output.dim() == data.dim(), "'output' to have the dimensions of 'data'");
  require_same_leading(call, "data", "output", axis);
  for (int64_t i = axis + 1; i < data.dim(); ++i) {
    require(output.size(i) == data.size(i), "'output' to have the last sizes of 'data'");
  }
  const bool by_lengths = call.has("lengths");
  require(by_lengths || call.has("offsets"), "'lengths' or 'offsets'");
  const int64_t count =
      by_lengths ? call.tensor("lengths").size(-1) : call.tensor("offsets").size(-1) - 1;
  require(output.size(axis) == count, "'output' to have one item a segment");
}

void bag_offsets(Call call) {
  const int64_t count = call.tensor("indices").numel();
  require_rising(call.tensor("offsets"), "offsets", 0, count);
}

void bag(Call call) {
  require_dims(call, "weight", 2, 2);
  require_dims(call, "indices", 1, 2);
  require_dims(call, "offsets", 1, 1);
  require(call.integer("mode") >= 0 && call.integer("mode") <= 2, "'mode' in 0 … 2");
  require_within(call.tensor("indices"), "indices", 0, call.tensor("weight").size(0) - 1);
  bag_offsets(call);
  if (!call.flag("include_last_offset")) return;
  // Of indices that no bag holds the mean counts some all the same, and backward reads the gradient
  // of a bag after the last.
  const at::Tensor offsets = call.tensor("offsets");
  const int64_t count = call.tensor("indices").numel();
  require(offsets.numel() > 0, "'offsets' with the last offset, got none");
  require_within(offsets.slice(0, -1), "the last offset, the number of indices", count, count);
}

// The public operator makes its arguments contiguous before it calls one of these.
void dense_bag(Call call) {
  require_dense(call, {"indices", "offsets"});
  bag(call);
}

void bag_backward(Call call) {
  require_dims(call, "grad", 2, 2);
  require_dims(call, "indices", 1, 1);
  const int64_t bags = call.tensor("grad").size(0);
  const int64_t count = call.tensor("indices").numel();
  const int64_t weights = call.integer("num_weights");
  require_within(call.tensor("indices"), "indices", 0, weights - 1);
  require_elements(call, {"offset2bag", "per_sample_weights"}, count);
  require_dense(call, {"indices", "offset2bag", "bag_size"});
  require_within(call.tensor("offset2bag"), "offset2bag", 0, bags - 1);
  require_elements(call, {"bag_size"}, bags);
}

void bag_backward_with_maximum(Call call) {
  if (call.tensor("offset2bag").numel() > 0) bag_backward(call);
  require_dims(call, "grad", 2, 2);
  // They are indices where the largest is taken, and counts otherwise.
  if (call.integer("mode") != 2) return;
  const at::Tensor maximum = call.tensor("maximum_indices");
  require_within(maximum, "maximum_indices", -1, call.integer("num_weights") - 1);
  require(maximum.sizes() == call.tensor("grad").sizes(),
          "'maximum_indices' to have the sizes of 'grad'");
}

void bag_backward_whole(Call call) {
  bag_backward_with_maximum(call);
  bag_offsets(call);
  require_within(call.tensor("indices"), "indices", 0, call.integer("num_weights") - 1);
}

void bag_weights_backward(Call call) {
  require_dims(call, "grad", 2, 2);
  require_dims(call, "weight", 2, 2);
  require_dims(call, "indices", 1, 1);
  require_within(call.tensor("indices"), "indices", 0, call.tensor("weight").size(0) - 1);
  bag_offsets(call);
  require_dense(call, {"indices", "offsets", "offset2bag"});
  const at::Tensor bags = call.tensor("offset2bag");
  require(bags.numel() == 0 || bags.numel() == call.tensor("indices").numel(),
          "'offset2bag' to have an item for each index");
  require_within(bags, "offset2bag", 0, call.tensor("grad").size(0) - 1);
}

}  // namespace aiforge::checks
