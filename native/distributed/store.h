// A key-value store that the ranks find each other through.
#pragma once

#include <napi.h>

#include <torch/csrc/distributed/c10d/Store.hpp>

#include "background.h"

namespace aiforge {

struct StoreObject {
  static constexpr napi_type_tag tag = {0x6a1f0c7be51a4d02, 0x9c47b1d0a3e84f11};
  static constexpr const char* name = "Store";

  c10::intrusive_ptr<c10d::Store> store;
  uint16_t port;
};

void define_store(napi_env env, napi_value object, Background& background);

}  // namespace aiforge
