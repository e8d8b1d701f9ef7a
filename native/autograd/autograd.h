// The topics of autograd, each with its functions on the addon's exports.
#pragma once

#include <napi.h>

namespace aiforge {

void define_gradients(Napi::Env env, Napi::Object exports);      // backward, grad, .grad
void define_hooks(Napi::Env env, Napi::Object exports);          // hooks of tensors
void define_functions(Napi::Env env, Napi::Object exports);      // Functions written in JavaScript
void define_runs(Napi::Env env, Napi::Object exports);           // how the engine calls JavaScript
void define_saved_tensors(Napi::Env env, Napi::Object exports);  // hooks of saved tensors
void define_anomaly(Napi::Env env, Napi::Object exports);        // stacks of the forward pass

// Anomaly mode ends for an environment that closes.
class Environment;
void forget_anomaly(const Environment& environment);

}  // namespace aiforge
