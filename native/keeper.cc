#include "keeper.h"

#include "entries.h"

namespace aiforge {

namespace {

thread_local napi_env keeper_of_thread = nullptr;

void forget(void*) { keeper_of_thread = nullptr; }

}  // namespace

void become_keeper(napi_env env) {
  if (has_keeper()) return;
  when_ended<forget>(env, nullptr);
  keeper_of_thread = env;
}

bool has_keeper() { return keeper_of_thread != nullptr; }

napi_env keeper(napi_env env) { return has_keeper() ? keeper_of_thread : env; }

}  // namespace aiforge
