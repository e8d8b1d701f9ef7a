// The addon's table of contents: each topic puts its functions on the exports.
#pragma once

#include <napi.h>

namespace aiforge {

void define_environment(Napi::Env env, Napi::Object exports);    // handles, scopes, memory
void define_operators(Napi::Env env, Napi::Object exports);      // every aten:: operator
void define_operator_list(Napi::Env env, Napi::Object exports);  // their schemas and guards
void define_properties(Napi::Env env, Napi::Object exports);     // shape, dtype, device, …
void define_autograd(Napi::Env env, Napi::Object exports);       // backward, grad, .grad
void define_functorch(Napi::Env env, Napi::Object exports);      // vmap, grad, jvp: transforms
void define_forward_mode(Napi::Env env, Napi::Object exports);   // the level of dual tensors
void define_elements(Napi::Env env, Napi::Object exports);       // what gradcheck changes
void define_storage(Napi::Env env, Napi::Object exports);        // typed arrays in and out
void define_numbers(Napi::Env env, Napi::Object exports);        // nested arrays in and out
void define_random(Napi::Env env, Napi::Object exports);         // seeds, generators
void define_device(Napi::Env env, Napi::Object exports);         // threads, versions
void define_accelerator(Napi::Env env, Napi::Object exports);    // CUDA devices, streams, memory
void define_autocast(Napi::Env env, Napi::Object exports);       // mixed precision
void define_indexing(Napi::Env env, Napi::Object exports);       // x[…] and x[…] = value
void define_profiler(Napi::Env env, Napi::Object exports);       // what operators take
void define_sharing(Napi::Env env, Napi::Object exports);        // tensors between threads

}  // namespace aiforge
