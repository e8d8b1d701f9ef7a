#include "comm_hooks.h"

#include <ATen/core/jit_type.h>

#include <memory>
#include <torch/csrc/distributed/c10d/default_comm_hooks.hpp>
#include <utility>
#include <vector>

#include "../errors.h"

namespace aiforge {

namespace {

// As c10d's own FP16CompressCommHook.
class Bf16CompressCommHook : public c10d::CppCommHookInterface<Group> {
 public:
  using CppCommHookInterface::CppCommHookInterface;

  c10::intrusive_ptr<c10::ivalue::Future> runHook(c10d::GradBucket& bucket) override {
    std::vector<at::Tensor> compressed{bucket.getBufferRef().to(at::kBFloat16)};
    compressed[0].div_(state_->getSize());
    const auto decompress = [buffer = bucket.getBufferRef()](c10::ivalue::Future& reduced) {
      buffer.copy_(c10d::detail::parseCppCommHookResult(reduced.value()));
      return c10::IValue(buffer);
    };
    return state_->allreduce(compressed)->getFuture()->then(decompress, c10::TensorType::get());
  }
};

}  // namespace

std::string register_comm_hook(c10d::Reducer& reducer, const Group& group, const std::string& name,
                               const PowerSgdOptions& options) {
  using c10d::BuiltinCommHookType;
  if (name == "allreduce") {
    reducer.register_builtin_comm_hook(BuiltinCommHookType::ALLREDUCE);
    return "BuiltinCommHookType.ALLREDUCE";
  }
  if (name == "fp16") {
    reducer.register_builtin_comm_hook(BuiltinCommHookType::FP16_COMPRESS);
    return "BuiltinCommHookType.FP16_COMPRESS";
  }
  if (name == "bf16") {
    reducer.register_comm_hook(std::make_unique<Bf16CompressCommHook>(group));
    return "bf16_compress_hook";
  }
  if (name == "powerSGD") {
    reducer.register_comm_hook(make_power_sgd_hook(group, options));
    return "powerSGD_hook";
  }
  throw Error("INVALID_ARGUMENT", "there is no communication hook '" + name + "'");
}

}  // namespace aiforge
