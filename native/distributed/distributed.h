// c10d: stores, process groups, collectives and the gradient reducer of data parallel training.
#pragma once

#include <napi.h>

namespace aiforge {

// Puts an object `distributed` with the functions of this folder on the exports.
void define_distributed(Napi::Env env, Napi::Object exports);

}  // namespace aiforge
