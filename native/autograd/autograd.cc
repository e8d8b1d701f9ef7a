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
  define_saved_tensors(env, exports);
  define_anomaly(env, exports);
}

}  // namespace aiforge
