// Checks of normalisations: statistics and weights of the sizes that the kernels go by.
#include "../calls/values.h"
#include "checks.h"

namespace aiforge::checks {

void weight_norm(Call call) {
  require_dims(call, "v", 1, 64);
  const at::Tensor v = call.tensor("v");
  const int64_t dim = call.integer("dim");
  require_axis(dim, v.dim(), "dim");
  require(v.numel() > 0, "'v' to have elements");
  // -1 is none of them here: one norm of all.
  require_elements(call, {"g"}, dim == -1 ? 1 : v.size(dim));
}

void weight_norm_backward(Call call) {
  require_same_sizes(call, {"saved_v", "grad_w"});
  require_dims(call, "saved_v", 1, 64);
  const at::Tensor v = call.tensor("saved_v");
  const int64_t dim = call.integer("dim");
  require(dim == 0 || dim == v.dim() - 1, "'dim' to be the first or the last");
  require_elements(call, {"saved_g", "saved_norms"}, v.size(dim));
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
  const bool is_training = call.flag(train);
  // Those of the other mode are not read, and LibTorch itself gives empty ones.
  const char* mean = is_training ? "save_mean" : "running_mean";
  const char* variance = is_training ? deviation : "running_var";
  require_elements(call, {"weight", mean, variance}, call.tensor("input").size(1));
  require(call.has(mean) && call.has(variance),
          "the saved statistics when training, else the running ones");
}

void batch_norm(Call call, bool is_training) {
  require_dims(call, "input", 2, 64);
  require_elements(call, {"weight", "bias", "running_mean", "running_var"},
                   call.tensor("input").size(1));
  require(is_training || (call.has("running_mean") && call.has("running_var")),
          "the running statistics unless training");
}

}  // namespace aiforge::checks
