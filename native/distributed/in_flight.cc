#include "in_flight.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace aiforge {

namespace {

// How many places a view has along each of these strides.
std::vector<int64_t> sizes_along(const std::vector<int64_t>& strides, const Span& span) {
  std::vector<int64_t> sizes;
  for (const int64_t stride : strides) {
    const auto found = std::find(span.strides.begin(), span.strides.end(), stride);
    sizes.push_back(found == span.strides.end() ? 1 : span.sizes[found - span.strides.begin()]);
  }
  return sizes;
}

bool has_all(const std::vector<int64_t>& strides, const std::vector<int64_t>& others) {
  return std::includes(strides.begin(), strides.end(), others.begin(), others.end(),
                       std::greater<>());
}

// The places of two views along the same nested strides.
struct Places {
  const std::vector<int64_t>& strides;
  std::vector<int64_t> ones;
  std::vector<int64_t> others;

  // How far the last place is from the first, along the strides after `dim`.
  int64_t reach(const std::vector<int64_t>& sizes, size_t dim) const {
    int64_t sum = 0;
    for (size_t i = dim + 1; i < strides.size(); ++i) sum += (sizes[i] - 1) * strides[i];
    return sum;
  }

  // Whether two are `distance` apart, along `dim` and those after it.
  bool meet(int64_t distance, size_t dim = 0) const {
    if (dim == strides.size()) return distance == 0;
    const auto stride = static_cast<double>(strides[dim]);
    const auto from = std::ceil(static_cast<double>(distance - reach(ones, dim)) / stride);
    const auto to = std::floor(static_cast<double>(distance + reach(others, dim)) / stride);
    const int64_t last = std::min(static_cast<int64_t>(to), ones[dim] - 1);
    for (int64_t i = std::max(static_cast<int64_t>(from), 1 - others[dim]); i <= last; ++i) {
      if (meet(distance - i * strides[dim], dim + 1)) return true;
    }
    return false;
  }
};

}  // namespace

Span::Span(const at::Tensor& tensor, bool is_written)
    : begin(static_cast<const char*>(tensor.const_data_ptr())),
      end(begin + tensor.nbytes()),
      is_written(is_written) {
  // One run of elements.
  if (tensor.is_contiguous()) {
    strides = {static_cast<int64_t>(tensor.element_size())};
    sizes = {tensor.numel()};
    return;
  }
  std::vector<int64_t> dims(tensor.dim());
  std::iota(dims.begin(), dims.end(), 0);
  std::stable_sort(dims.begin(), dims.end(),
                   [&](int64_t a, int64_t b) { return tensor.stride(a) > tensor.stride(b); });
  const auto item = static_cast<int64_t>(tensor.element_size());
  int64_t reach = item;
  for (auto dim = dims.rbegin(); dim != dims.rend(); ++dim) {
    // Along such a one there is one place alone.
    if (tensor.size(*dim) == 1 || tensor.stride(*dim) == 0) continue;
    const int64_t stride = tensor.stride(*dim) * item;
    is_nested = is_nested && stride >= reach;
    sizes.insert(sizes.begin(), tensor.size(*dim));
    strides.insert(strides.begin(), stride);
    reach += (sizes.front() - 1) * stride;
  }
  end = begin + reach;
}

bool Span::meets(const Span& other) const {
  if (!is_written && !other.is_written) return false;
  if (begin >= other.end || other.begin >= end) return false;
  // Such as two columns of one matrix.
  if (!is_nested || !other.is_nested) return true;
  const auto& all = strides.size() < other.strides.size() ? other.strides : strides;
  if (!has_all(all, strides) || !has_all(all, other.strides)) return true;
  const Places places{all, sizes_along(all, *this), sizes_along(all, other)};
  return places.meet(other.begin - begin);
}

}  // namespace aiforge
