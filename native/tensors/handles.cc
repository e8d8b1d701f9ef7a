#include "handles.h"

#include <algorithm>
#include <cstdlib>
#include <unordered_set>
#include <utility>

#include "../errors.h"

namespace aiforge {

namespace {

constexpr unsigned kIndexBits = 26;
constexpr uint64_t kIndexMask = (uint64_t{1} << kIndexBits) - 1;
constexpr uint32_t kLastGeneration = (uint32_t{1} << 26) - 1;  // 52 bits altogether

// What a tensor costs beside its data: TensorImpl, storage, allocator's rounding.
constexpr int64_t kOverheadBytes = 512;
constexpr int64_t kReportBytes = 256 * 1024;

int64_t bytes_of(const at::Tensor& tensor) {
  const bool has_bytes = tensor.defined() && tensor.has_storage();
  return kOverheadBytes + (has_bytes ? static_cast<int64_t>(tensor.nbytes()) : 0);
}

}  // namespace

Handle Handles::add(at::Tensor tensor) {
  uint32_t index;
  if (free_.empty()) {
    if (slots_.size() > kIndexMask) {
      throw Error("OUT_OF_MEMORY", "67,108,864 tensors are alive: dispose some, or use scope().");
    }
    index = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
    // Slots are added only when all are taken.
    peak_ = std::max(peak_, live());
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Slot& slot = slots_[index];
  slot.tensor = std::move(tensor);
  slot.used = true;
  const Handle handle = (uint64_t{slot.generation} << kIndexBits) | index;
  if (current_ != nullptr) current_->push_back(handle);
  return handle;
}

const Handles::Slot* Handles::find(Handle handle) const {
  const uint64_t index = handle & kIndexMask;
  if (index >= slots_.size()) return nullptr;
  const Slot& slot = slots_[index];
  return slot.used && slot.generation == handle >> kIndexBits ? &slot : nullptr;
}

const at::Tensor& Handles::get(Handle handle) const {
  const Slot* slot = find(handle);
  if (slot == nullptr) {
    throw Error("TENSOR_DISPOSED",
                "This tensor was disposed, by dispose() or by the end of the scope() that made it. "
                "Return it from the scope, or clone() it before.");
  }
  return slot->tensor;
}

bool Handles::is_live(Handle handle) const { return find(handle) != nullptr; }

bool Handles::release(Handle handle) {
  if (find(handle) == nullptr) return false;
  const uint32_t index = static_cast<uint32_t>(handle & kIndexMask);
  Slot& slot = slots_[index];
  unreported_bytes_ -= slot.reported;
  slot.reported = 0;
  slot.used = false;
  if (slot.generation == kLastGeneration) {
    ++retired_;
  } else {
    ++slot.generation;
    free_.push_back(index);
  }
  // Last, since a destructor may free other tensors of this table.
  at::Tensor dropped = std::move(slot.tensor);
  return true;
}

void Handles::report(Handle handle) {
  const int64_t bytes = bytes_of(get(handle));
  slots_[handle & kIndexMask].reported = bytes;
  unreported_bytes_ += bytes;
}

int64_t Handles::take_unreported_bytes() {
  if (std::llabs(unreported_bytes_) < kReportBytes) return 0;
  return std::exchange(unreported_bytes_, 0);
}

uint32_t Handles::open_scope() {
  // 0 is no scope; after 2^32 scopes the numbers begin anew, and a long one may still have its own.
  do {
    ++last_scope_;
  } while (last_scope_ == 0 || scopes_.count(last_scope_) != 0);
  scopes_.emplace(last_scope_, Scope{});
  return last_scope_;
}

void Handles::enter_scope(uint32_t scope) {
  const auto found = scopes_.find(scope);
  current_ = found == scopes_.end() ? nullptr : &found->second;
  current_scope_ = current_ == nullptr ? 0 : scope;
}

void Handles::close_scope(uint32_t scope) {
  auto node = scopes_.extract(scope);
  if (node.empty()) return;
  if (current_ == &node.mapped()) enter_scope(0);
  // Backwards: the newest blocks border on the heap's top, with which the allocator merges cheaply.
  const Scope& made = node.mapped();
  for (auto handle = made.rbegin(); handle != made.rend(); ++handle) release(*handle);
}

Handle Handles::rehome(Handle handle) {
  at::Tensor tensor = get(handle);
  release(handle);
  return add(std::move(tensor));
}

std::vector<Handles::Usage> Handles::usage() const {
  std::unordered_map<uint32_t, uint32_t> scope_of;  // by slot
  std::vector<uint32_t> open;
  for (const auto& [scope, made] : scopes_) {
    open.push_back(scope);
    for (const Handle handle : made) {
      if (is_live(handle)) scope_of[static_cast<uint32_t>(handle & kIndexMask)] = scope;
    }
  }
  std::sort(open.begin(), open.end());
  std::vector<Usage> rows{{}};
  std::unordered_map<uint32_t, size_t> row_of{{0, 0}};
  for (const uint32_t scope : open) {
    row_of[scope] = rows.size();
    rows.push_back({scope});
  }
  // The storage's row is the first of its tensors': it is looked for row by row.
  std::vector<std::vector<const at::Tensor*>> tensors(rows.size());
  for (uint32_t index = 0; index < slots_.size(); ++index) {
    if (!slots_[index].used) continue;
    const auto found = scope_of.find(index);
    tensors[found == scope_of.end() ? 0 : row_of[found->second]].push_back(&slots_[index].tensor);
  }
  std::unordered_set<const c10::StorageImpl*> counted;
  for (size_t row = 0; row < rows.size(); ++row) {
    rows[row].tensors = tensors[row].size();
    for (const at::Tensor* tensor : tensors[row]) {
      if (!tensor->defined() || !tensor->has_storage()) continue;
      const c10::StorageImpl* storage = tensor->storage().unsafeGetStorageImpl();
      if (storage == nullptr || !counted.insert(storage).second) continue;
      rows[row].bytes += static_cast<int64_t>(storage->nbytes());
    }
  }
  return rows;
}

}  // namespace aiforge
