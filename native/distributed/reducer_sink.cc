#include "reducer_sink.h"

#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>

#include <string>
#include <utility>

#include "../versions/nodes.h"

namespace aiforge {

namespace {

using torch::autograd::variable_list;

class SinkNode : public torch::autograd::Node {
 public:
  explicit SinkNode(std::weak_ptr<ReducerObject> object) : object_(std::move(object)) {}

  // What has no gradient stays so: zeros would be one, and the Reducer would average it.
  variable_list apply(variable_list&& gradients) override {
    const auto object = object_.lock();
    if (object && object->is_static_graph && !object->is_first_pass_begun.exchange(true)) {
      torch::autograd::Engine::get_default_engine().queue_callback(
          [object] { object->reducer->delay_all_reduce(); });
    }
    return std::move(gradients);
  }

  std::string name() const override { return "DDPSinkBackward"; }

 private:
  const std::weak_ptr<ReducerObject> object_;
};

}  // namespace

std::vector<at::Tensor> through_sink(const std::shared_ptr<ReducerObject>& object,
                                     const std::vector<at::Tensor>& tensors) {
  const auto node = make_node<SinkNode>(object);
  node->set_next_edges(torch::autograd::collect_next_edges(tensors));
  std::vector<at::Tensor> copies;
  for (const at::Tensor& tensor : tensors) {
    at::Tensor copy = [&] {
      const at::NoGradGuard no_grad;
      return tensor.clone();
    }();
    torch::autograd::set_history(copy, node);
    copies.push_back(std::move(copy));
  }
  return copies;
}

}  // namespace aiforge
