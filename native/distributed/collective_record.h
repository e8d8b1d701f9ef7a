// What a rank does in one collective: what the ranks must agree on, and how errors tell it.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/SmallVector.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace aiforge {

using Clock = std::chrono::steady_clock;

enum class CollectiveKind : uint8_t {
  kBroadcast,
  kAllReduce,
  kAllReduceCoalesced,
  kReduce,
  kAllGather,
  kAllGatherInto,
  kAllGatherIntoCoalesced,
  kGather,
  kScatter,
  kReduceScatter,
  kReduceScatterTensor,
  kReduceScatterTensorCoalesced,
  kAllToAll,
  kBarrier,
  kObjects,
  kSend,
  kReceive,
};

struct TensorKind {
  c10::ScalarType dtype;
  c10::SmallVector<int64_t, 4> sizes;
};

struct CollectiveRecord {
  static constexpr int kNone = -1;

  CollectiveKind kind{};
  const char* name = "";  // as JavaScript calls it
  std::vector<TensorKind> tensors;
  int op = kNone;    // of c10d::ReduceOp
  int root = kNone;  // of one that has a root, or the other rank of a send or receive
  // Bytes that go to each rank and come from it, where these differ between the ranks.
  std::vector<int64_t> to;
  std::vector<int64_t> from;

  uint64_t number = 0;   // among the group's collectives, from 1; 0 for a send or receive
  int tag = 0;           // of a send or receive
  uint64_t ordinal = 0;  // among those with the same rank and tag, from 1; 0 from any rank

  uint32_t call = 0;  // of CallScope; 0 for c10d's own
  uint64_t pass = 0;  // the averaged forward pass that gradients are of; 0 of all else
  Clock::time_point started;
  Clock::time_point deadline;
  std::chrono::milliseconds timeout{};
  std::atomic<bool> is_done{false};
  std::atomic<bool> has_failed{false};
  // Lets a wait end that does not end with the connections.
  std::function<void()> interrupt;
  // Guarded by the watch.
  bool is_line_asked = false;
  std::string line;

  bool is_point_to_point() const { return number == 0; }
  void add(const at::Tensor& tensor);
  void add(const std::vector<at::Tensor>& list);

  // What the ranks must have the same of.
  uint64_t fingerprint() const;
  // Such as "reduce(sum) of float32[3] to rank 0 at train.mjs:10:7".
  std::string text() const;
};

// Mixes a number into a fingerprint, the same on every machine.
uint64_t mixed(uint64_t seed, uint64_t value);

}  // namespace aiforge
