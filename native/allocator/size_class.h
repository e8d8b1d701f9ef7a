// Sizes of blocks: the multiples of 64 bytes up to 256, then four to each doubling.
#pragma once

#include <c10/core/alignment.h>

#include <bit>
#include <cstddef>

namespace aiforge {

constexpr size_t class_of(size_t bytes) {
  const size_t last_unit = (bytes - 1) / c10::gAlignment;
  if (last_unit < 4) return last_unit;
  const size_t doubling = std::bit_width(last_unit) - 3;
  return doubling * 4 + (last_unit >> doubling);
}

constexpr size_t bytes_of(size_t size_class) {
  if (size_class < 4) return (size_class + 1) * c10::gAlignment;
  return ((size_class % 4 + 5) << (size_class / 4 - 1)) * c10::gAlignment;
}

}  // namespace aiforge
