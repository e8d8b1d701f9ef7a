// What a store's calls say where it cannot do them.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <vector>

#include "background.h"

namespace aiforge {

// Whether a store can still be reached. A TCPStore whose connection was closed once would not say
// of a `set` that nothing is stored. Shared by a store and those with a prefix of it, on any
// thread.
class StoreConnection {
 public:
  // Throws, where the connection was closed before, as the failure of `what`.
  void require_open(const std::string& what) const;

  // Rejects with the exception that is being handled, and remembers it where it is the end of the
  // connection.
  Settle failure(const std::string& what);

 private:
  mutable std::mutex mutex_;
  std::string why_closed_;
};

using StoreKeys = std::vector<std::string>;

// Does what waits for keys; an error that came of keys that are not there has their names.
Settle naming_missing(const std::string& what, c10d::Store& store, const StoreKeys& keys,
                      std::chrono::milliseconds timeout, const std::function<Settle()>& body);

}  // namespace aiforge
