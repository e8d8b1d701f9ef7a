// A key-value store that the ranks find each other through.
#pragma once

#include <napi.h>

#include <memory>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "background.h"
#include "lane.h"

namespace aiforge {

struct StoreObject {
  static constexpr napi_type_tag tag = {0x6a1f0c7be51a4d02, 0x9c47b1d0a3e84f11};
  static constexpr const char* name = "Store";

  c10::intrusive_ptr<c10d::Store> store;  // null once closed
  uint16_t port = 0;                      // of a TCPStore
  // A client does one thing at a time; stores with a prefix use that of the store below.
  std::shared_ptr<Lane> lane = std::make_shared<Lane>();
};

// Throws where the store was closed.
c10::intrusive_ptr<c10d::Store> open_store(napi_env env, napi_value value);

void define_store(napi_env env, napi_value object, Background& background);

}  // namespace aiforge
