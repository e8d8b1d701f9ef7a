// Checks of shapes, states and layouts.
#include "checks.h"

#include <ATen/ExpandUtils.h>
#include <ATen/autocast_mode.h>
#include <c10/util/StringUtil.h>

#include <algorithm>

#include "../calls/values.h"

namespace aiforge::checks {

// The gates of a recurrent cell come side by side in dimension 1.
void gates(Call call, int64_t count) {
  require_same_sizes(call, {"input_gates", "hidden_gates"});
  const at::Tensor input = call.tensor("input_gates");
  if (!(input.dim() == 2 && input.size(1) > 0 && input.size(1) % count == 0))
    refuse("gates of 2 dimensions, the second a multiple of " + std::to_string(count) + ", got " +
           describe_tensor(input));
}

// Without projections oneDNN computes it, where each direction of a layer has 'weight_ih',
// 'weight_hh' and, with biases, one for each.
void lstm_weights(Call call) {
  if (!call.has_argument("input")) return;
  require_dims(call, "input", 3, 3);
  const std::vector<at::Tensor> states = call.tensors("hx");
  require(states.size() == 2 && states[0].defined() && states[1].defined() &&
              states[0].dim() == 3 && states[1].dim() == 3,
          "'hx' to be two tensors of 3 dimensions");
  const int64_t width = states[1].size(2);
  if (states[0].size(2) != width) return;
  const int64_t directions = call.flag("bidirectional") ? 2 : 1;
  const size_t each = call.flag("has_biases") ? 4 : 2;
  const int64_t layers = call.integer("num_layers");
  const std::vector<at::Tensor> weights = call.tensors("params");
  require(layers > 0 && layers < 65536 &&
              weights.size() == static_cast<size_t>(layers * directions) * each,
          "'params' of so many layers and directions");
  const at::Tensor input = call.tensor("input");
  const bool is_cast = at::autocast::is_autocast_enabled(input.device().type());
  for (size_t i = 0; i < weights.size(); ++i) {
    const bool is_first = i < static_cast<size_t>(directions) * each;
    const int64_t columns = i % each == 0 ? (is_first ? input.size(2) : width * directions) : width;
    const bool is_bias = i % each >= 2;
    const std::vector<int64_t> expected =
        is_bias ? std::vector<int64_t>{4 * width} : std::vector<int64_t>{4 * width, columns};
    if (weights[i].defined() && weights[i].sizes() == at::IntArrayRef(expected) &&
        (is_cast || weights[i].scalar_type() == input.scalar_type()))
      continue;
    refuse("weight " + std::to_string(i) + " of 'params' of sizes [" + c10::Join(", ", expected) +
           "] and the input's dtype, got " + describe_tensor(weights[i]));
  }
}

// LibTorch broadcasts 'x1' and 'x2' against each other, but not these.
void cdist_backward(Call call) {
  require_dims(call, "x1", 2, 64);
  require_dims(call, "x2", 2, 64);
  require_same_sizes(call, {"cdist", "grad"});
  const at::Tensor x1 = call.tensor("x1");
  const at::Tensor x2 = call.tensor("x2");
  const at::Tensor cdist = call.tensor("cdist");
  const at::IntArrayRef batch1 = x1.sizes().slice(0, x1.dim() - 2);
  const at::IntArrayRef batch2 = x2.sizes().slice(0, x2.dim() - 2);
  if (x1.size(-1) == x2.size(-1) && at::are_expandable(batch1, batch2)) {
    std::vector<int64_t> expected = at::infer_size(batch1, batch2);
    expected.insert(expected.end(), {x1.size(-2), x2.size(-2)});
    if (cdist.sizes() == at::IntArrayRef(expected)) return;
  }
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

// How often kernels may count for nothing.
static constexpr double kMostEmpty = 1e6;

void empty_result(Call call) {
  bool is_empty = false;
  double count = 1;
  for (const int64_t size : call.integers("output_size")) {
    is_empty = is_empty || size == 0;
    count *= static_cast<double>(std::max<int64_t>(size, 1));
  }
  require(!is_empty || count <= kMostEmpty,
          "'output_size' of at most a million beside a size of 0");
}

static bool has_floats(const at::Tensor& tensor) {
  return is_readable(tensor) && !c10::isIntegralType(tensor.scalar_type(), true);
}

void finite_matrix(Call call) {
  const at::Tensor self = call.tensor("self");
  if (!has_floats(self)) return;
  require(self.detach().isfinite().all().item<bool>(), "a matrix without infinities and NaNs");
}

void binomial_numbers(Call call) {
  const at::Tensor count = call.tensor("count");
  const at::Tensor prob = call.tensor("prob");
  require(!has_floats(count) || count.detach().isfinite().all().item<bool>(),
          "'count' without infinities and NaNs");
  require(!has_floats(prob) || prob.numel() == 0 || !prob.detach().gt(1).any().item<bool>(),
          "'prob' of at most 1");
}

void combinations(Call call) { require(call.integer("r", 2) <= 1000, "'r' of at most 1,000"); }

void empty_matrices(Call call) {
  for (const c10::IValue& value : call.stack()) {
    if (!value.isTensor() || !value.toTensor().defined()) continue;
    const at::Tensor& tensor = value.toTensor();
    if (tensor.dim() < 3 || tensor.numel() > 0) continue;
    double count = 1;
    for (const int64_t size : tensor.sizes().slice(0, tensor.dim() - 2)) {
      count *= static_cast<double>(size);
    }
    require(count <= kMostEmpty, "at most a million matrices without elements");
  }
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

// Polynomials are calculated one degree after the other.
void polynomial_degree(Call call) {
  constexpr double kMost = 1e6;
  const c10::IValue& degree = call["n"];
  bool is_small = true;
  if (degree.isScalar()) {
    is_small = !(degree.toScalar().toDouble() > kMost);
  } else if (const at::Tensor& n = degree.toTensor(); is_readable(n)) {
    is_small = !n.detach().to(c10::kDouble).gt(kMost).any().item<bool>();
  }
  require(is_small, "'n' to be a degree up to 1,000,000");
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

// Whole numbers are divided by what is left of a step without its fraction.
void range_steps(Call call) {
  for (const char* name : {"start", "end", "step"}) {
    if (!call.has(name) || call[name].toScalar().isComplex()) return;
  }
  const double step = std::trunc(call["step"].toScalar().toDouble());
  const double length = call["end"].toScalar().toDouble() - call["start"].toScalar().toDouble();
  if (!(step == 0 || std::abs(length / step) < 9223372036854775807.0))
    refuse("fewer than 2^63 steps from 'start' to 'end'");
}

void whole_steps(Call call, bool small_too) {
  if (!call.has("out") || !call.has("step") || call["step"].toScalar().isComplex()) return;
  const c10::ScalarType dtype = call.tensor("out").scalar_type();
  const bool is_whole = dtype == c10::kLong || (small_too && c10::isIntegralType(dtype, true));
  require(!is_whole || std::trunc(call["step"].toScalar().toDouble()) != 0,
          "a step of at least 1 for an 'out' of whole numbers");
}

// The search moves the ends of the range by a step until they meet: one that is lost in rounding
// never gets there.
void quantization_search(Call call) {
  constexpr int64_t kMostBins = 65536;
  const at::Tensor input = call.tensor("input");
  const int64_t count = call.integer("numel");
  const int64_t bins = call.integer("n_bins");
  const double ratio = call["ratio"].toDouble();
  require(count >= 0 && count <= input.numel(), "'numel' within the input");
  require(bins > 0 && bins <= kMostBins, "'n_bins' in 1 … 65,536");
  require(ratio >= 0 && ratio <= 1, "a ratio in 0 … 1");
  require(call.integer("bit_width") >= 1 && call.integer("bit_width") <= 16,
          "a 'bit_width' in 1 … 16");
  if (count == 0 || input.is_meta() || input.scalar_type() != c10::kFloat) return;
  const at::Tensor values = input.flatten().slice(0, 0, count);
  const float low = values.min().item<float>();
  const float high = values.max().item<float>();
  const float step = (high - low) / static_cast<float>(bins);
  require(!(low < high) || (low + step > low && high - step < high),
          "values further apart than their rounding, or fewer bins");
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

}  // namespace aiforge::checks
