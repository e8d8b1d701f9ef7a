// What LibTorch offers only through headers that need those of CUDA: nothing outside this folder
// includes them, and only the CUDA flavour compiles it.
#pragma once

#include <napi.h>

namespace aiforge {

void define_device_properties(Napi::Env env, Napi::Object object);
void define_allocator(Napi::Env env, Napi::Object object);
void define_graphs(Napi::Env env, Napi::Object object);

}  // namespace aiforge
