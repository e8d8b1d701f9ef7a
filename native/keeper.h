// Where finalizers belong. Node takes an exception that waits in an environment for a finalizer's
// own, and ends the process: a garbage collection may come while Node hands a thrown error to
// JavaScript. So finalizers are in a second environment of the thread, which makes no calls.
#pragma once

#include <node_api.h>

namespace aiforge {

// Makes an environment that of the thread's finalizers, unless there is one.
void become_keeper(napi_env env);
bool has_keeper();

// The environment to give a finalizer to, for a caller in `env`.
napi_env keeper(napi_env env);

}  // namespace aiforge
