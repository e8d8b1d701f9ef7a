#include "cycles.h"

#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <utility>

#include "../environment.h"

namespace aiforge {

namespace {

// So many hooks are let be without a look at them while JavaScript goes on; a collection by V8 is
// followed by a look at fewer.
constexpr size_t kUnseen = 256;

}  // namespace

void Cycles::add(napi_env env, const std::shared_ptr<JsReference>& reference,
                 std::vector<Handle> owners, const void* node) {
  if (may_have_grown(kUnseen)) Environment::of(env).collect_cycles(env);
  ties_.push_back({reference, std::move(owners), node});
  note_owners(ties_.size() - 1);
}

void Cycles::note_owners(size_t place) {
  for (const Handle owner : ties_[place].owners) places_[owner].push_back(place);
}

void Cycles::move(Handle from, Handle to) {
  const auto found = places_.find(from);
  if (found == places_.end()) return;
  std::vector<size_t> places = std::move(found->second);
  places_.erase(found);
  for (const size_t place : places) {
    auto& owners = ties_[place].owners;
    std::replace(owners.begin(), owners.end(), from, to);
  }
  auto& there = places_[to];
  there.insert(there.end(), places.begin(), places.end());
}

bool Cycles::may_have_grown(size_t least) {
  if (ties_.size() < least + 2 * left_) return false;
  forget_gone();
  return ties_.size() >= least + 2 * left_;
}

void Cycles::forget_gone() {
  const auto gone = [](const Tie& tie) { return tie.reference.expired(); };
  ties_.erase(std::remove_if(ties_.begin(), ties_.end(), gone), ties_.end());
  places_.clear();
  for (size_t place = 0; place < ties_.size(); ++place) note_owners(place);
}

void Cycles::note_what_is_left() {
  forget_gone();
  left_ = ties_.size();
}

bool Cycles::is_owned_by_objects(const Tie& tie, const Handles& handles) {
  size_t owners = 0;
  const torch::autograd::AutogradMeta* held = nullptr;
  for (const Handle owner : tie.owners) {
    if (!handles.is_live(owner)) continue;
    const at::Tensor& tensor = handles.get(owner);
    const auto* meta = torch::autograd::impl::get_autograd_meta(tensor);
    if (tensor.use_count() != 1 || meta == nullptr || meta->grad_fn_.get() != tie.node)
      return false;
    held = meta;
    ++owners;
  }
  if (held == nullptr) return false;
  return tie.node == nullptr || static_cast<size_t>(held->grad_fn_.use_count()) == owners;
}

void Cycles::loosen(const Handles& handles) {
  for (const Tie& tie : ties_) {
    auto reference = tie.reference.lock();
    if (reference && is_owned_by_objects(tie, handles) && reference->loosen()) {
      loosened_.push_back(std::move(reference));
    }
  }
}

void Cycles::fasten() {
  for (const auto& reference : std::exchange(loosened_, {})) reference->fasten();
}

}  // namespace aiforge
