// Reading a store's keys, and waiting for them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <vector>

namespace aiforge {

// The store that one with prefixes is a part of; itself where it has none.
c10d::Store& whole_of(c10d::Store& store);

// Whether a store, or that which it is a part of, is in a file.
bool is_file(c10d::Store& store);

// The value of a key, if it has one now.
std::optional<std::vector<uint8_t>> peek(c10d::Store& store, const std::string& key);

// Waits until all the keys are there. Throws c10d's error where they are not in time.
void wait_for(c10d::Store& store, const std::vector<std::string>& keys,
              std::chrono::milliseconds timeout);

// The values of keys, once all are there.
std::vector<std::vector<uint8_t>> wait_for_values(c10d::Store& store,
                                                  const std::vector<std::string>& keys,
                                                  std::chrono::milliseconds timeout);

// The first value of a queue, which leaves it, if there is one now.
std::optional<std::vector<uint8_t>> take(c10d::Store& store, const std::string& key);

// The first value of a queue, once there is one.
std::vector<uint8_t> wait_to_take(c10d::Store& store, const std::string& key,
                                  std::chrono::milliseconds timeout);

}  // namespace aiforge
