// Collectives of bytes of any length, by which JavaScript sends its objects.
#pragma once

#include <napi.h>

#include "background.h"

namespace aiforge {

void define_objects(napi_env env, napi_value object, Background& background);

}  // namespace aiforge
