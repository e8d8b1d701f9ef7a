#include "sharing.h"

#include <ATen/core/Tensor.h>

#include <mutex>
#include <random>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "../calls/values.h"
#include "../environment.h"
#include "../errors.h"
#include "../topics.h"

namespace aiforge {

namespace {

struct Shared {
  at::Tensor tensor;
  bool requires_grad = false;
  bool once = false;
  const Environment* owner = nullptr;
};

// Environments are threads that know nothing of each other: only something of the whole process can
// be the place where they meet. It is never destroyed, since a thread may end after main() has.
class Registry {
 public:
  static Registry& instance() {
    static auto* registry = new Registry();
    return *registry;
  }

  std::string add(Shared shared) {
    const std::string id = new_id();
    const std::lock_guard<std::mutex> lock(mutex_);
    shared_.emplace(id, std::move(shared));
    return id;
  }

  // A tensor object of the receiver's own, over the same memory and version counter.
  at::Tensor receive(const std::string& id) {
    at::Tensor dropped;  // after the lock
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = shared_.find(id);
    if (found == shared_.end()) {
      throw Error("SHARED_TENSOR_INVALID",
                  "no tensor waits under this token: it was received already (a transferred tensor "
                  "can be received once), it was released, or the thread that shared it has ended");
    }
    Shared& shared = found->second;
    at::Tensor tensor = own_copy(shared.tensor);
    if (shared.requires_grad) tensor.set_requires_grad(true);
    if (shared.once) {
      dropped = std::move(shared.tensor);
      shared_.erase(found);
    }
    return tensor;
  }

  bool release(const std::string& id) {
    at::Tensor dropped;
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = shared_.find(id);
    if (found == shared_.end()) return false;
    dropped = std::move(found->second.tensor);
    shared_.erase(found);
    return true;
  }

  void end(const Environment* owner) {
    std::vector<at::Tensor> dropped;
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto entry = shared_.begin(); entry != shared_.end();) {
      Shared& shared = entry->second;
      const bool ends = shared.owner == owner && !shared.once;
      if (shared.owner == owner) shared.owner = nullptr;
      if (ends) dropped.push_back(std::move(shared.tensor));
      entry = ends ? shared_.erase(entry) : std::next(entry);
    }
  }

  std::pair<size_t, size_t> held() {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::unordered_set<const c10::StorageImpl*> counted;
    size_t bytes = 0;
    for (const auto& [id, shared] : shared_) {
      const c10::StorageImpl* storage = shared.tensor.storage().unsafeGetStorageImpl();
      if (counted.insert(storage).second) bytes += storage->nbytes();
    }
    return {shared_.size(), bytes};
  }

  // Two environments must not work on one TensorImpl, whose sizes and gradient are not guarded.
  static at::Tensor own_copy(const at::Tensor& tensor) {
    c10::TensorImpl* impl = tensor.unsafeGetTensorImpl();
    return at::Tensor(impl->is_inference()
                          ? impl->shallow_copy_and_detach(c10::VariableVersion(), true)
                          : impl->shallow_copy_and_detach(impl->version_counter(), true));
  }

 private:
  // 128 random bits: no one guesses another's token.
  static std::string new_id() {
    static const char* digits = "0123456789abcdef";
    std::random_device random;
    std::string id;
    for (int word = 0; word < 4; ++word) {
      uint32_t bits = random();
      for (int digit = 0; digit < 8; ++digit, bits >>= 4) id += digits[bits & 15];
    }
    return id;
  }

  std::mutex mutex_;
  std::unordered_map<std::string, Shared> shared_;
};

void check_shareable(const at::Tensor& tensor) {
  if (tensor.layout() != c10::kStrided || !tensor.has_storage()) {
    throw Error("INVALID_ARGUMENT", "only dense tensors cross threads, got " +
                                        describe_tensor(tensor) +
                                        "; send its values and indices on their own");
  }
  if (!tensor.is_leaf() && tensor.requires_grad()) {
    throw Error("INVALID_ARGUMENT",
                "the graph of autograd does not cross threads, and " + describe_tensor(tensor) +
                    " is not a leaf: send detach() of it, or compute its gradient here");
  }
  if (tensor._is_zerotensor()) {
    throw Error("INVALID_ARGUMENT", "this tensor stands for zeros and has no memory: send clone()");
  }
  const c10::Storage& storage = tensor.storage();
  if (storage.nbytes() == 0) return;
  storage.mutable_data();  // a lazy copy becomes one
  const c10::DataPtr& data = storage.data_ptr();
  const c10::Allocator* allocator = c10::GetAllocator(tensor.device().type());
  if (data.get_deleter() != allocator->raw_deleter()) {
    throw Error("INVALID_ARGUMENT",
                "this tensor stands on memory of JavaScript's, which ends with its thread: send "
                "clone() of it, or post the SharedArrayBuffer itself");
  }
}

// share(tensor, once): the token's id. `once` moves the tensor: its handle is released.
napi_value share(napi_env env, napi_callback_info info) {
  return guarded(env, Call{info, "share", {"tensor"}}, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    Environment& environment = Environment::of(env);
    const bool once = args.boolean(1);
    const at::Tensor tensor = environment.handles.get(args.handle(0));
    check_shareable(tensor);
    // Memory that two threads use must not be moved by a resize_(). Of a tensor that leaves for
    // good, there are this function's and the slot's reference.
    const bool is_alone = once && tensor.storage().use_count() == 1 && tensor.use_count() == 2;
    if (!is_alone) tensor.storage().unsafeGetStorageImpl()->set_resizable(false);
    const std::string id = Registry::instance().add(
        {Registry::own_copy(tensor), tensor.requires_grad(), once, &environment});
    if (once) {
      environment.handles.release(args.handle(0));
      environment.report_memory(env);
    }
    return Napi::String::New(env, id);
  });
}

// receive(id): a handle of this environment
napi_value receive(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return from_tensor(Environment::of(env), env, Registry::instance().receive(args.string(0)));
  });
}

// releaseShared(id): whether a tensor waited there
napi_value release_shared(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return Napi::Boolean::New(env, Registry::instance().release(args.string(0)));
  });
}

// unreceived(): { tensors, bytes }
napi_value unreceived(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const auto [tensors, bytes] = Registry::instance().held();
    Napi::Object held = Napi::Object::New(env);
    held.Set("tensors", static_cast<double>(tensors));
    held.Set("bytes", static_cast<double>(bytes));
    return held;
  });
}

}  // namespace

void end_sharing(const Environment* environment) { Registry::instance().end(environment); }

void define_sharing(Napi::Env env, Napi::Object exports) {
  define<share>(env, exports, "share");
  define<receive>(env, exports, "receive");
  define<release_shared>(env, exports, "releaseShared");
  define<unreceived>(env, exports, "unreceived");
}

}  // namespace aiforge
