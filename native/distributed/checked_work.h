// A collective of Gloo's whose failure is told in words.
#pragma once

#include <memory>
#include <torch/csrc/distributed/c10d/Work.hpp>

#include "group_watch.h"

namespace aiforge {

// Gloo's own timeouts come so long after those of the watch, which can say more.
constexpr std::chrono::milliseconds kGlooGrace{5000};

class CheckedWork : public c10d::Work {
 public:
  using Inner = c10::intrusive_ptr<c10d::Work>;
  using Future = c10::intrusive_ptr<c10::ivalue::Future>;

  CheckedWork(Inner inner, std::shared_ptr<GroupWatch> watch, GroupWatch::Record record);

  // Whether it has ended, after waiting so long at most.
  bool ends_within(std::chrono::milliseconds limit);
  void set_line(std::string line) { watch_->set_line(record_, std::move(line)); }
  const CollectiveRecord& record() const { return *record_; }

  bool isCompleted() override { return inner_->isCompleted(); }
  bool isSuccess() const override { return inner_->isSuccess(); }
  std::exception_ptr exception() const override { return inner_->exception(); }
  int sourceRank() const override { return inner_->sourceRank(); }
  std::vector<at::Tensor> result() override { return inner_->result(); }
  void synchronize() override { inner_->synchronize(); }
  bool wait(std::chrono::milliseconds timeout) override;
  void abort() override { inner_->abort(); }
  Future getFuture() override;
  uint64_t getSequencenumber() const override { return inner_->getSequencenumber(); }

 private:
  const Inner inner_;
  const std::shared_ptr<GroupWatch> watch_;
  const GroupWatch::Record record_;
  Future future_;  // null for what has none
};

}  // namespace aiforge
