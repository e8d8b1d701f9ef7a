#include "checked_gloo.h"

#include "../errors.h"
#include "call_scope.h"
#include "gloo_tags.h"
#include "works.h"

namespace aiforge {

namespace {

using std::chrono::milliseconds;
using Begun = c10::intrusive_ptr<c10d::Work>;

// The group whose collective this thread begins: c10d implements some by others.
thread_local const void* inside = nullptr;

class Inside {
 public:
  explicit Inside(const void* group) { inside = group; }
  ~Inside() { inside = nullptr; }
};

std::function<void()> interrupting(const Begun& work) {
  return [weak = c10::weak_intrusive_ptr<c10d::Work>(work)] {
    if (const Begun live = weak.lock()) live->abort();
  };
}

int64_t bytes_of(const at::Tensor& tensor) { return static_cast<int64_t>(tensor.nbytes()); }

}  // namespace

struct CheckedGloo::Asked {
  CollectiveKind kind;
  const char* name;
  const Tensors& tensors;
  int op = CollectiveRecord::kNone;
  int root = CollectiveRecord::kNone;
};

bool CheckedGloo::passes_through() const { return !watch_ || inside == this; }

GroupWatch::Record CheckedGloo::record_of(const Asked& asked, milliseconds timeout) const {
  auto record = std::make_shared<CollectiveRecord>();
  record->kind = asked.kind;
  record->name = asked.name;
  record->op = asked.op;
  record->root = asked.root;
  record->add(asked.tensors);
  if (const CallScope* const scope = CallScope::current()) {
    record->call = scope->id;
    record->name = scope->name;
    if (timeout == c10d::kUnsetTimeout) timeout = scope->timeout;
  } else if (asked.kind == CollectiveKind::kAllReduce && !BesideGradients::is_on()) {
    record->pass = averaged_passes_;
  }
  record->timeout = timeout == c10d::kUnsetTimeout ? timeout_ : timeout;
  record->started = Clock::now();
  record->deadline = record->started + record->timeout;
  return record;
}

template <typename Given, typename Start>
CheckedGloo::Begun CheckedGloo::begin(const Asked& asked, const Given& options, Start start) {
  if (passes_through()) return start(options);
  watch_->check_open(asked.name);
  const GroupWatch::Record record = record_of(asked, options.timeout);
  Given with_grace = options;
  with_grace.timeout = record->timeout + kGlooGrace;
  const std::lock_guard<std::mutex> lock(order_);
  const Inside mark(this);
  record->number = last_number_ + 1;
  collectiveCounter_ = tag_of(*record);
  Begun work = start(with_grace);
  // Refused calls do not count: they are no more than an error on this rank.
  ++last_number_;
  watch_->begin(record);
  return c10::make_intrusive<CheckedWork>(std::move(work), watch_, record);
}

CheckedGloo::Begun CheckedGloo::broadcast(Tensors& tensors, const c10d::BroadcastOptions& options) {
  return begin({CollectiveKind::kBroadcast, "broadcast", tensors, CollectiveRecord::kNone,
                static_cast<int>(options.rootRank)},
               options,
               [&](const auto& each) { return ProcessGroupGloo::broadcast(tensors, each); });
}

CheckedGloo::Begun CheckedGloo::allreduce(Tensors& tensors, const c10d::AllreduceOptions& options) {
  return begin({CollectiveKind::kAllReduce, "allReduce", tensors, options.reduceOp.op_}, options,
               [&](const auto& each) { return ProcessGroupGloo::allreduce(tensors, each); });
}

CheckedGloo::Begun CheckedGloo::allreduce_sparse(Tensors& tensors,
                                                 const c10d::AllreduceOptions& options) {
  return begin({CollectiveKind::kAllReduce, "allReduce", tensors, options.reduceOp.op_}, options,
               [&](const auto& each) { return ProcessGroupGloo::allreduce_sparse(tensors, each); });
}

CheckedGloo::Begun CheckedGloo::allreduce_coalesced(
    Tensors& tensors, const c10d::AllreduceCoalescedOptions& options) {
  return begin(
      {CollectiveKind::kAllReduceCoalesced, "allReduceCoalesced", tensors, options.reduceOp.op_},
      options,
      [&](const auto& each) { return ProcessGroupGloo::allreduce_coalesced(tensors, each); });
}

CheckedGloo::Begun CheckedGloo::reduce(Tensors& tensors, const c10d::ReduceOptions& options) {
  return begin({CollectiveKind::kReduce, "reduce", tensors, options.reduceOp.op_,
                static_cast<int>(options.rootRank)},
               options, [&](const auto& each) { return ProcessGroupGloo::reduce(tensors, each); });
}

CheckedGloo::Begun CheckedGloo::AIFORGE_REDUCE_SCATTER_SINGLE(
    at::Tensor& output, at::Tensor& input, const c10d::ReduceScatterOptions& options) {
  return begin(
      {CollectiveKind::kReduceScatterTensor, "reduceScatterTensor", {output}, options.reduceOp.op_},
      options, [&](const auto& each) {
        return ProcessGroupGloo::AIFORGE_REDUCE_SCATTER_SINGLE(output, input, each);
      });
}

CheckedGloo::Begun CheckedGloo::AIFORGE_REDUCE_SCATTER_SINGLES(
    Tensors& outputs, Tensors& inputs, const c10d::ReduceScatterOptions& options) {
  return begin({CollectiveKind::kReduceScatterTensorCoalesced, "reduceScatterTensorCoalesced",
                outputs, options.reduceOp.op_},
               options, [&](const auto& each) {
                 return ProcessGroupGloo::AIFORGE_REDUCE_SCATTER_SINGLES(outputs, inputs, each);
               });
}

CheckedGloo::Begun CheckedGloo::AIFORGE_GATHER_SINGLE(at::Tensor& output, at::Tensor& input,
                                                      const c10d::AllgatherOptions& options) {
  return begin({CollectiveKind::kAllGatherInto, "allGatherIntoTensor", {input}}, options,
               [&](const auto& each) {
                 return ProcessGroupGloo::AIFORGE_GATHER_SINGLE(output, input, each);
               });
}

CheckedGloo::Begun CheckedGloo::AIFORGE_GATHER_SINGLES(Tensors& outputs, Tensors& inputs,
                                                       const c10d::AllgatherOptions& options) {
  return begin({CollectiveKind::kAllGatherIntoCoalesced, "allGatherIntoTensorCoalesced", inputs},
               options, [&](const auto& each) {
                 return ProcessGroupGloo::AIFORGE_GATHER_SINGLES(outputs, inputs, each);
               });
}

CheckedGloo::Begun CheckedGloo::allgather(TensorLists& outputs, Tensors& inputs,
                                          const c10d::AllgatherOptions& options) {
  return begin({CollectiveKind::kAllGather, "allGather", inputs}, options, [&](const auto& each) {
    return ProcessGroupGloo::allgather(outputs, inputs, each);
  });
}

CheckedGloo::Begun CheckedGloo::gather(TensorLists& outputs, Tensors& inputs,
                                       const c10d::GatherOptions& options) {
  return begin({CollectiveKind::kGather, "gather", inputs, CollectiveRecord::kNone,
                static_cast<int>(options.rootRank)},
               options,
               [&](const auto& each) { return ProcessGroupGloo::gather(outputs, inputs, each); });
}

CheckedGloo::Begun CheckedGloo::scatter(Tensors& outputs, TensorLists& inputs,
                                        const c10d::ScatterOptions& options) {
  return begin({CollectiveKind::kScatter, "scatter", outputs, CollectiveRecord::kNone,
                static_cast<int>(options.rootRank)},
               options,
               [&](const auto& each) { return ProcessGroupGloo::scatter(outputs, inputs, each); });
}

CheckedGloo::Begun CheckedGloo::reduce_scatter(Tensors& outputs, TensorLists& inputs,
                                               const c10d::ReduceScatterOptions& options) {
  return begin(
      {CollectiveKind::kReduceScatter, "reduceScatter", outputs, options.reduceOp.op_}, options,
      [&](const auto& each) { return ProcessGroupGloo::reduce_scatter(outputs, inputs, each); });
}

CheckedGloo::Begun CheckedGloo::barrier(const c10d::BarrierOptions& options) {
  return begin({CollectiveKind::kBarrier, "barrier", {}}, options,
               [&](const auto& each) { return ProcessGroupGloo::barrier(each); });
}

namespace {

CheckedGloo::Tensors parts_of(const at::Tensor& whole, const std::vector<int64_t>& sizes) {
  return whole.split_with_sizes(sizes, 0);
}

}  // namespace

CheckedGloo::Begun CheckedGloo::AIFORGE_ALL_TO_ALL_SINGLE(at::Tensor& output, at::Tensor& input,
                                                          std::vector<int64_t>& output_splits,
                                                          std::vector<int64_t>& input_splits,
                                                          const c10d::AllToAllOptions& options) {
  const Asked asked{CollectiveKind::kAllToAll, "allToAllSingle", {input}};
  const bool is_even = output_splits.empty() && input_splits.empty();
  if (passes_through() || is_even || !input.is_cpu()) {
    return begin(asked, options, [&](const auto& each) {
      return ProcessGroupGloo::AIFORGE_ALL_TO_ALL_SINGLE(output, input, output_splits, input_splits,
                                                         each);
    });
  }
  const auto or_even = [&](const std::vector<int64_t>& splits, const at::Tensor& whole) {
    if (!splits.empty()) return splits;
    return std::vector<int64_t>(getSize(), whole.size(0) / getSize());
  };
  return begin_pairwise(asked, options, parts_of(output, or_even(output_splits, output)),
                        parts_of(input, or_even(input_splits, input)));
}

CheckedGloo::Begun CheckedGloo::alltoall(Tensors& outputs, Tensors& inputs,
                                         const c10d::AllToAllOptions& options) {
  const Asked asked{CollectiveKind::kAllToAll, "allToAll", inputs};
  if (passes_through() || inputs.empty() || !inputs[0].is_cpu()) {
    return begin(asked, options, [&](const auto& each) {
      return ProcessGroupGloo::alltoall(outputs, inputs, each);
    });
  }
  return begin_pairwise(asked, options, outputs, inputs);
}

// One message for each pair of ranks, whose tag has its size: Gloo's own takes no other than it
// expects.
CheckedGloo::Begun CheckedGloo::begin_pairwise(const Asked& asked,
                                               const c10d::AllToAllOptions& options,
                                               const Tensors& outputs, const Tensors& inputs) {
  watch_->check_open(asked.name);
  const GroupWatch::Record record = record_of(asked, options.timeout);
  for (const at::Tensor& each : inputs) record->to.push_back(bytes_of(each));
  for (const at::Tensor& each : outputs) record->from.push_back(bytes_of(each));
  const std::lock_guard<std::mutex> lock(order_);
  record->number = ++last_number_;
  const uint64_t print = mixed(record->fingerprint(), record->number);
  std::vector<Begun> works;
  for (int rank = 0; rank < getSize(); ++rank) {
    Tensors out{outputs[rank]};
    Tensors in{inputs[rank]};
    if (rank == getRank()) {
      out[0].copy_(in[0]);
      continue;
    }
    const auto tag = [&](int64_t bytes) { return tag_of_message(0, mixed(print, bytes)); };
    if (bytes_of(out[0]) > 0) {
      works.push_back(ProcessGroupGloo::recv(out, rank, tag(bytes_of(out[0]))));
    }
    if (bytes_of(in[0]) > 0) {
      works.push_back(ProcessGroupGloo::send(in, rank, tag(bytes_of(in[0]))));
    }
  }
  Begun work = c10::make_intrusive<Works>(std::move(works), c10d::OpType::ALLTOALL);
  record->interrupt = interrupting(work);
  watch_->begin(record);
  return c10::make_intrusive<CheckedWork>(std::move(work), watch_, record);
}

// Counts the messages to or from a rank under a tag.
uint64_t CheckedGloo::ordinal_of(CollectiveKind kind, int peer, int tag) {
  if (kind == CollectiveKind::kReceive) {
    // From then on it is not known which message a receive gets.
    if (peer == CollectiveRecord::kNone) tags_from_any_.insert(tag);
    if (tags_from_any_.count(tag) > 0) return 0;
  }
  const auto key = mixed(mixed(static_cast<uint64_t>(kind), static_cast<uint64_t>(peer)),
                         static_cast<uint64_t>(tag));
  return ++ordinals_[key];
}

template <typename Start>
CheckedGloo::Begun CheckedGloo::begin_message(CollectiveKind kind, const Tensors& tensors, int peer,
                                              int tag, Start start) {
  if (passes_through()) return start(tag);
  const char* const name = kind == CollectiveKind::kSend ? "send" : "recv";
  watch_->check_open(name);
  const GroupWatch::Record record =
      record_of({kind, name, tensors, CollectiveRecord::kNone, peer}, c10d::kUnsetTimeout);
  record->tag = tag;
  const std::lock_guard<std::mutex> lock(order_);
  Begun work = start(tag_of_message(tag, record->fingerprint()));
  record->ordinal = ordinal_of(kind, peer, tag);
  record->interrupt = interrupting(work);
  watch_->begin(record);
  return c10::make_intrusive<CheckedWork>(std::move(work), watch_, record);
}

CheckedGloo::Begun CheckedGloo::send(Tensors& tensors, int peer, int tag) {
  return begin_message(CollectiveKind::kSend, tensors, peer, tag, [&](int mixed_tag) {
    return ProcessGroupGloo::send(tensors, peer, mixed_tag);
  });
}

CheckedGloo::Begun CheckedGloo::recv(Tensors& tensors, int peer, int tag) {
  return begin_message(CollectiveKind::kReceive, tensors, peer, tag, [&](int mixed_tag) {
    return ProcessGroupGloo::recv(tensors, peer, mixed_tag);
  });
}

CheckedGloo::Begun CheckedGloo::recvAnysource(Tensors& tensors, int tag) {
  return begin_message(
      CollectiveKind::kReceive, tensors, CollectiveRecord::kNone, tag,
      [&](int mixed_tag) { return ProcessGroupGloo::recvAnysource(tensors, mixed_tag); });
}

GroupWatch::Record CheckedGloo::take_number(const char* name, int root) {
  if (watch_) watch_->check_open(name);
  const GroupWatch::Record record = record_of(
      {CollectiveKind::kObjects, name, {}, CollectiveRecord::kNone, root}, c10d::kUnsetTimeout);
  const std::lock_guard<std::mutex> lock(order_);
  record->number = ++last_number_;
  if (watch_) watch_->begin(record);
  return record;
}

GroupWatch::Record CheckedGloo::take_message(const char* name, CollectiveKind kind, int peer,
                                             int tag) {
  if (watch_) watch_->check_open(name);
  const GroupWatch::Record record =
      record_of({kind, name, {}, CollectiveRecord::kNone, peer}, c10d::kUnsetTimeout);
  record->tag = tag;
  const std::lock_guard<std::mutex> lock(order_);
  record->ordinal = ordinal_of(kind, peer, tag);
  if (watch_) watch_->begin(record);
  return record;
}

CheckedGloo::Begun CheckedGloo::send_part(at::Tensor part, int peer, uint64_t print) {
  Tensors tensors{std::move(part)};
  return ProcessGroupGloo::send(tensors, peer, tag_of_message(0, print));
}

CheckedGloo::Begun CheckedGloo::receive_part(at::Tensor part, int peer, uint64_t print) {
  Tensors tensors{std::move(part)};
  return ProcessGroupGloo::recv(tensors, peer, tag_of_message(0, print));
}

}  // namespace aiforge
