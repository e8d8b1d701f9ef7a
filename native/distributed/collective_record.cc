#include "collective_record.h"

#include <c10/util/StringUtil.h>

#include "../calls/values.h"
#include "call_scope.h"

namespace aiforge {

thread_local const CallScope* CallScope::current_ = nullptr;
thread_local bool BesideGradients::is_on_ = false;

namespace {

// In the order of c10d::ReduceOp::RedOpType.
constexpr const char* kOps[] = {"sum",  "avg", "product", "min",      "max",
                                "band", "bor", "bxor",    "premulSum"};
constexpr size_t kMostTensors = 3;

bool goes_to_root(CollectiveKind kind) {
  return kind == CollectiveKind::kReduce || kind == CollectiveKind::kGather ||
         kind == CollectiveKind::kSend;
}

// As c10d has it, only how much is sent matters, and of what.
uint64_t message_print(const TensorKind& tensor) {
  uint64_t elements = 1;
  for (const int64_t size : tensor.sizes) elements *= static_cast<uint64_t>(size);
  return mixed(static_cast<uint64_t>(tensor.dtype), elements);
}

}  // namespace

uint64_t mixed(uint64_t seed, uint64_t value) {
  uint64_t x = seed * 0x9e3779b97f4a7c15 + value + 0x632be59bd9b4e019;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

void CollectiveRecord::add(const at::Tensor& tensor) {
  tensors.push_back({tensor.scalar_type(), {}});
  tensors.back().sizes.append(tensor.sizes().begin(), tensor.sizes().end());
}

void CollectiveRecord::add(const std::vector<at::Tensor>& list) {
  for (const at::Tensor& tensor : list) add(tensor);
}

uint64_t CollectiveRecord::fingerprint() const {
  // An object has a length that the receiver does not know.
  if (is_point_to_point()) return tensors.empty() ? 0 : message_print(tensors[0]);
  uint64_t print = mixed(static_cast<uint64_t>(kind), static_cast<uint64_t>(op + 1));
  print = mixed(print, static_cast<uint64_t>(root + 1));
  print = mixed(print, pass);
  // The collectives of objects are one kind, which their names tell apart.
  if (kind == CollectiveKind::kObjects) {
    for (const char* each = name; *each != '\0'; ++each) print = mixed(print, *each);
  }
  // Of tensors that are divided unequally, what two ranks exchange must agree, not the whole.
  const bool is_divided = kind == CollectiveKind::kAllToAll && !to.empty();
  if (is_divided) {
    const uint64_t dtype = tensors.empty() ? 0 : static_cast<uint64_t>(tensors[0].dtype);
    return mixed(mixed(print, 1), dtype);
  }
  for (const TensorKind& each : tensors) {
    print = mixed(mixed(print, static_cast<uint64_t>(each.dtype)), each.sizes.size());
    for (const int64_t size : each.sizes) print = mixed(print, static_cast<uint64_t>(size));
  }
  return print;
}

std::string CollectiveRecord::text() const {
  std::string text = name;
  if (op != kNone) text += std::string("(") + kOps[op] + ")";
  for (size_t i = 0; i < tensors.size() && i < kMostTensors; ++i) {
    text += i == 0 ? " of " : ", ";
    text +=
        std::string(dtype_name(tensors[i].dtype)) + "[" + c10::Join(", ", tensors[i].sizes) + "]";
  }
  if (tensors.size() > kMostTensors) {
    text += " and " + std::to_string(tensors.size() - kMostTensors) + " more";
  }
  if (!to.empty()) {
    text += ", bytes to each rank [" + c10::Join(", ", to) + "], from each [" +
            c10::Join(", ", from) + "]";
  }
  if (root != kNone) {
    text += (goes_to_root(kind) ? " to rank " : " from rank ") + std::to_string(root);
  } else if (kind == CollectiveKind::kReceive) {
    text += " from any rank";
  }
  if (is_point_to_point() && tag != 0) text += ", tag " + std::to_string(tag);
  if (!line.empty()) return text + " at " + line;
  if (call != 0) return text;
  text += " in DistributedDataParallel";
  return pass == 0 ? text : text + " for averaged forward pass " + std::to_string(pass);
}

}  // namespace aiforge
