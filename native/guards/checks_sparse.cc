// Checks of what sparse tensors are made of: indices and pointers within the sizes. Their order is
// not looked at: LibTorch's own products have columns in any.
#include <ATen/ops/_validate_sparse_coo_tensor_args.h>

#include "../calls/values.h"
#include "checks.h"

namespace aiforge::checks {

void sparse_coo(Call call) {
  if (!call.has("indices") || !call.has("size") || call.tensor("indices").is_meta()) return;
  at::_validate_sparse_coo_tensor_args(call.tensor("indices"), call.tensor("values"),
                                       call.integers("size"));
}

namespace {

// The kinds of a layout by the operator's name, or by its argument.
struct Compressed {
  bool by_rows;
  bool has_blocks;

  explicit Compressed(Call call) {
    const std::string& name = call.schema().name();
    const auto is = [&](const char* part, c10::Layout layout) {
      if (call.has("layout")) return call.integer("layout") == static_cast<int64_t>(layout);
      return name.find(part) != std::string::npos;
    };
    by_rows = is("_csr_", c10::kSparseCsr) || is("_bsr_", c10::kSparseBsr);
    has_blocks = is("_bsr_", c10::kSparseBsr) || is("_bsc_", c10::kSparseBsc);
  }
};

// How many rows or columns, or blocks of them, there are; `dim` counts from the end of the batch.
int64_t blocks_of(Call call, const Compressed& layout, int64_t batch, int64_t dim) {
  const std::vector<int64_t> sizes = call.integers("size");
  require(static_cast<int64_t>(sizes.size()) >= batch + 2, "a 'size' with rows and columns");
  const int64_t block = layout.has_blocks ? call.tensor("values").size(batch + 1 + dim) : 1;
  const int64_t size = sizes[static_cast<size_t>(batch + dim)];
  require(block > 0 && size >= 0 && size % block == 0, "a 'size' of whole blocks");
  return size / block;
}

// From the first value to behind the last one.
void pointers(const at::Tensor& row, const std::string& name, int64_t count) {
  require_rising(row, name, 0, count);
  require_within(row.slice(0, 0, 1), "the first of '" + name + "'", 0, 0);
  require_within(row.slice(0, -1), "the last of '" + name + "'", count, count);
}

}  // namespace

void sparse_compressed(Call call) {
  const Compressed layout(call);
  const char* compressed = call.schema().arguments()[0].name().c_str();
  const char* plain = call.schema().arguments()[1].name().c_str();
  require_dims(call, compressed, 1, 62);
  const at::Tensor outer = call.tensor(compressed);
  const at::Tensor inner = call.tensor(plain);
  const int64_t batch = outer.dim() - 1;
  require_dims(call, plain, outer.dim(), outer.dim());
  require_dims(call, "values", outer.dim() + (layout.has_blocks ? 2 : 0), 64);
  require_same_leading(call, compressed, plain, batch);
  require_same_leading(call, plain, "values", outer.dim());
  require(outer.size(-1) > 0, "a pointer before the first row or column");
  int64_t last = INT64_MAX;
  if (call.has("size")) {
    if (outer.size(-1) != blocks_of(call, layout, batch, layout.by_rows ? 0 : 1) + 1)
      refuse(std::string("'") + compressed + "' to have a pointer more than there are " +
             (layout.by_rows ? "rows" : "columns") + ", got " + describe_tensor(outer));
    last = blocks_of(call, layout, batch, layout.by_rows ? 1 : 0) - 1;
  }
  require_within(inner, plain, 0, last);
  const at::Tensor rows = outer.reshape({-1, outer.size(-1)});
  for (int64_t i = 0; i < rows.size(0); ++i) pointers(rows[i], compressed, inner.size(-1));
}

}  // namespace aiforge::checks
