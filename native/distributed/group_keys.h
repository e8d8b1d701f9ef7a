// The keys of a group's watch in the group's store.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace aiforge {

constexpr const char* kVerdict = "aiforge/verdict";
constexpr const char* kHeard = "aiforge/heard";  // how many ranks have read the verdict

// What a rank that is late says of itself.
inline std::string report_key(int rank) { return "aiforge/late/" + std::to_string(rank); }
// What a rank's listener waits for: a verdict is there, or the group was closed.
inline std::string word_key(int rank) { return "aiforge/word/" + std::to_string(rank); }

inline std::vector<uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }
inline std::string text_of(const std::vector<uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

}  // namespace aiforge
