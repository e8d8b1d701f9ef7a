// What the ranks of a process group do together.
#pragma once

#include <napi.h>

#include "background.h"

namespace aiforge {

void define_collectives(napi_env env, napi_value object, Background& background);

}  // namespace aiforge
