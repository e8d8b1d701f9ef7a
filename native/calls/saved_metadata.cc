#include "saved_metadata.h"

#include <ATen/SparseCsrTensorImpl.h>
#include <ATen/SparseTensorImpl.h>
#include <ATen/functorch/BatchedTensorImpl.h>
#include <ATen/functorch/TensorWrapper.h>

#include <typeinfo>

#include "../guards/guards.h"
#include "each_tensor.h"

namespace aiforge {

namespace {

namespace functorch = at::functorch;

bool is_plain(const at::Tensor& tensor) {
  const c10::TensorImpl& impl = *tensor.unsafeGetTensorImpl();
  return typeid(impl) == typeid(c10::TensorImpl);
}

}  // namespace

SavedMetadata::SavedMetadata(const torch::jit::Stack& stack, const std::vector<size_t>& positions,
                             bool plain) {
  for (const size_t position : positions) {
    each_tensor(stack[position], [&](const at::Tensor& tensor) {
      if (plain || !is_plain(tensor)) save(tensor);
    });
  }
}

void SavedMetadata::save(const at::Tensor& tensor) {
  if (!tensor.defined()) return;
  if (is_plain(tensor)) {
    Saved& saved = saved_.emplace_back();
    saved.tensor = tensor;
    saved.storage = tensor.unsafeGetTensorImpl()->unsafe_storage();
    saved.sizes = tensor.sizes();
    saved.strides = tensor.strides();
    saved.offset = tensor.storage_offset();
    return;
  }
  const bool is_wrapper = save_within(tensor);
  Saved& saved = saved_.emplace_back();
  saved.tensor = tensor;
  if (is_wrapper) return;
  saved.copy = tensor.unsafeGetTensorImpl()->shallow_copy_and_detach(c10::VariableVersion(), true);
}

// The tensors that this one consists of; whether it only stands for another.
bool SavedMetadata::save_within(const at::Tensor& tensor) {
  if (const auto* batched = functorch::maybeGetBatchedImpl(tensor)) {
    save(batched->value());
    return true;
  }
  if (const auto* wrapper = functorch::maybeGetTensorWrapper(tensor)) {
    save(wrapper->value());
    return true;
  }
  c10::TensorImpl* impl = tensor.unsafeGetTensorImpl();
  if (const auto* sparse = dynamic_cast<at::SparseTensorImpl*>(impl)) {
    save(sparse->indices());
    save(sparse->values());
  } else if (const auto* compressed = dynamic_cast<at::SparseCsrTensorImpl*>(impl)) {
    save(compressed->compressed_indices());
    save(compressed->plain_indices());
    save(compressed->values());
  }
  return false;
}

void SavedMetadata::restore() const noexcept {
  for (const Saved& saved : saved_) restore(saved);
}

void SavedMetadata::restore(const Saved& saved) {
  c10::TensorImpl* impl = saved.tensor.unsafeGetTensorImpl();
  if (auto* batched = functorch::maybeGetBatchedImpl(saved.tensor)) {
    batched->refreshTensorMetadata();
  } else if (auto* wrapper = functorch::maybeGetTensorWrapper(saved.tensor)) {
    wrapper->refreshMetadata();
  } else if (saved.copy) {
    impl->shallow_copy_from(saved.copy);
  } else {
    impl->set_allow_tensor_metadata_change(true);
    const bool is_elsewhere =
        impl->unsafe_storage().unsafeGetStorageImpl() != saved.storage.unsafeGetStorageImpl();
    if (is_elsewhere) impl->set_storage_keep_dtype(saved.storage);
    impl->set_sizes_and_strides(saved.sizes, saved.strides, saved.offset);
  }
}

void SavedMetadata::check_within_memory() const {
  for (const Saved& saved : saved_) {
    const at::Tensor& tensor = saved.tensor;
    if (saved.copy || !is_plain(tensor) || tensor.is_meta()) continue;
    require_view(tensor.sizes(), tensor.strides(), tensor.storage_offset(),
                 elements_of_memory(tensor));
  }
}

}  // namespace aiforge
