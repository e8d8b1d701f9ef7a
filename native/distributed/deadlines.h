// What is done where something takes too long.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace aiforge {

// Calls `late`, which must not throw, on a thread of its own some 100 ms after `limit` at most, if
// there still is what `pending` points to. Costs what is done in time as good as nothing.
void after(std::chrono::milliseconds limit, std::weak_ptr<void> pending,
           std::function<void()> late);

// Runs `body` on a thread of its own, and throws that the store did not answer where that takes
// longer than `limit`: nothing ends a wait for a process that is stopped, and so the thread stays.
void within(std::chrono::milliseconds limit, const std::string& what, std::function<void()> body);

// Such as "newGroup failed: timed out after 2000 ms."
std::string late(const std::string& what, std::chrono::milliseconds limit);

// Such as "store.get failed: timed out after 2000 ms. …".
std::string late_store(const std::string& what, std::chrono::milliseconds limit);

}  // namespace aiforge
