#include "store_counter.h"

#include <algorithm>
#include <charconv>

#include "../errors.h"
#include "store_reads.h"

namespace aiforge {

namespace {

using Bytes = std::vector<uint8_t>;

constexpr int64_t kMost = (int64_t{1} << 53) - 1;
constexpr size_t kKnown = 4096;
constexpr size_t kShown = 40;

bool is_exact(int64_t value) { return value >= -kMost && value <= kMost; }

bool is_whole_number(const Bytes& value) {
  const char* begin = reinterpret_cast<const char*>(value.data());
  const char* end = begin + value.size();
  int64_t number = 0;
  const auto [rest, error] = std::from_chars(begin, end, number);
  return error == std::errc() && rest == end;
}

std::string shown(const Bytes& value) {
  const bool is_text = std::all_of(value.begin(), value.end(),
                                   [](uint8_t byte) { return byte >= 32 && byte < 127; });
  if (!is_text || value.size() > kShown) return std::to_string(value.size()) + " bytes";
  return "'" + std::string(value.begin(), value.end()) + "'";
}

// Whether adding `amount` wrapped around to `sum`.
bool is_wrapped(int64_t sum, int64_t amount) {
  int64_t before = 0;
  return __builtin_sub_overflow(sum, amount, &before);
}

}  // namespace

int64_t StoreCounters::add(c10d::Store& store, const std::string& key, const std::string& path,
                           int64_t amount) {
  if (known_.count(path) == 0) {
    const auto value = peek(store, key);
    if (value && !is_whole_number(*value)) {
      throw Error("INVALID_ARGUMENT", "add: the value of the key '" + key +
                                          "' is no whole number: it is " + shown(*value) + ".");
    }
    if (known_.size() >= kKnown) known_.clear();
    known_.insert(path);
  }
  const int64_t sum = store.add(key, amount);
  if (is_exact(sum) && !is_wrapped(sum, amount)) return sum;
  store.add(key, -amount);
  throw Error("INVALID_ARGUMENT", "add: the sum of the key '" + key + "' and " +
                                      std::to_string(amount) +
                                      " is beyond 2^53-1, which a number does not hold; its value "
                                      "is as it was.");
}

}  // namespace aiforge
