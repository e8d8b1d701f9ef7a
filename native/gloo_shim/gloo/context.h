// Gloo lives inside libtorch_cpu, which ships without its headers. These files declare just what
// ProcessGroupGloo.hpp names, and what ends a context's connections; no object of these types is
// made or subclassed on our side.
#pragma once

#include <chrono>
#include <memory>

#include "transport/pair.h"

namespace gloo {

class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
  // The connection to a rank.
  std::unique_ptr<transport::Pair>& getPair(int rank);
};

}  // namespace gloo
