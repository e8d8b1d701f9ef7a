// LibTorch's functorch headers write their state as JSON with a library whose header the wheel has
// not. Nothing here calls that code, so declarations are enough for it to compile.
#pragma once

#include <string>

namespace nlohmann {

class json {
 public:
  json();
  template <typename T>
  explicit json(const T& value);
  static json parse(const std::string& text);
  std::string dump() const;
  template <typename T>
  T get() const;
};

}  // namespace nlohmann
