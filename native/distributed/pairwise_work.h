// Messages between each pair of ranks that are one collective.
#pragma once

#include <torch/csrc/distributed/c10d/Work.hpp>
#include <utility>
#include <vector>

namespace aiforge {

// Several works that are waited for as one.
class PairwiseWork : public c10d::Work {
 public:
  explicit PairwiseWork(std::vector<c10::intrusive_ptr<c10d::Work>> works)
      : c10d::Work(-1, c10d::OpType::ALLTOALL), works_(std::move(works)) {}

  bool wait(std::chrono::milliseconds timeout) override {
    for (const c10::intrusive_ptr<c10d::Work>& work : works_) work->wait(timeout);
    finish();
    return true;
  }
  c10::intrusive_ptr<c10::ivalue::Future> getFuture() override {
    TORCH_CHECK(false, "PairwiseWork::getFuture: there is none");
  }
  void abort() override {
    for (const c10::intrusive_ptr<c10d::Work>& work : works_) work->abort();
  }

 private:
  const std::vector<c10::intrusive_ptr<c10d::Work>> works_;
};

}  // namespace aiforge
