// Several works that are one.
#pragma once

#include <torch/csrc/distributed/c10d/Work.hpp>
#include <utility>
#include <vector>

namespace aiforge {

// Messages to and from several ranks, waited for as one.
class Works : public c10d::Work {
 public:
  explicit Works(std::vector<c10::intrusive_ptr<c10d::Work>> works,
                 c10d::OpType type = c10d::OpType::UNKNOWN)
      : c10d::Work(-1, type), works_(std::move(works)) {}

  bool wait(std::chrono::milliseconds timeout) override {
    for (const c10::intrusive_ptr<c10d::Work>& work : works_) work->wait(timeout);
    finish();
    return true;
  }
  c10::intrusive_ptr<c10::ivalue::Future> getFuture() override {
    TORCH_CHECK(false, "Works::getFuture: there is none");
  }
  void abort() override {
    for (const c10::intrusive_ptr<c10d::Work>& work : works_) work->abort();
  }

 private:
  const std::vector<c10::intrusive_ptr<c10d::Work>> works_;
};

}  // namespace aiforge
