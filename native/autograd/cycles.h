// Lets V8 collect the circles that go through the graph: a tensor's hook whose closure mentions the
// tensor, or a Function whose context keeps its output.
#pragma once

#include <napi.h>

#include <memory>
#include <unordered_map>
#include <vector>

#include "../tensors/handles.h"
#include "bridge.h"

namespace aiforge {

// The engine holds hooks strongly, since the graph may need them when JavaScript has no tensor of
// it any more. Where nothing but tensors' own objects holds the graph's part that a hook hangs on,
// those objects are what keeps it: lib/tensor/autograd/hookTies.ts makes them mention it. During a
// collection that is asked for (and so begins and ends between two steps of JavaScript), the engine
// lets go of such hooks, and takes hold again of those that were reached from elsewhere.
class Cycles {
 public:
  // `reference` hangs on the tensors of `owners`: on their node where they have one, which is
  // `node`, else on the only one, a leaf.
  void add(napi_env env, const std::shared_ptr<JsReference>& reference, std::vector<Handle> owners,
           const void* node);

  // A tensor's object has another handle now.
  void move(Handle from, Handle to);

  // Whether so many are held that a collection may be worth its time.
  bool may_have_grown(size_t least);

  void loosen(const Handles& handles);
  void fasten();
  // After the tensors that were collected were released.
  void note_what_is_left();

 private:
  struct Tie {
    std::weak_ptr<JsReference> reference;
    std::vector<Handle> owners;
    const void* node;
  };
  void forget_gone();
  void note_owners(size_t place);
  static bool is_owned_by_objects(const Tie& tie, const Handles& handles);

  std::vector<Tie> ties_;
  // Where in `ties_` each owner is: tensors leave scopes all the time, and few of them own a tie.
  std::unordered_map<Handle, std::vector<size_t>> places_;
  std::vector<std::shared_ptr<JsReference>> loosened_;
  size_t left_ = 0;  // ties after the last collection
};

}  // namespace aiforge
