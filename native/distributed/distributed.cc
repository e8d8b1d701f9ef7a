#include "distributed.h"

#include <c10/util/Flags.h>

#include <cstdlib>

#include "background.h"
#include "call_lines.h"
#include "collectives.h"
#include "numeric_names.h"
#include "objects.h"
#include "process_group.h"
#include "reducer.h"
#include "store.h"

C10_DECLARE_int(caffe2_log_level);

namespace aiforge {

namespace {

// c10d logs with a C++ backtrace what it then throws; the error alone is enough.
void quieten_log() {
  constexpr int kFatal = 3;
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) FLAGS_caffe2_log_level = kFatal;
}

}  // namespace

void define_distributed(Napi::Env env, Napi::Object exports) {
  quieten_log();
  describe_addresses_by_numbers();
  Background& background = Background::open(env);
  Napi::Object object = Napi::Object::New(env);
  define_store(env, object, background);
  define_process_group(env, object, background);
  define_collectives(env, object, background);
  define_reducer(env, object, background);
  define_call_lines(env, object, background);
  define_objects(env, object, background);
  exports.Set("distributed", object);
}

}  // namespace aiforge
