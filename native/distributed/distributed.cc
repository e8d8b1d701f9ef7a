#include "distributed.h"

#include "background.h"
#include "process_group.h"
#include "reducer.h"
#include "store.h"

namespace aiforge {

void define_distributed(Napi::Env env, Napi::Object exports) {
  Background& background = Background::open(env);
  Napi::Object object = Napi::Object::New(env);
  define_store(env, object, background);
  define_process_group(env, object, background);
  define_reducer(env, object, background);
  exports.Set("distributed", object);
}

}  // namespace aiforge
