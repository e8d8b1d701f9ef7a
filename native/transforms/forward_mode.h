// The level of forward-mode differentiation, of which LibTorch has one for the whole process.
#pragma once

#include <cstdint>

namespace aiforge {

// Holds the level while it lives. Threads take turns; one that has it already may not ask again.
class ForwardLevel {
 public:
  ForwardLevel();
  ~ForwardLevel();
  ForwardLevel(const ForwardLevel&) = delete;
  ForwardLevel& operator=(const ForwardLevel&) = delete;
  int64_t index() const { return index_; }

 private:
  int64_t index_;
};

}  // namespace aiforge
