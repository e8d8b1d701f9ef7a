// Gloo lives inside libtorch_cpu, which ships without its headers. These files declare just what
// ProcessGroupGloo.hpp names; no object of these types is made or subclassed on our side.
#pragma once

#include <chrono>

namespace gloo {

class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};

}  // namespace gloo
