// How nodes of the graph are held. Up to 2.12: from outside, by std::shared_ptr. Since 2.13: by a
// count within the node, which c10::intrusive_ptr keeps.
#pragma once

#include <torch/csrc/autograd/function.h>
#include <torch/headeronly/version.h>

#include <memory>
#include <utility>

namespace aiforge {

#if TORCH_VERSION_MINOR >= 13

template <typename T>
using NodePointer = c10::intrusive_ptr<T>;
template <typename T>
using WeakNodePointer = c10::weak_intrusive_ptr<T>;

template <typename T, typename... Args>
NodePointer<T> make_node(Args&&... args) {
  return c10::make_intrusive<T>(std::forward<Args>(args)...);
}

#else

template <typename T>
using NodePointer = std::shared_ptr<T>;
template <typename T>
using WeakNodePointer = std::weak_ptr<T>;

template <typename T, typename... Args>
NodePointer<T> make_node(Args&&... args) {
  // LibTorch's own deleter frees a long graph without recursion.
  return NodePointer<T>(new T(std::forward<Args>(args)...), torch::autograd::deleteNode);
}

#endif

using AnyNodePointer = NodePointer<torch::autograd::Node>;

// A node that lets go of what it owns once nobody holds it strongly. The destructor does so up to
// 2.12; since 2.13 it waits for the last weak reference, which what the node owns may hold.
class OwningNode : public torch::autograd::Node {
#if TORCH_VERSION_MINOR >= 13
 public:
  void release_resources() final {
    release_owned();
    Node::release_resources();
  }
#endif

 protected:
  virtual void release_owned() = 0;
};

}  // namespace aiforge
