#include "guard_checks.h"

#include <ATen/ops/_validate_sparse_compressed_tensor_args.h>
#include <c10/util/StringUtil.h>

#include <algorithm>

#include "values.h"

namespace aiforge::checks {

// The gates of a recurrent cell come side by side in dimension 1.
void gates(Call call, int64_t count) {
  require_same_sizes(call, {"input_gates", "hidden_gates"});
  const at::Tensor input = call.tensor("input_gates");
  if (!(input.dim() == 2 && input.size(1) > 0 && input.size(1) % count == 0))
    refuse("gates of 2 dimensions, the second a multiple of " + std::to_string(count) + ", got " +
           describe_tensor(input));
}

void weight_norm(Call call) {
  require_dims(call, "v", 1, 64);
  const at::Tensor v = call.tensor("v");
  const int64_t dim = call.integer("dim");
  require(dim >= -1 && dim < v.dim(), "'dim' to name a dimension of 'v' or to be -1");
  require(v.numel() > 0, "'v' to have elements");
  require_elements(call, {"g"}, dim < 0 ? 1 : v.size(dim));
}

void weight_norm_backward(Call call) {
  require_same_sizes(call, {"saved_v", "grad_w"});
  require_dims(call, "saved_v", 1, 64);
  const at::Tensor v = call.tensor("saved_v");
  const int64_t dim = call.integer("dim");
  require(dim == 0 || dim == v.dim() - 1, "'dim' to be the first or the last");
  require_elements(call, {"saved_g", "saved_norms"}, v.size(dim));
}

void cdist_backward(Call call) {
  require_dims(call, "x1", 2, 64);
  require_dims(call, "x2", 2, 64);
  const at::Tensor x1 = call.tensor("x1");
  const at::Tensor x2 = call.tensor("x2");
  require_same_sizes(call, {"cdist", "grad"});
  require_dims(call, "cdist", 2, 64);
  const at::Tensor cdist = call.tensor("cdist");
  if (!(x1.size(-1) == x2.size(-1) && cdist.size(-2) == x1.size(-2) &&
        cdist.size(-1) == x2.size(-2) && x1.dim() == cdist.dim() && x2.dim() == cdist.dim() &&
        x1.sizes().slice(0, x1.dim() - 2) == cdist.sizes().slice(0, cdist.dim() - 2) &&
        x2.sizes().slice(0, x2.dim() - 2) == cdist.sizes().slice(0, cdist.dim() - 2)))
    refuse("'cdist' to hold the distances of 'x1' and 'x2', got " + describe_tensor(cdist) + ", " +
           describe_tensor(x1) + " and " + describe_tensor(x2));
}

void cholesky_solve(Call call) {
  require_dims(call, "self", 2, 64);
  require_dims(call, "A", 2, 64);
  const at::Tensor a = call.tensor("A");
  if (!(a.dim() == call.tensor("self").dim() && a.size(-1) == a.size(-2)))
    refuse("'A' to be square matrices, got " + describe_tensor(a));
  require_same_leading(call, "self", "A", a.dim() - 1);
}

// N, C and HxW tell the sizes that the kernel goes by.
void group_norm(Call call) {
  const int64_t n = call.integer("N");
  const int64_t c = call.integer("C");
  const int64_t group = call.integer("group");
  require(group > 0 && c > 0 && n >= 0 && c % group == 0, "'group' to divide 'C'");
  const auto count = static_cast<__int128>(n) * c * call.integer("HxW");
  if (!(call.tensor("input").numel() == count))
    refuse("'input' to have N * C * HxW elements, got " + describe_tensor(call.tensor("input")));
  require_elements(call, {"weight"}, c);
}

void group_norm_backward(Call call) {
  group_norm(call);
  require_same_sizes(call, {"input", "grad_out"});
  require_elements(call, {"mean", "rstd"}, call.integer("N") * call.integer("group"));
  require_dense(call, {"grad_out", "input", "mean", "rstd", "weight"});
}

void layer_norm_backward(Call call, Names statistics) {
  require_same_sizes(call, {"input", "grad_out"});
  const at::Tensor input = call.tensor("input");
  const int64_t normalized = static_cast<int64_t>(call.integers("normalized_shape").size());
  require(normalized > 0 && normalized <= input.dim(), "'normalized_shape' to fit 'input'");
  int64_t rows = 1;
  for (const int64_t size : input.sizes().slice(0, input.dim() - normalized)) rows *= size;
  for (const char* name : statistics) {
    if (!(call.has(name))) refuse(std::string("'") + name + "' to be given");
  }
  require_elements(call, statistics, rows);
}

void batch_norm_backward(Call call, const char* grad, const char* deviation, const char* train) {
  require_same_sizes(call, {"input", grad});
  require_dims(call, "input", 2, 64);
  require_elements(call, {"weight", "running_mean", "running_var", "save_mean", deviation},
                   call.tensor("input").size(1));
  const bool is_training = call.flag(train);
  require(call.has(is_training ? "save_mean" : "running_mean") &&
              call.has(is_training ? deviation : "running_var"),
          "the saved statistics when training, else the running ones");
}

void batch_norm(Call call, bool is_training) {
  require_dims(call, "input", 2, 64);
  require_elements(call, {"weight", "bias", "running_mean", "running_var"},
                   call.tensor("input").size(1));
  require(is_training || (call.has("running_mean") && call.has("running_var")),
          "the running statistics unless training");
}

// The state is a row of 30 numbers for each dimension.
void sobol(Call call, const char* state, Names of_dimensions) {
  constexpr int64_t kBits = 30;
  constexpr int64_t kMostDimensions = 21201;
  const int64_t dimensions = call.integer("dimension");
  require(dimensions > 0 && dimensions <= kMostDimensions, "'dimension' in 1 … 21,201");
  require_dims(call, state, 2, 2);
  const at::Tensor rows = call.tensor(state);
  if (!(rows.size(0) == dimensions && rows.size(1) == kBits))
    refuse(std::string("'") + state + "' of sizes [dimension, 30], got " + describe_tensor(rows));
  for (const char* name : of_dimensions) require_dims(call, name, 1, 1);
  require_elements(call, of_dimensions, dimensions);
  const int64_t drawn = call.has_argument("n") ? call.integer("n") : 0;
  const int64_t before = call.has_argument("n") ? call.integer("num_generated") : 0;
  constexpr int64_t kMost = int64_t{1} << kBits;
  require(drawn >= 0 && before >= 0 && drawn < kMost && before < kMost && drawn + before < kMost,
          "at most 2^30 points");
}

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
  const at::Tensor used = target.masked_select(target.ne(call.integer("ignore_index")));
  require_within(used, "target", 0, classes - 1);
}

