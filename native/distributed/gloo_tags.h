// The tags by which Gloo pairs messages.
#pragma once

#include "collective_record.h"

namespace aiforge {

// The tag of a collective. One may use several, from this on, as many as it has tensors.
inline uint32_t tag_of(const CollectiveRecord& record) {
  constexpr uint32_t kTagsOfOne = 1 << 6;
  constexpr uint32_t kNumbers = 1 << 10;
  const auto print = static_cast<uint32_t>(record.fingerprint());
  return (print & 0xffff0000) + static_cast<uint32_t>(record.number % kNumbers) * kTagsOfOne;
}

// The tag of a message: two that the caller's tags tell apart have different ones.
inline int tag_of_message(int tag, uint64_t print) {
  return static_cast<int>((static_cast<uint32_t>(tag) ^ static_cast<uint32_t>(print)) & 0x7fffffff);
}

}  // namespace aiforge
