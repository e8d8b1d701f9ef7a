// A key-value store that the ranks find each other through.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "background.h"
#include "lane.h"
#include "store_counter.h"
#include "store_errors.h"

namespace aiforge {

// A client does one thing at a time; stores with a prefix use that of the store below.
struct StoreClient {
  Lane lane;
  StoreConnection connection;
  StoreCounters counters;  // on the lane alone
};

struct StoreObject {
  static constexpr napi_type_tag tag = {0x6a1f0c7be51a4d02, 0x9c47b1d0a3e84f11};
  static constexpr const char* name = "Store";

  using Store = c10::intrusive_ptr<c10d::Store>;

  // Null once it, or the one that it is a part of, was closed.
  Store store() const;

  // A key as the store below them all has it.
  std::string path(const std::string& key) const {
    return below ? below->path(prefix + "/" + key) : key;
  }

  Store own = {};
  uint16_t port = 0;  // of a TCPStore
  // Of a store with a prefix: it goes when the other is closed, whoever still has it.
  std::shared_ptr<StoreObject> below = nullptr;
  std::string prefix = "";
  std::shared_ptr<StoreClient> client = std::make_shared<StoreClient>();
};

// Throws where the store was closed.
c10::intrusive_ptr<c10d::Store> open_store(napi_env env, napi_value value);

void define_store(napi_env env, napi_value object, Background& background);
void define_store_values(napi_env env, napi_value object, Background& background);
void define_store_queues(napi_env env, napi_value object, Background& background);

}  // namespace aiforge
