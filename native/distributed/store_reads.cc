#include "store_reads.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <thread>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>

#include "../errors.h"

namespace aiforge {

namespace {

using std::chrono::milliseconds;
using Bytes = std::vector<uint8_t>;
using Clock = std::chrono::steady_clock;

// What no key has: a compareSet with it reads.
const Bytes& nobody_has() {
  static const Bytes value = [] {
    const std::string text = "aiforge: there is no such key 5f0c1b7ad34e4b1c";
    return Bytes(text.begin(), text.end());
  }();
  return value;
}

Clock::time_point after(milliseconds timeout) {
  // A longer one would overflow the clock.
  return Clock::now() + std::min<milliseconds>(timeout, std::chrono::hours(24 * 365 * 100));
}

// c10d waits for a file for whole seconds.
void wait_in_file(c10d::Store& store, const std::vector<std::string>& keys, Clock::time_point end) {
  constexpr milliseconds kPause{10};
  while (!store.check(keys)) {
    if (Clock::now() >= end) C10_THROW_ERROR(DistStoreError, "Wait timeout");
    std::this_thread::sleep_for(std::min<Clock::duration>(kPause, end - Clock::now()));
  }
}

void wait_until(c10d::Store& store, const std::vector<std::string>& keys, Clock::time_point end) {
  if (is_file(store)) return wait_in_file(store, keys, end);
  do {
    const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
    store.wait(keys, std::max(left, milliseconds(1)));
    // A TCPStore's server wakes who waits for a key also where a compareSet has found that it is
    // not there.
    if (store.check(keys)) return;
  } while (Clock::now() < end);
  C10_THROW_ERROR(DistStoreError, "Wait timeout");
}

// Such a key is there, and has no value. A FileStore has no queues.
void require_no_queue(c10d::Store& store, const std::string& key) {
  if (!store.hasExtendedApi() || store.queueLen(key) == 0) return;
  throw Error("INVALID_ARGUMENT", "'" + key + "' is a queue: take its values by queuePop.");
}

}  // namespace

c10d::Store& whole_of(c10d::Store& store) {
  auto* const prefixed = dynamic_cast<c10d::PrefixStore*>(&store);
  return prefixed == nullptr ? store : *prefixed->getUnderlyingNonPrefixStore();
}

bool is_file(c10d::Store& store) {
  return dynamic_cast<c10d::FileStore*>(&whole_of(store)) != nullptr;
}

std::optional<Bytes> peek(c10d::Store& store, const std::string& key) {
  // Before the compareSet, which would wake those that wait for a key that is not there.
  if (!store.check({key})) return std::nullopt;
  Bytes value = store.compareSet(key, nobody_has(), nobody_has());
  if (value == nobody_has()) return std::nullopt;
  return value;
}

void wait_for(c10d::Store& store, const std::vector<std::string>& keys, milliseconds timeout) {
  wait_until(store, keys, after(timeout));
}

std::vector<Bytes> wait_for_values(c10d::Store& store, const std::vector<std::string>& keys,
                                   milliseconds timeout) {
  const auto end = after(timeout);
  wait_until(store, keys, end);
  std::vector<Bytes> values;
  for (const std::string& key : keys) {
    auto value = peek(store, key);
    for (; !value; value = peek(store, key)) {
      require_no_queue(store, key);
      wait_until(store, {key}, end);
    }
    values.push_back(std::move(*value));
  }
  return values;
}

std::optional<Bytes> take(c10d::Store& store, const std::string& key) {
  try {
    return store.queuePop(key, /*block=*/false);
  } catch (const c10::DistQueueEmptyError&) {
    return std::nullopt;
  }
}

Bytes wait_to_take(c10d::Store& store, const std::string& key, milliseconds timeout) {
  // What has no queues would wait for the key.
  if (!store.hasExtendedApi()) C10_THROW_ERROR(NotImplementedError, "there are no queues");
  const auto end = after(timeout);
  wait_until(store, {key}, end);
  auto value = take(store, key);
  // Others that waited may have been faster.
  for (; !value; value = take(store, key)) wait_until(store, {key}, end);
  return std::move(*value);
}

}  // namespace aiforge
