// Data parallel training: c10d's Reducer, which averages gradients while backward still runs.
#pragma once

#include <napi.h>

#include "background.h"

namespace aiforge {

void define_reducer(napi_env env, napi_value object, Background& background);

}  // namespace aiforge
