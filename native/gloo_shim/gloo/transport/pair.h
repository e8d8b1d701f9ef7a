#pragma once

namespace gloo::transport {

class __attribute__((visibility("default"))) Pair {
 public:
  virtual ~Pair();
};

}  // namespace gloo::transport
