#include <napi.h>

#include "allocator/allocator.h"
#include "distributed/distributed.h"
#include "entries.h"
#include "environment.h"
#include "exit.h"
#include "guards/guards.h"
#include "keeper.h"
#include "topics.h"

namespace {

void define_everything(Napi::Env env, Napi::Object exports) {
  aiforge::install_allocator();
  aiforge::leave_quickly();
  aiforge::guard_kernels();
  aiforge::Environment::open(env);
  aiforge::define_environment(env, exports);
  aiforge::define_operators(env, exports);
  aiforge::define_operator_list(env, exports);
  aiforge::define_properties(env, exports);
  aiforge::define_autograd(env, exports);
  aiforge::define_functorch(env, exports);
  aiforge::define_forward_mode(env, exports);
  aiforge::define_elements(env, exports);
  aiforge::define_storage(env, exports);
  aiforge::define_numbers(env, exports);
  aiforge::define_indexing(env, exports);
  aiforge::define_sharing(env, exports);
  aiforge::define_random(env, exports);
  aiforge::define_device(env, exports);
  aiforge::define_accelerator(env, exports);
  aiforge::define_autocast(env, exports);
  aiforge::define_profiler(env, exports);
  aiforge::define_distributed(env, exports);
}

}  // namespace

// One for a thread: the engine could not tell to which of two a hook belongs. What loads it again
// brings the environment of finalizers.
NAPI_MODULE_INIT() {
  return aiforge::guarded(env, [&] {
    const napi_value known = aiforge::Environment::exports_of_thread();
    if (known != nullptr) {
      aiforge::become_keeper(env);
      return known;
    }
    define_everything(env, Napi::Object(env, exports));
    aiforge::Environment::of(env).exports = Napi::Persistent(Napi::Object(env, exports));
    return exports;
  });
}
