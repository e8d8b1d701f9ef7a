#include <algorithm>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "guards.h"

namespace aiforge {

namespace {

// The operators of all guards: names, and beginnings of names that a '*' follows.
class Patterns {
 public:
  Patterns() {
    for (const Guard& guard : all_guards()) {
      std::istringstream patterns(guard.operators);
      for (std::string pattern; patterns >> pattern;) add(pattern, &guard);
    }
  }

  void find(const std::string& name, std::vector<const Guard*>& found) const {
    const auto [first, last] = names_.equal_range(name);
    for (auto entry = first; entry != last; ++entry) found.push_back(entry->second);
  }

  void find_beginnings(const std::string& name, std::vector<const Guard*>& found) const {
    for (const auto& [beginning, guard] : beginnings_) {
      if (name.compare(0, beginning.size(), beginning) == 0) found.push_back(guard);
    }
  }

 private:
  void add(std::string pattern, const Guard* guard) {
    if (pattern.back() != '*') {
      names_.emplace(std::move(pattern), guard);
      return;
    }
    pattern.pop_back();
    beginnings_.emplace_back(std::move(pattern), guard);
  }

  std::unordered_multimap<std::string, const Guard*> names_;
  std::vector<std::pair<std::string, const Guard*>> beginnings_;
};

}  // namespace

std::vector<const Guard*> guards_of(const std::string& name, Kernels kernels) {
  std::vector<const Guard*> found;
  if (name.rfind("aten::", 0) != 0) return found;
  static const Patterns patterns;
  const std::string whole = name.substr(6);
  const std::string base = whole.substr(0, whole.find('.'));
  patterns.find(whole, found);
  if (base != whole) patterns.find(base, found);
  patterns.find_beginnings(base, found);
  const auto is_of_others = [&](const Guard* guard) {
    return std::find(kernels.begin(), kernels.end(), guard->kernel) == kernels.end();
  };
  found.erase(std::remove_if(found.begin(), found.end(), is_of_others), found.end());
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace aiforge
