#include "collective_call.h"

#include <ATen/MemoryOverlap.h>

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

// Those that c10d's Gloo has an algorithm for.
bool is_dtype_of_gloo(c10::ScalarType dtype) {
  switch (dtype) {
    case at::kFloat:
    case at::kDouble:
    case at::kHalf:
    case at::kBFloat16:
    case at::kChar:
    case at::kByte:
    case at::kInt:
    case at::kLong:
    case at::kBool:
      return true;
    default:
      return false;
  }
}

}  // namespace

at::Tensor CollectiveCall::tensor(size_t i) const {
  return Environment::of(env).handles.get(args.handle(i + kBeforeOwn));
}

std::vector<at::Tensor> CollectiveCall::tensors(size_t i) const {
  return to_tensors(Environment::of(env), env, args[i + kBeforeOwn]);
}

Span CollectiveCall::idle(const at::Tensor& tensor, bool is_output) const {
  Span span(tensor, is_output);
  if (const char* const name = Environment::of(env).in_flight.conflict(span)) {
    throw Error("INVALID_ARGUMENT", describe_tensor(tensor) + " is still in use by " + name +
                                        ", which has not ended: await that first, or give each "
                                        "its own tensor");
  }
  return span;
}

at::Tensor CollectiveCall::plain(const at::Tensor& tensor, bool is_output) const {
  check_device(group, tensor);
  if (tensor.layout() != at::kStrided) {
    throw Error("INVALID_ARGUMENT", "got " + describe_tensor(tensor) + " of layout " +
                                        layout_name(tensor.layout()) +
                                        ": ranks exchange dense tensors, and reduce sparse ones of "
                                        "coordinates by allReduce alone; take its toDense()");
  }
  if (is_output && at::has_internal_overlap(tensor) == at::MemOverlap::Yes) {
    throw Error("INVALID_ARGUMENT", "got " + describe_tensor(tensor) +
                                        ", several of whose elements are one in memory, as after "
                                        "expand(): they cannot be filled apart; give a clone()");
  }
  const bool is_plain = tensor.is_contiguous() && !tensor.is_conj() && !tensor.is_neg();
  // On a GPU a later collective waits for the earlier one.
  if (tensor.is_cpu() && tensor.numel() > 0) {
    Span span = idle(tensor, is_output);
    // Of another input there will be a copy.
    if (is_plain || is_output) spans.push_back(std::move(span));
  }
  at::Tensor plain = tensor;
  if (!is_plain) {
    plain = at::empty(tensor.sizes(), tensor.options());
    plain.copy_(tensor.detach());
    if (is_output) stand_ins.push_back({tensor.detach(), plain});
  }
  if (!plain.is_complex()) return plain;
  has_complex_ = true;
  return at::view_as_real(plain.detach());
}

at::Tensor CollectiveCall::of_collective(const at::Tensor& tensor, bool is_output) const {
  const at::Tensor result = plain(tensor, is_output);
  if (is_dtype_of_gloo(result.scalar_type()) || is_nccl(group, tensor.device().type())) {
    return result;
  }
  throw Error("INVALID_ARGUMENT",
              "got " + describe_tensor(tensor) +
                  ", and Gloo's collectives take float16, bfloat16, float32, float64, int8, uint8, "
                  "int32, int64, bool and complex numbers; send and recv take any dtype");
}

at::Tensor CollectiveCall::input(size_t i) const { return of_collective(tensor(i), false); }
at::Tensor CollectiveCall::output(size_t i) const { return of_collective(tensor(i), true); }

at::Tensor CollectiveCall::output_but_of(size_t i, int rank) const {
  return group.getRank() == rank ? input(i) : output(i);
}

at::Tensor CollectiveCall::reduced(size_t i) const {
  const at::Tensor given = tensor(i);
  if (given.layout() != at::kSparse) return of_collective(given, true);
  check_device(group, given);
  return given;
}

std::vector<at::Tensor> CollectiveCall::inputs(size_t i) const {
  auto list = tensors(i);
  for (at::Tensor& each : list) each = of_collective(each, false);
  return list;
}

