// How nodes of the graph are held: up to some release outside of them, as std::shared_ptr does,
// later within, as c10::intrusive_ptr does.
#pragma once

#include <torch/csrc/autograd/edge.h>
#include <torch/csrc/autograd/function.h>

#include <memory>
#include <type_traits>
#include <utility>

namespace aiforge {

using NodePointer = decltype(torch::autograd::Edge::function);

inline constexpr bool kNodesAreShared =
    std::is_same_v<NodePointer, std::shared_ptr<torch::autograd::Node>>;

template <typename T, bool = kNodesAreShared>
struct PointerTo {
  using Strong = c10::intrusive_ptr<T>;
  using Weak = c10::weak_intrusive_ptr<T>;
  template <typename... Args>
  static Strong make(Args&&... args) {
    return c10::make_intrusive<T>(std::forward<Args>(args)...);
  }
};

template <typename T>
struct PointerTo<T, true> {
  using Strong = std::shared_ptr<T>;
  using Weak = std::weak_ptr<T>;
  template <typename... Args>
  static Strong make(Args&&... args) {
    // A deleter of LibTorch's own frees a long graph without recursion; found by its argument,
    // since only releases with such pointers have it.
    return Strong(new T(std::forward<Args>(args)...), [](T* node) { deleteNode(node); });
  }
};

}  // namespace aiforge
