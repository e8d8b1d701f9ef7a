#include <ATen/TensorIndexing.h>
#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>
#include <c10/util/SmallVector.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "../calls/values.h"
#include "../environment.h"
#include "../errors.h"
#include "../topics.h"
#include "../transforms/functorch.h"

namespace aiforge {

namespace {

// What JavaScript writes into the scratch memory of the value to put and of each index: a kind and
// up to three numbers.
// lib/tensor/indexing.ts has the same numbers.
constexpr size_t kEntry = 4;
constexpr size_t kMostIndices = 64;
static_assert((1 + kMostIndices) * kEntry <= Environment::kScratchNumbers);

enum class IndexKind { None, Ellipsis, Int, BigInt, Bool, Slice, Tensor, List };
enum class ValueKind { Tensor, Int, Float, Bool, Complex, BigInt, BigUint };

int64_t bits(const double& slot) {
  int64_t value = 0;
  std::memcpy(&value, &slot, sizeof value);
  return value;
}

constexpr int64_t kBeyondAnySize = int64_t{1} << 60;

// A bound of a slice: NaN is one left out, and those beyond any size are as good as infinite.
int64_t bound_or(double value, int64_t otherwise) {
  if (std::isnan(value)) return otherwise;
  constexpr auto kMost = static_cast<double>(kBeyondAnySize);
  return static_cast<int64_t>(std::clamp(value, -kMost, kMost));
}

std::optional<c10::SymInt> bound(double value) {
  if (std::isnan(value)) return std::nullopt;
  return bound_or(value, 0);
}

// A tensor of the integers or booleans that stand elsewhere in the scratch memory.
at::Tensor read_list(const double* scratch, const double* entry) {
  const auto begin = static_cast<size_t>(entry[1]);
  const auto count = static_cast<size_t>(entry[2]);
  if (begin > Environment::kScratchNumbers || count > Environment::kScratchNumbers - begin) {
    throw Error("INVALID_ARGUMENT", "a list of indices is beyond the scratch memory");
  }
  const bool is_mask = entry[3] != 0;
  return lifted([&] {
    at::Tensor list = at::empty({static_cast<int64_t>(count)},
                                at::TensorOptions(is_mask ? c10::kBool : c10::kLong));
    if (is_mask) {
      std::copy_n(scratch + begin, count, list.mutable_data_ptr<bool>());
    } else {
      std::copy_n(scratch + begin, count, list.mutable_data_ptr<int64_t>());
    }
    return list;
  });
}

at::indexing::TensorIndex read_index(const Environment& environment, const double* entry) {
  switch (static_cast<IndexKind>(entry[0])) {
    case IndexKind::None:
      return at::indexing::None;
    case IndexKind::Ellipsis:
      return at::indexing::Ellipsis;
    case IndexKind::Int:
      return static_cast<int64_t>(entry[1]);
    case IndexKind::BigInt:
      return bits(entry[1]);
    case IndexKind::Bool:
      return entry[1] != 0;
    case IndexKind::Slice:
      return at::indexing::Slice(bound(entry[1]), bound(entry[2]), bound(entry[3]));
    case IndexKind::Tensor:
      return with_memory(environment.handles.get(static_cast<Handle>(entry[1])));
    case IndexKind::List:
      return read_list(environment.scratch, entry);
  }
  throw Error("INVALID_ARGUMENT", "an index of an unknown kind");
}

using Indices = c10::SmallVector<at::indexing::TensorIndex, 4>;

Indices read_indices(const Environment& environment, size_t count) {
  Indices indices;
  for (size_t i = 0; i < count; ++i) {
    indices.push_back(read_index(environment, environment.scratch + (i + 1) * kEntry));
  }
  return indices;
}

// The indices that make views, and no others; these need none of LibTorch's symbolic integers.
bool is_basic(const double* entries, size_t count) {
  for (size_t i = 1; i <= count; ++i) {
    const auto kind = static_cast<IndexKind>(entries[i * kEntry]);
    if (kind != IndexKind::Int && kind != IndexKind::Slice && kind != IndexKind::None &&
        kind != IndexKind::Ellipsis) {
      return false;
    }
  }
  return true;
}

at::Tensor select(const at::Tensor& self, int64_t dim, int64_t index, size_t position) {
  TORCH_CHECK_INDEX(self.dim() > 0,
                    "invalid index of a 0-dim tensor; use item() to convert it to a number");
  const int64_t size = self.size(dim);
  TORCH_CHECK_INDEX(index >= -size && index < size, "index ", index,
                    " is out of bounds for dimension ", position, " with size ", size);
  return self.select(dim, index);
}

at::Tensor slice(const at::Tensor& self, int64_t dim, const double* entry, bool is_only) {
  const int64_t start = bound_or(entry[1], 0);
  const int64_t stop = bound_or(entry[2], kBeyondAnySize);
  const int64_t step = bound_or(entry[3], 1);
  // A slice of everything beside other indices is left out, as Python does.
  if (!is_only && start == 0 && step == 1 && stop >= self.size(dim)) return self;
  return self.slice(dim, start, stop, step);
}

// The view that basic indices name; `self` itself where they change nothing.
at::Tensor basic_view(const at::Tensor& self, const double* entries, size_t count) {
  int64_t specified = 0;
  for (size_t i = 1; i <= count; ++i) {
    const auto kind = static_cast<IndexKind>(entries[i * kEntry]);
    if (kind == IndexKind::Int || kind == IndexKind::Slice) ++specified;
  }
  if (count > 1) {
    TORCH_CHECK_INDEX(specified <= self.dim(), "too many indices for tensor of dimension ",
                      self.dim());
  }
  at::Tensor result = self;
  int64_t dim = 0;
  for (size_t i = 1; i <= count; ++i) {
    const double* entry = entries + i * kEntry;
    switch (static_cast<IndexKind>(entry[0])) {
      case IndexKind::Int:
        result = select(result, dim, static_cast<int64_t>(entry[1]), i - 1);
        break;
      case IndexKind::Slice:
        result = slice(result, dim++, entry, count == 1);
        break;
      case IndexKind::None:
        result = result.unsqueeze(dim++);
        break;
      default:
        dim += self.dim() - specified;
    }
  }
  return result;
}

at::Tensor get(const Environment& environment, const at::Tensor& self, size_t count) {
  if (self.is_nested() || !is_basic(environment.scratch, count)) {
    return at::indexing::get_item(self, read_indices(environment, count));
  }
  at::Tensor view = basic_view(self, environment.scratch, count);
  return view.is_same(self) ? at::alias(view) : view;
}

void put(const Environment& environment, const at::Tensor& self, size_t count,
         const at::Tensor& value) {
  if (self.is_nested() || !is_basic(environment.scratch, count)) {
    at::indexing::set_item(self, read_indices(environment, count), value);
  } else {
    at::indexing::copy_to(basic_view(self, environment.scratch, count), value);
  }
}

c10::Scalar read_number_entry(const double* entry) {
  switch (static_cast<ValueKind>(entry[0])) {
    case ValueKind::Int:
      return static_cast<int64_t>(entry[1]);
    case ValueKind::Bool:
      return entry[1] != 0;
    case ValueKind::Complex:
      return c10::complex<double>(entry[1], entry[2]);
    case ValueKind::BigInt:
      return bits(entry[1]);
    case ValueKind::BigUint:
      return static_cast<uint64_t>(bits(entry[1]));
    default:
      return entry[1];
  }
}

at::Tensor read_value(const Environment& environment, const at::Tensor& self) {
  const double* entry = environment.scratch;
  if (static_cast<ValueKind>(entry[0]) == ValueKind::Tensor) {
    return environment.handles.get(static_cast<Handle>(entry[1]));
  }
  const bool is_quantized = c10::isQIntType(self.scalar_type());
  const at::TensorOptions options = is_quantized ? at::TensorOptions(c10::kCPU).dtype(c10::kFloat)
                                                 : self.options().layout(c10::kStrided);
  return at::indexing::scalarToTensor(read_number_entry(entry), options, options.device());
}

std::string describe_bound(double value) {
  return std::isnan(value) ? "" : std::to_string(bound_or(value, 0));
}

std::string describe_index(const Handles& handles, const double* entry) {
  switch (static_cast<IndexKind>(entry[0])) {
    case IndexKind::None:
      return "null";
    case IndexKind::Ellipsis:
      return "...";
    case IndexKind::Int:
      return std::to_string(static_cast<int64_t>(entry[1]));
    case IndexKind::BigInt:
      return std::to_string(bits(entry[1]));
    case IndexKind::Bool:
      return entry[1] != 0 ? "true" : "false";
    case IndexKind::Slice: {
      const std::string step = describe_bound(entry[3]);
      return describe_bound(entry[1]) + ":" + describe_bound(entry[2]) +
             (step.empty() ? "" : ":" + step);
    }
    case IndexKind::List:
      return std::string(entry[3] != 0 ? "bool[" : "int64[") +
             std::to_string(static_cast<int64_t>(entry[2])) + "]";
    case IndexKind::Tensor:
      break;
  }
  const auto handle = static_cast<Handle>(entry[1]);
  return handles.is_live(handle) ? describe_tensor(handles.get(handle)) : "a disposed tensor";
}

// LibTorch's IndexError, ValueError and TypeError are the caller's arguments.
[[noreturn]] void rethrow_as_argument() {
  try {
    throw;
  } catch (const c10::IndexError& error) {
    throw Error("INVALID_ARGUMENT", error.what_without_backtrace());
  } catch (const c10::ValueError& error) {
    throw Error("INVALID_ARGUMENT", error.what_without_backtrace());
  } catch (const c10::TypeError& error) {
    throw Error("INVALID_ARGUMENT", error.what_without_backtrace());
  }
}

template <typename Body>
napi_value indexing(napi_env env, napi_callback_info info, const char* name, Body body) noexcept {
  ErrorContext context;
  try {
    const Arguments<2> args(env, info);
    Environment& environment = Environment::of(env);
    const Handle handle = args.handle(0);
    const size_t count = std::min<size_t>(args.uint32(1), kMostIndices);
    try {
      return body(environment, environment.handles.get(handle), count);
    } catch (...) {
      const Handles& handles = environment.handles;
      context.op = name;
      context.args.push_back(handles.is_live(handle) ? describe_tensor(handles.get(handle))
                                                     : "a disposed tensor");
      for (size_t i = 1; i <= count; ++i) {
        context.args.push_back(describe_index(handles, environment.scratch + i * kEntry));
      }
      rethrow_as_argument();
    }
  } catch (...) {
    throw_current_exception(env, context);
    return nullptr;
  }
}

// at(tensor, count): the part of a tensor that the first `count` indices in the scratch memory
// name.
napi_value at_indices(napi_env env, napi_callback_info info) {
  return indexing(env, info, "at",
                  [&](Environment& environment, const at::Tensor& self, size_t count) {
                    return from_tensor(environment, env, get(environment, self, count));
                  });
}

// setAt(tensor, count): puts the value in the scratch memory there.
napi_value set_at(napi_env env, napi_callback_info info) {
  return indexing(
      env, info, "set",
      [&](Environment& environment, const at::Tensor& self, size_t count) -> napi_value {
        put(environment, self, count, read_value(environment, self));
        return nullptr;
      });
}

}  // namespace

void define_indexing(Napi::Env env, Napi::Object exports) {
  define<at_indices>(env, exports, "at");
  define<set_at>(env, exports, "setAt");
}

}  // namespace aiforge
