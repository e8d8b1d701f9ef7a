#include "gloo.h"

#include <gloo/transport/tcp/pair.h>
#include <torch/csrc/distributed/c10d/debug.h>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupWrapper.hpp>

namespace aiforge {

namespace {

using Store = c10::intrusive_ptr<c10d::Store>;

// Gloo itself has no abort. What it does to its connections when a wait is too long does the same:
// all that waits on them fails, here and in the ranks at their other ends.
class AbortableGloo : public c10d::ProcessGroupGloo {
 public:
  using ProcessGroupGloo::ProcessGroupGloo;

  void abort() override {
    for (const auto& context : contexts_) {
      for (int rank = 0; rank < getSize(); ++rank) {
        if (rank == getRank()) continue;
        auto* pair = dynamic_cast<gloo::transport::tcp::Pair*>(context->getPair(rank).get());
        if (pair != nullptr) pair->signalExceptionExternal("the process group was aborted");
      }
    }
  }
};

c10::intrusive_ptr<c10d::Backend> make_plain(const Store& store, int rank, int size,
                                             std::chrono::milliseconds timeout,
                                             const std::string& group) {
  auto options = c10d::ProcessGroupGloo::Options::create_default(timeout);
  options->group_name = group;
  return c10::make_intrusive<AbortableGloo>(store, rank, size, std::move(options));
}

}  // namespace

c10::intrusive_ptr<c10d::Backend> make_gloo(const Store& store, int rank, int size,
                                            std::chrono::milliseconds timeout,
                                            const std::string& group) {
  auto gloo = make_plain(store, rank, size, timeout, group);
  if (c10d::debug_level() != c10d::DebugLevel::Detail) return gloo;
  // Compares what the ranks are about to do before they do it.
  const Store of_checks = c10::make_intrusive<c10d::PrefixStore>("pg_wrapper:" + group, store);
  return c10::make_intrusive<c10d::ProcessGroupWrapper>(
      gloo, make_plain(of_checks, rank, size, timeout, group));
}

}  // namespace aiforge