std::vector<at::Tensor> CollectiveCall::outputs(size_t i) const {
  auto list = tensors(i);
  for (at::Tensor& each : list) each = of_collective(each, true);
  return list;
}

at::Tensor CollectiveCall::sent(const at::Tensor& tensor) const { return plain(tensor, false); }
at::Tensor CollectiveCall::received(const at::Tensor& tensor) const { return plain(tensor, true); }

void give_back(const std::vector<StandIn>& stand_ins) {
  const at::NoGradGuard no_grad;
  for (const StandIn& each : stand_ins) each.wanted.copy_(each.filled);
}

std::vector<int64_t> CollectiveCall::numbers(size_t i) const {
  if (!Napi::Value(env, args[i + kBeforeOwn]).IsArray())
    reject(env, args[i + kBeforeOwn], "a list of whole numbers");
  const Napi::Array list(env, args[i + kBeforeOwn]);
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

int CollectiveCall::rank(size_t i) const { return checked_rank(args.int64(i + kBeforeOwn)); }

int CollectiveCall::checked_other(int64_t rank) const {
  const int checked = checked_rank(rank);
  if (checked != group.getRank()) return checked;
  throw Error("INVALID_ARGUMENT", "rank " + std::to_string(rank) +
                                      " is this rank itself, which can only copy a tensor");
}

int CollectiveCall::other_rank(size_t i) const { return checked_other(args.int64(i + kBeforeOwn)); }

int checked_tag(int64_t tag) {
  if (tag < 0 || tag > 0x7fffffff) throw Error("INVALID_ARGUMENT", "a tag is in 0 … 2^31-1");
  return static_cast<int>(tag);
}

int CollectiveCall::tag(size_t i) const { return checked_tag(args.int64(i + kBeforeOwn)); }

std::chrono::milliseconds CollectiveCall::timeout() const {
  return args.is_missing(2) ? c10d::kUnsetTimeout : std::chrono::milliseconds(args.int64(2));
}

c10d::ReduceOp CollectiveCall::op(size_t i, const at::Tensor& on) const {
  const bool nccl = is_nccl(group, on.device().type());
  const napi_value given = args[i + kBeforeOwn];
  if (kind_of(env, given) != napi_number) return named_op(args.string(i + kBeforeOwn), on);
  if (nccl) return premul_sum(args.number(i + kBeforeOwn));
  throw Error("INVALID_ARGUMENT",
              "op 'premulSum' is NCCL's alone, and Gloo serves " + on.device().str() +
                  " in this process group; multiply the tensor by the factor, then use 'sum'");
}

c10d::ReduceOp CollectiveCall::named_op(const std::string& name, const at::Tensor& on) const {
  const auto* found = std::find_if(std::begin(kOps), std::end(kOps),
                                   [&](const auto& each) { return name == each.first; });
  if (found == std::end(kOps)) throw Error("INVALID_ARGUMENT", "'" + name + "' is no reduction");
  const bool nccl = is_nccl(group, on.device().type());
  const Op::RedOpType op = found->second;
  if (has_complex_ && op != Op::SUM && op != Op::AVG) {
    throw Error("INVALID_ARGUMENT", "op '" + name +
                                        "' is not for complex numbers; 'sum' and "
                                        "'avg' are");
  }
  if (is_bitwise(op) && nccl) {
    throw Error("INVALID_ARGUMENT",
                "op '" + name + "' is not one of NCCL's, which serves " + on.device().str() +
                    " in this process group; reduce a copy on the CPU over Gloo, as "
                    "backend 'cpu:gloo,cuda:nccl' has it");
  }
  const bool is_whole = at::isIntegralType(on.scalar_type(), /*includeBool=*/true);
  if (is_bitwise(op) && !is_whole) {
    throw Error("INVALID_ARGUMENT",
                "op '" + name + "' is for whole numbers and bool, got " + describe_tensor(on));
  }
  if (op == Op::AVG && is_whole && !nccl) {
    throw Error("INVALID_ARGUMENT", "op 'avg' is not for whole numbers and bool on Gloo, got " +
                                        describe_tensor(on) + "; convert them to float32 first");
  }
  return op;
}

}  // namespace aiforge
