#include "autograd.h"

#include "../topics.h"
#include "engine.h"

namespace aiforge {

void define_autograd(Napi::Env env, Napi::Object exports) {
  install_engine();
  define_gradients(env, exports);
  define_hooks(env, exports);
  define_functions(env, exports);
  define_runs(env, exports);
}

}  // namespace aiforge
