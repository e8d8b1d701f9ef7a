#include "outcome.h"

#include <utility>

#include "../errors.h"
#include "deadlines.h"

namespace aiforge {

using std::chrono::milliseconds;

void await(const std::shared_ptr<Outcome>& outcome, Background::Done done, milliseconds limit,
           const std::string& late_message) {
  outcome->done = std::move(done);
  int state = Outcome::kPending;
  if (!outcome->state.compare_exchange_strong(state, Outcome::kAwaited)) {
    outcome->done(std::move(outcome->settle));
    return;
  }
  const std::weak_ptr<Outcome> weak = outcome;
  after(limit, weak, [weak, late_message] {
    const auto late = weak.lock();
    int awaited = Outcome::kAwaited;
    if (!late || !late->state.compare_exchange_strong(awaited, Outcome::kLate)) return;
    const Error error("DISTRIBUTED_FAILED", late_message);
    late->done(failure(std::make_exception_ptr(error), ""));
  });
}

napi_value beside(napi_env env, napi_callback_info info, const char* what, milliseconds limit,
                  const std::string& late_message, std::function<Settle()> body) {
  return Background::of(env, info).promise(env, [&](Background::Done done) {
    const auto outcome = std::make_shared<Outcome>();
    await(outcome, std::move(done), limit, late_message);
    work(
        what, [outcome](Settle settle) { outcome->know(std::move(settle)); }, std::move(body));
  });
}

}  // namespace aiforge
