// Autocast's settings that LibTorch's thread-local state leaves out.
#pragma once

#include <c10/core/ScalarType.h>

namespace aiforge {

// Those of the thread that makes it, for a thread that works for it.
class AutocastDtypes {
 public:
  AutocastDtypes();
  void enter() const;

 private:
  c10::ScalarType cpu_;
  c10::ScalarType cuda_;
  bool cache_enabled_;
};

// Whether it is on, as the thread that makes it has it.
class AutocastSwitches {
 public:
  AutocastSwitches();
  void enter() const;

 private:
  bool cpu_;
  bool cuda_;
};

}  // namespace aiforge
