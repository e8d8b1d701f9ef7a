// The slot table: a tensor crosses to JavaScript as a number that names a slot here.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace aiforge {

// generation * 2^26 + index: exact in a JavaScript number, and never reused, so that a stale
// handle is always recognised. A slot whose generations are spent is retired.
using Handle = uint64_t;

// The handle that a JavaScript number is. A number that can be none, such as NaN or a fraction,
// gives 0, which names no slot.
inline Handle to_handle(double number) {
  if (!(number >= 0 && number < 4503599627370496.0)) return 0;
  const auto whole = static_cast<int64_t>(number);
  return static_cast<double>(whole) == number ? static_cast<Handle>(whole) : 0;
}

class Handles {
 public:
  // Stores a tensor in the current scope; the caller owns the handle.
  Handle add(at::Tensor tensor);

  // The tensor of a handle; throws TENSOR_DISPOSED for a stale one. The reference lasts until the
  // next `add`.
  const at::Tensor& get(Handle handle) const;

  bool is_live(Handle handle) const;

  // Frees the slot; false when it was free already.
  bool release(Handle handle);

  // Counts a handle's bytes among those that V8 is told of.
  void report(Handle handle);

  uint32_t open_scope();
  void enter_scope(uint32_t scope);  // 0: no scope
  uint32_t current_scope() const { return current_scope_; }
  void close_scope(uint32_t scope);  // releases all that was made in it
  // Moves a tensor out of the scope that made it, into the current one; its new handle.
  Handle rehome(Handle handle);

  size_t live() const { return slots_.size() - free_.size() - retired_; }
  size_t peak() const { return peak_; }  // the most that were live at once

  // What is alive, a row a scope; the first row is outside every scope.
  struct Usage {
    uint32_t scope = 0;
    size_t tensors = 0;
    int64_t bytes = 0;  // of storages: each once, in the first row that has a tensor on it
  };
  std::vector<Usage> usage() const;

  // The change of reported bytes since the last call, once it is worth telling V8; else 0.
  int64_t take_unreported_bytes();

 private:
  struct Slot {
    at::Tensor tensor;
    uint32_t generation = 1;
    int64_t reported = 0;
    bool used = false;
  };
  using Scope = std::vector<Handle>;

  const Slot* find(Handle handle) const;

  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  std::unordered_map<uint32_t, Scope> scopes_;
  Scope* current_ = nullptr;
  uint32_t current_scope_ = 0;
  uint32_t last_scope_ = 0;
  size_t retired_ = 0;
  size_t peak_ = 0;
  int64_t unreported_bytes_ = 0;
};

}  // namespace aiforge
