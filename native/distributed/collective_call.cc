#include "collective_call.h"

#include <algorithm>

#include "../calls/values.h"
#include "../environment.h"
#include "../versions/collectives.h"
#include "process_group.h"

namespace aiforge {

namespace {

using Op = c10d::ReduceOp;

constexpr std::pair<const char*, Op::RedOpType> kOps[] = {
    {"sum", Op::SUM}, {"avg", Op::AVG},   {"product", Op::PRODUCT}, {"min", Op::MIN},
    {"max", Op::MAX}, {"band", Op::BAND}, {"bor", Op::BOR},         {"bxor", Op::BXOR}};

bool is_bitwise(Op::RedOpType op) { return op == Op::BAND || op == Op::BOR || op == Op::BXOR; }

}  // namespace

const at::Tensor& CollectiveCall::checked(const at::Tensor& tensor) const {
  check_device(group, tensor);
  if (!tensor.is_contiguous()) {
    throw Error("INVALID_ARGUMENT", "got " + describe_tensor(tensor) +
                                        ", which is not contiguous; call contiguous() first");
  }
  return tensor;
}

at::Tensor CollectiveCall::tensor(size_t i) const {
  return checked(Environment::of(env).handles.get(args.handle(i)));
}

std::vector<at::Tensor> CollectiveCall::tensors(size_t i) const {
  auto tensors = to_tensors(Environment::of(env), env, args[i]);
  for (const at::Tensor& tensor : tensors) checked(tensor);
  return tensors;
}

std::vector<int64_t> CollectiveCall::numbers(size_t i) const {
  if (!Napi::Value(env, args[i]).IsArray()) reject(env, args[i], "a list of whole numbers");
  const Napi::Array list(env, args[i]);
  std::vector<int64_t> numbers;
  for (uint32_t k = 0; k < list.Length(); ++k)
    numbers.push_back(read_int(env, Napi::Value(list[k])));
  return numbers;
}

int CollectiveCall::checked_rank(int64_t rank) const {
  if (rank < 0 || rank >= group.getSize()) {
    throw Error("INVALID_ARGUMENT", "rank " + std::to_string(rank) + " is not in 0 … " +
                                        std::to_string(group.getSize() - 1) +
                                        ", the ranks of this process group");
  }
  return static_cast<int>(rank);
}

int CollectiveCall::rank(size_t i) const { return checked_rank(args.int64(i)); }

int checked_tag(int64_t tag) {
  if (tag < 0 || tag > 0x7fffffff) throw Error("INVALID_ARGUMENT", "a tag is in 0 … 2^31-1");
  return static_cast<int>(tag);
}

int CollectiveCall::tag(size_t i) const { return checked_tag(args.int64(i)); }

std::chrono::milliseconds CollectiveCall::timeout(size_t i) const {
  return args.is_missing(i) ? c10d::kUnsetTimeout : std::chrono::milliseconds(args.int64(i));
}

c10d::ReduceOp CollectiveCall::op(size_t i, const at::Tensor& on) const {
  const bool nccl = is_nccl(group, on.device().type());
  if (kind_of(env, args[i]) == napi_number) {
    if (nccl) return premul_sum(args.number(i));
    throw Error("INVALID_ARGUMENT",
                "op 'premulSum' is NCCL's alone, and Gloo serves " + on.device().str() +
                    " in this process group; multiply the tensor by the factor, then use 'sum'");
  }
  const std::string name = args.string(i);
  const auto* found = std::find_if(std::begin(kOps), std::end(kOps),
                                   [&](const auto& each) { return name == each.first; });
  if (found == std::end(kOps)) throw Error("INVALID_ARGUMENT", "'" + name + "' is no reduction");
  if (!is_bitwise(found->second)) return found->second;
  if (nccl) {
    throw Error("INVALID_ARGUMENT",
                "op '" + name + "' is not one of NCCL's, which serves " + on.device().str() +
                    " in this process group; reduce a copy on the CPU over Gloo, as "
                    "backend 'cpu:gloo,cuda:nccl' has it");
  }
  if (!at::isIntegralType(on.scalar_type(), /*includeBool=*/true)) {
    throw Error("INVALID_ARGUMENT",
                "op '" + name + "' is for whole numbers and bool, got " + describe_tensor(on));
  }
  return found->second;
}

}  // namespace aiforge