static std::vector<int64_t> lengths_of(Call call, const char* name) {
  if (call[name].isIntList()) return call.integers(name);
  const at::Tensor tensor = call.tensor(name).to(c10::kCPU, c10::kLong).contiguous();
  return {tensor.const_data_ptr<int64_t>(), tensor.const_data_ptr<int64_t>() + tensor.numel()};
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

// A block of two rows has its negative pivot twice.
void ldl_pivots(Call call) {
  require_dims(call, "LD", 2, 64);
  const at::Tensor pivots = call.tensor("pivots");
  const int64_t rows = call.tensor("LD").size(-2);
  require_within(pivots, "pivots", -rows, rows);
  if (!pivots.device().is_cpu() || pivots.dim() == 0) return;
  require(pivots.size(-1) == rows, "a pivot for each row");
  const at::Tensor whole = pivots.to(c10::kLong).contiguous();
  const int64_t* data = whole.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < whole.numel(); ++i) {
    require(data[i] != 0, "pivots other than 0");
    if (data[i] > 0) continue;
    require((i + 1) % rows != 0 && data[i + 1] < 0, "negative pivots in pairs");
    ++i;
  }
}

void segments(Call call) {
  const at::Tensor data = call.tensor("data");
  const int64_t axis = call.integer("axis");
  require(axis >= 0 && axis < data.dim(), "'axis' to name a dimension of 'data'");
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
  const int64_t axis = call.integer("axis");
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
  require_within(call.tensor("indices"), "indices", 0, call.tensor("weight").size(0) - 1);
  bag_offsets(call);
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
  const at::Tensor maximum = call.tensor("maximum_indices");
  require_within(maximum, "maximum_indices", -1, call.integer("num_weights") - 1);
  require(call.integer("mode") != 2 || maximum.sizes() == call.tensor("grad").sizes(),
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

void grid_gradient(Call call) {
  require_dims(call, "input", 4, 5);
  const at::Tensor input = call.tensor("input");
  const at::Tensor grid = call.tensor("grid");
  const at::Tensor gradient = call.tensor("grad_output");
  if (!(grid.dim() == input.dim() && gradient.dim() == input.dim() &&
        gradient.size(0) == input.size(0) && gradient.size(1) == input.size(1) &&
        gradient.sizes().slice(2) == grid.sizes().slice(1, grid.dim() - 2)))
    refuse("'grad_output' to have the channels of 'input' and the places of 'grid', got " +
           describe_tensor(gradient));
}

void unfold_sizes(Call call) {
  const std::vector<int64_t> sizes = call.integers("input_sizes");
  const auto dims = static_cast<int64_t>(sizes.size());
  int64_t dim = call.integer("dim");
  require_axis(dim, dims, "dim");
  if (dims == 0) return;
  if (dim < 0) dim += dims;
  const int64_t size = call.integer("size");
  const int64_t step = call.integer("step");
  require(step > 0 && size >= 0 && size <= sizes[dim], "'step' above 0 and 'size' within 'dim'");
  std::vector<int64_t> expected = sizes;
  expected[dim] = (sizes[dim] - size) / step + 1;
  expected.push_back(size);
  if (!(call.tensor("grad_in").sizes() == at::IntArrayRef(expected)))
    refuse("'grad_in' of sizes [" + c10::Join(", ", expected) + "], got " +
           describe_tensor(call.tensor("grad_in")));
}

void packed_sequence(Call call) {
  require_dims(call, "data", 1, 64);
  require_dims(call, "batch_sizes", 1, 1);
  const at::Tensor sizes = call.tensor("batch_sizes");
  const int64_t rows = call.tensor("data").size(0);
  require(sizes.numel() > 0, "a batch size for each step");
  require_within(sizes, "batch_sizes", 1, rows);
  require_rising(sizes.flip(0), "batch_sizes from the last", 0, rows);
  require_rising(sizes.cumsum(0), "the sums of batch_sizes", 0, rows);
}

void fused_states(Call call) {
  const auto parameters = call["self"].toListRef();
  for (size_t i = 1; i < call.schema().arguments().size(); ++i) {
    if (!call.stack()[i].isTensorList()) continue;
    const std::string& name = call.schema().arguments()[i].name();
    const auto states = call.stack()[i].toListRef();
    const bool is_unused = (name == "max_exp_avg_sqs" && !call.flag("amsgrad")) ||
                           (name == "momentum_buffer_list" && call["momentum"].toDouble() == 0);
    if (is_unused && states.empty()) continue;
    if (states.size() != parameters.size()) refuse("'" + name + "' to have an item a parameter");
    if (name == "state_steps") continue;
    for (size_t j = 0; j < states.size(); ++j) {
      const at::Tensor& state = states[j].toTensor();
      const at::Tensor& parameter = parameters[j].toTensor();
      if (state.sizes() == parameter.sizes()) continue;
      refuse("'" + name + "' to have the parameters' sizes, got " + describe_tensor(state) +
             " for " + describe_tensor(parameter));
    }
  }
}

void random_range(Call call) {
  constexpr int64_t kMost = int64_t{1} << 62;
  const at::Tensor self = call.tensor("self");
  const bool is_integral =
      call.has("dtype")
          ? c10::isIntegralType(static_cast<c10::ScalarType>(call.integer("dtype")), true)
          : !self.defined() || c10::isIntegralType(self.scalar_type(), true);
  for (const char* name : {"from", "to", "low", "high"}) {
    if (is_integral || !call.has(name) || !call[name].isInt()) continue;
    if (!(call.integer(name) <= kMost && call.integer(name) >= -kMost))
      refuse(std::string("'") + name + "' within 2^62 for a floating-point dtype");
  }
}

void attention_backward(Call call) {
  require_dims(call, "query", 4, 4);
  require_dims(call, "key", 4, 4);
  require_dims(call, "grad_out", 4, 4);
  require_dims(call, "logsumexp", 3, 3);
  require_same_sizes(call, {"grad_out", "out"});
  require_same_leading(call, "query", "grad_out", 3);
  require_same_leading(call, "query", "logsumexp", 3);
  require_same_leading(call, "query", "key", 2);
  require_same_leading(call, "key", "value", 3);
  const at::Tensor query = call.tensor("query");
  require(call.tensor("key").size(3) == query.size(3) && call.tensor("value").dim() == 4 &&
              call.tensor("value").size(3) == call.tensor("out").size(3),
          "'key' as wide as 'query' and 'value' as 'out'");
}

int64_t elements_of_memory(const at::Tensor& tensor) {
  return static_cast<int64_t>(tensor.storage().nbytes() / tensor.itemsize());
}

void nested_views(Call call) {
  require_dims(call, "self", 1, 1);
  require_dims(call, "nested_size", 0, 2);
  require_dims(call, "offsets", 0, 1);
  require_same_sizes(call, {"nested_size", "nested_strides"});
  const at::Tensor sizes = call.tensor("nested_size").to(c10::kLong).contiguous();
  const at::Tensor strides = call.tensor("nested_strides").to(c10::kLong).contiguous();
  const at::Tensor offsets = call.tensor("offsets").to(c10::kLong).contiguous();
  if (sizes.dim() < 2) return;
  const int64_t dims = sizes.size(1);
  require(offsets.numel() == sizes.size(0), "an offset for each tensor");
  for (int64_t i = 0; i < sizes.size(0); ++i) {
    require_view({sizes.const_data_ptr<int64_t>() + i * dims, static_cast<size_t>(dims)},
                 {strides.const_data_ptr<int64_t>() + i * dims, static_cast<size_t>(dims)},
                 offsets.const_data_ptr<int64_t>()[i], call.tensor("self").numel());
  }
}

void sparse_compressed(Call call, const char* compressed, const char* plain, c10::Layout layout) {
  at::_validate_sparse_compressed_tensor_args(call.tensor(compressed), call.tensor(plain),
                                              call.tensor("values"), call.integers("size"), layout);
}

}  // namespace aiforge::checks
