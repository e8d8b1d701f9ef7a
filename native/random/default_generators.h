// LibTorch's default generators are the process's. Each environment draws numbers of its own from
// them, as each Python process has its own: whoever draws next after another environment puts back
// the state that it left.
#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>

#include <mutex>
#include <optional>
#include <vector>

namespace aiforge {

class Environment;

// What an environment's default generators were when another one began to draw.
struct DefaultGenerators {
  struct Cpu {
    at::mt19937 engine;
    std::optional<float> next_float_normal;
    std::optional<double> next_double_normal;
  };
  std::optional<Cpu> cpu;           // none before the environment's first draw
  std::vector<at::Tensor> devices;  // one state a GPU
};

// While it lives, the default generators are this environment's, and others that draw wait.
class Drawing {
 public:
  explicit Drawing(Environment& environment);

  // Of an environment that draws no more.
  static void end(Environment& environment);

 private:
  const std::lock_guard<std::recursive_mutex> lock_;
};

}  // namespace aiforge
