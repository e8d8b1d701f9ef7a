#include "cuda.h"

#include "../accelerator/accelerator.h"

namespace aiforge {

void define_cuda(Napi::Env env, Napi::Object object) {
  define_device_properties(env, object);
  define_allocator(env, object);
  define_graphs(env, object);
}

}  // namespace aiforge
