#include "reducer_model.h"

#include <functional>
#include <sstream>
#include <unordered_set>

#include "../calls/values.h"
#include "../environment.h"
#include "deadlines.h"
#include "reducer_steps.h"

namespace aiforge {

Model read_model(napi_env env, napi_value parameters, napi_value names, napi_value sparse,
                 napi_value buffers) {
  Environment& environment = Environment::of(env);
  if (!Napi::Value(env, names).IsArray()) {
    throw Error("INVALID_ARGUMENT", "expected a list of parameter names");
  }
  const Napi::Array name_list(env, names);
  std::vector<at::Tensor> all = to_tensors(environment, env, parameters);
  std::unordered_set<c10::TensorImpl*> sparse_ones;
  for (const at::Tensor& each : to_tensors(environment, env, sparse)) {
    sparse_ones.insert(each.unsafeGetTensorImpl());
  }
  Model model;
  std::unordered_set<c10::TensorImpl*> seen;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!all[i].requires_grad() || !seen.insert(all[i].unsafeGetTensorImpl()).second) continue;
    const Napi::Value name = name_list[static_cast<uint32_t>(i)];
    model.names[model.parameters.size()] = name.ToString().Utf8Value();
    model.parameters.push_back(all[i]);
    model.sparse.push_back(sparse_ones.count(all[i].unsafeGetTensorImpl()) > 0);
  }
  for (at::Tensor& buffer : to_tensors(environment, env, buffers)) all.push_back(buffer);
  model.state = untracked(all);
  return model;
}

void check_model(c10d::ProcessGroup& group, const Model& model) {
  if (model.parameters.empty()) {
    throw Error("INVALID_ARGUMENT",
                "DistributedDataParallel needs a module with at least one parameter that requires "
                "a gradient; call the module itself when there is nothing to train");
  }
  const auto device = model.parameters[0].device();
  for (size_t i = 0; i < model.parameters.size(); ++i) {
    const at::Tensor& parameter = model.parameters[i];
    check_device(group, parameter);
    if (model.sparse[i] && is_nccl(group, parameter.device().type())) {
      throw Error("INVALID_ARGUMENT",
                  "the gradient of '" + model.names.at(i) +
                      "' is sparse, which NCCL does not average: make the embedding with "
                      "sparse: false, or the process group with backend 'gloo'");
    }
    if (parameter.device() != device) {
      throw Error("INVALID_ARGUMENT",
                  "DistributedDataParallel needs all parameters on one device: "
                  "'" +
                      model.names.at(0) + "' is on " + device.str() + ", '" + model.names.at(i) +
                      "' on " + parameter.device().str());
    }
  }
}

namespace {

// One line a parameter: its name, dtype and shape.
std::string described(const Model& model) {
  std::string text;
  for (size_t i = 0; i < model.parameters.size(); ++i) {
    text += "'" + model.names.at(i) + "' of " + describe_tensor(model.parameters[i]) + "\n";
  }
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// The first parameter that another rank has otherwise than rank 0.
std::string difference(int rank, const std::string& other, const std::string& first) {
  const auto others = lines_of(other);
  const auto firsts = lines_of(first);
  const std::string name = "rank " + std::to_string(rank);
  for (size_t i = 0; i < std::min(others.size(), firsts.size()); ++i) {
    if (others[i] != firsts[i])
      return name + " has " + others[i] + " where rank 0 has " + firsts[i];
  }
  const bool has_more = others.size() > firsts.size();
  return (has_more ? name : "rank 0") + " has " +
         (has_more ? others[firsts.size()] : firsts[others.size()]) + ", which " +
         (has_more ? "rank 0" : name) + " has not";
}

// What the ranks have, told by the group's store. Ranks of Python put nothing there.
class Descriptions {
 public:
  Descriptions(c10d::ProcessGroup& group, std::string own)
      : rank_(group.getRank()),
        size_(group.getSize()),
        store_(group.getStore()),
        own_(std::move(own)) {}

  void say() {
    try {
      tell();
    } catch (const std::exception&) {
      turn_ = 0;
    }
  }

  std::chrono::milliseconds timeout() const { return store_->getTimeout(); }

  // How ranks differ from rank 0; empty when none does, or where the store is gone: its process may
  // end before a group does that it is not in.
  std::string differences() const {
    try {
      return turn_ == 0 ? "" : compare();
    } catch (const std::exception&) {
      return "";
    }
  }

 private:
  void tell() {
    // A rank that comes here the third time knows that all have read what it left the first time.
    turn_ = store_->add(key("turn", rank_, 0), 1);
    if (turn_ > 2) store_->deleteKey(key("parameters", rank_, turn_ - 2));
    const std::string mine = key("parameters", rank_, turn_);
    store_->set(mine, std::vector<uint8_t>(own_.begin(), own_.end()));
    store_->check({mine});  // It answers once the value is there.
  }

  std::string compare() const {
    const std::optional<std::string> first = of_rank(0);
    std::string text;
    if (!first) return text;
    for (int rank = 1; rank < size_; ++rank) {
      const std::optional<std::string> other = of_rank(rank);
      if (other && *other != *first) {
        text += (text.empty() ? "" : "; ") + difference(rank, *other, *first);
      }
    }
    return text;
  }

  static std::string key(const char* what, int rank, int64_t turn) {
    return std::string("aiforge/ddp/") + what + "/" + std::to_string(rank) + "/" +
           std::to_string(turn);
  }

  std::optional<std::string> of_rank(int rank) const {
    if (rank == rank_) return own_;
    const std::string theirs = key("parameters", rank, turn_);
    if (!store_->check({theirs})) return std::nullopt;
    const auto bytes = store_->get(theirs);
    return std::string(bytes.begin(), bytes.end());
  }

  const int rank_;
  const int size_;
  const c10::intrusive_ptr<c10d::Store> store_;
  const std::string own_;
  int64_t turn_ = 0;
};

}  // namespace

void require_same_parameters(const Group& group, const Model& model) {
  constexpr const char* kWhat = "DistributedDataParallel";
  const auto descriptions = std::make_shared<Descriptions>(*group, described(model));
  within(descriptions->timeout(), kWhat, [descriptions] { descriptions->say(); });
  std::exception_ptr refusal;
  try {
    c10d::verify_params_across_processes(group, model.parameters, std::nullopt);
  } catch (const c10::Error&) {
    refusal = std::current_exception();
  }
  // Held by the thread, which may still wait when this has given it up.
  const auto found = std::make_shared<std::string>();
  within(descriptions->timeout(), kWhat,
         [descriptions, found] { *found = descriptions->differences(); });
  const std::string& differences = *found;
  if (!differences.empty()) {
    throw Error("DISTRIBUTED_FAILED",
                "DistributedDataParallel needs the same module on all ranks, with parameters of "
                "the same names, shapes and dtypes in one order: " +
                    differences + ".");
  }
  if (refusal) std::rethrow_exception(refusal);
}

}  // namespace aiforge
