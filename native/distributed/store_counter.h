// Counters among a store's keys.
#pragma once

#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <unordered_set>

namespace aiforge {

// Adds where c10d would take the beginning of a text for a number, close the connection, or wrap
// around. Of one client, on its thread.
class StoreCounters {
 public:
  // Throws INVALID_ARGUMENT, with the value unchanged, where it is no whole number or the sum is
  // beyond what a JavaScript number holds.
  // `path` is the key as the store below all prefixes has it.
  int64_t add(c10d::Store& store, const std::string& key, const std::string& path, int64_t amount);

  // This client writes what may be no number there.
  void forget(const std::string& path) { known_.erase(path); }

 private:
  // Keys that were numbers when this client last saw them: looking again would double the time.
  std::unordered_set<std::string> known_;
};

}  // namespace aiforge
