#include "checked_work.h"

#include "../kept_threads.h"

namespace aiforge {

namespace {

// A future that ends as `inner` does, but fails in words. The thread that ends it may not wait for
// the store, as finding the words does.
CheckedWork::Future explained(const CheckedWork::Future& inner,
                              const std::shared_ptr<GroupWatch>& watch,
                              const GroupWatch::Record& record) {
  auto outer = inner->createInstance(inner->elementType());
  inner->addCallback([outer, watch, record](c10::ivalue::Future& ended) {
    record->has_failed = ended.hasError();
    record->is_done = true;
    if (!ended.hasError()) {
      outer->markCompleted(ended.value(), ended.storages());
      return;
    }
    const std::exception_ptr error = ended.exception_ptr();
    try {
      run_on_kept_thread(
          [outer, watch, record, error] { outer->setError(watch->explain(*record, error)); });
    } catch (const std::exception&) {
      outer->setError(error);  // there is no thread to be had
    }
  });
  return outer;
}

c10::intrusive_ptr<c10::ivalue::Future> future_of(const CheckedWork::Inner& work) {
  try {
    return work->getFuture();
  } catch (const c10::Error&) {
    return {};  // point-to-point work of Gloo's has none
  }
}

}  // namespace

CheckedWork::CheckedWork(Inner inner, std::shared_ptr<GroupWatch> watch, GroupWatch::Record record)
    : Work(-1, inner->retrieveOpType()),
      inner_(std::move(inner)),
      watch_(std::move(watch)),
      record_(std::move(record)) {
  if (const Future inner_future = future_of(inner_)) {
    future_ = explained(inner_future, watch_, record_);
  }
}

bool CheckedWork::ends_within(std::chrono::milliseconds limit) {
  try {
    inner_->wait(limit);
  } catch (...) {
    return inner_->isCompleted();
  }
  return true;
}

bool CheckedWork::wait(std::chrono::milliseconds timeout) {
  // A message would be given up by Gloo when the time for joining the group is over.
  if (timeout == kNoTimeout && !future_) timeout = record_->timeout + kGlooGrace;
  try {
    const bool result = inner_->wait(timeout);
    record_->is_done = true;
    return result;
  } catch (...) {
    const std::exception_ptr error = std::current_exception();
    record_->has_failed = true;
    record_->is_done = true;
    std::rethrow_exception(watch_->explain(*record_, error));
  }
}

CheckedWork::Future CheckedWork::getFuture() {
  TORCH_CHECK(future_, "CheckedWork::getFuture: there is none");
  return future_;
}

}  // namespace aiforge
