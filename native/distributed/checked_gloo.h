// ProcessGroupGloo that finds out when the ranks do not do the same, and that can be aborted.
#pragma once

#include <atomic>
#include <mutex>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "../versions/gloo.h"
#include "checked_work.h"
#include "group_watch.h"

namespace aiforge {

struct GlooOptions {
  int rank;
  int size;
  std::chrono::milliseconds timeout;       // of a collective
  std::chrono::milliseconds join_timeout;  // of what connects the ranks
  std::string group;
  std::string address;  // where other ranks reach this one; empty: that of the host's name
};

// Gloo pairs messages by a tag, which c10d counts up: what one rank sends in an all-reduce another
// may receive in a broadcast, and where it is too long the process ends by SIGABRT. Here the tag
// has a fingerprint of what the ranks must agree on, so that calls which differ never meet: they
// wait, and the watch finds out. Python's ranks count: with one in the group everything is plain
// c10d.
class CheckedGloo : public c10d::ProcessGroupGloo {
 public:
  using Store = c10::intrusive_ptr<c10d::Store>;
  using Begun = c10::intrusive_ptr<c10d::Work>;
  using Tensors = std::vector<at::Tensor>;
  using TensorLists = std::vector<Tensors>;

  CheckedGloo(const Store& store, const GlooOptions& options);
  ~CheckedGloo() override;

  // Begins to check, unless a rank of the group is Python's; call once, by all ranks. The
  // clients were connected before the ranks were: one that has nothing more to do may end now, and
  // the store with it.
  void check(const GroupWatch::Clients& clients, GroupWatch::AskLine ask_line);
  // Whether all ranks are this library's.
  bool is_checked() const { return is_checked_; }
  std::chrono::milliseconds timeout() const { return timeout_; }
  // Waits for what is pending.
  void drain();
  void abort() override;
  // Ends the connections without a word, as the end of the process does.
  void cut();
  // That a forward pass has begun whose gradients will be averaged: ranks of which one has left a
  // backward pass out must not average those of different steps.
  void begin_averaged_pass() { ++averaged_passes_; }

  // Gives a call that is no single collective of c10d's its place among the group's collectives.
  GroupWatch::Record take_number(const char* name, int root);
  // A place among the objects that go from one rank to another under a tag.
  GroupWatch::Record take_message(const char* name, CollectiveKind kind, int peer, int tag);
  // Sends and receives for such a call, on any thread.
  Begun send_part(at::Tensor part, int peer, uint64_t print);
  Begun receive_part(at::Tensor part, int peer, uint64_t print);
  std::vector<GroupWatch::Remembered> history(
      const std::function<std::string(uint32_t call)>& line);
  std::exception_ptr explain(const CollectiveRecord& record, const std::exception_ptr& error);

  Begun broadcast(Tensors& tensors, const c10d::BroadcastOptions& options) override;
  Begun allreduce(Tensors& tensors, const c10d::AllreduceOptions& options) override;
  Begun allreduce_sparse(Tensors& tensors, const c10d::AllreduceOptions& options) override;
  Begun allreduce_coalesced(Tensors& tensors,
                            const c10d::AllreduceCoalescedOptions& options) override;
  Begun reduce(Tensors& tensors, const c10d::ReduceOptions& options) override;
  Begun AIFORGE_REDUCE_SCATTER_SINGLE(at::Tensor& output, at::Tensor& input,
                                      const c10d::ReduceScatterOptions& options) override;
  Begun AIFORGE_REDUCE_SCATTER_SINGLES(Tensors& outputs, Tensors& inputs,
                                       const c10d::ReduceScatterOptions& options) override;
  Begun AIFORGE_GATHER_SINGLE(at::Tensor& output, at::Tensor& input,
                              const c10d::AllgatherOptions& options) override;
  Begun AIFORGE_GATHER_SINGLES(Tensors& outputs, Tensors& inputs,
                               const c10d::AllgatherOptions& options) override;
  Begun allgather(TensorLists& outputs, Tensors& inputs,
                  const c10d::AllgatherOptions& options) override;
  Begun gather(TensorLists& outputs, Tensors& inputs, const c10d::GatherOptions& options) override;
  Begun scatter(Tensors& outputs, TensorLists& inputs,
                const c10d::ScatterOptions& options) override;
  Begun reduce_scatter(Tensors& outputs, TensorLists& inputs,
                       const c10d::ReduceScatterOptions& options) override;
  Begun AIFORGE_ALL_TO_ALL_SINGLE(at::Tensor& output, at::Tensor& input,
                                  std::vector<int64_t>& output_splits,
                                  std::vector<int64_t>& input_splits,
                                  const c10d::AllToAllOptions& options) override;
  Begun alltoall(Tensors& outputs, Tensors& inputs, const c10d::AllToAllOptions& options) override;
  Begun send(Tensors& tensors, int peer, int tag) override;
  Begun recv(Tensors& tensors, int peer, int tag) override;
  Begun recvAnysource(Tensors& tensors, int tag) override;
  Begun barrier(const c10d::BarrierOptions& options) override;

 private:
  struct Asked;

  GroupWatch::Record record_of(const Asked& asked, std::chrono::milliseconds timeout) const;
  bool passes_through() const;
  template <typename Given, typename Start>
  Begun begin(const Asked& asked, const Given& options, Start start);
  template <typename Start>
  Begun begin_message(CollectiveKind kind, const Tensors& tensors, int peer, int tag, Start start);
  Begun begin_pairwise(const Asked& asked, const c10d::AllToAllOptions& options,
                       const Tensors& outputs, const Tensors& inputs);
  uint64_t ordinal_of(CollectiveKind kind, int peer, int tag);

  const std::chrono::milliseconds timeout_;
  bool is_checked_ = false;
  std::shared_ptr<GroupWatch> watch_;  // null without another rank to watch
  std::mutex order_;
  uint64_t last_number_ = 0;
  std::atomic<uint64_t> averaged_passes_{0};
  std::unordered_map<uint64_t, uint64_t> ordinals_;
  std::unordered_set<int> tags_from_any_;
};

}  // namespace aiforge
