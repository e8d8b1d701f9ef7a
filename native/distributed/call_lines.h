// The user's lines that called for collectives, which JavaScript puts into words when asked.
#pragma once

#include <napi.h>

#include <string>

#include "background.h"

namespace aiforge {

// The line of a call, or an empty text where it is not known; on the JavaScript thread.
std::string line_of(napi_env env, uint32_t call);

void define_call_lines(napi_env env, napi_value object, Background& background);

}  // namespace aiforge
