// How a store's calls are made.
#pragma once

#include <napi.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../calls/values.h"
#include "../objects.h"
#include "deadlines.h"
#include "outcome.h"
#include "store.h"

namespace aiforge {

// c10d's own timeouts come first, which can say more.
constexpr std::chrono::milliseconds kGrace{500};

// Does what is soon done on the thread of the store's own: `body(store, client)`.
template <typename Body>
napi_value quickly(napi_env env, napi_callback_info info, const char* what, napi_value store,
                   Body body) {
  auto live = open_store(env, store);
  const std::chrono::milliseconds limit = live->getTimeout();
  auto outcome = std::make_shared<Outcome>();
  const auto client = unwrap_object<StoreObject>(env, store)->client;
  auto task = [store = std::move(live), what, body, outcome, client]() mutable {
    Settle settle;
    try {
      client->connection.require_open(what);
      settle = body(*store, *client);
    } catch (...) {
      settle = client->connection.failure(what);
    }
    store.reset();
    outcome->know(std::move(settle));
  };
  try {
    client->lane.post(std::move(task));
  } catch (...) {
    rethrow_as_distributed(what);  // there is no thread to be had
  }
  if (is_soon([&] { return outcome->state == Outcome::kKnown; })) {
    return Background::settled(env, outcome->settle);
  }
  return Background::of(env, info).promise(env, [&](Background::Done done) {
    await(outcome, std::move(done), limit, late_store(what, limit));
  });
}

// Does what waits for others to set keys on a thread and with a client of its own, so that it never
// holds up the very `set` that would end it.
template <typename Body>
napi_value waiting(napi_env env, napi_callback_info info, const char* what, napi_value object,
                   const StoreKeys& keys, std::chrono::milliseconds timeout, Body body) {
  return beside(
      env, info, what, timeout + kGrace, late_store(what, timeout),
      [store = open_store(env, object), client = unwrap_object<StoreObject>(env, object)->client,
       what, keys, timeout, body]() -> Settle {
        try {
          client->connection.require_open(what);
          const auto other = store->clone();
          other->setTimeout(store->getTimeout());  // which the clone of a FileStore does not have
          return naming_missing(what, *other, keys, timeout, [&] { return body(*other); });
        } catch (...) {
          return client->connection.failure(what);
        }
      });
}

inline Settle nothing() {
  return [](napi_env) -> napi_value { return nullptr; };
}

inline std::string path_of(napi_env env, const ArgumentReader& args) {
  return unwrap_object<StoreObject>(env, args[0])->path(args.string(1));
}

inline std::chrono::milliseconds timeout_of(napi_env env, napi_value store) {
  return open_store(env, store)->getTimeout();
}

inline Settle bytes_of(std::vector<uint8_t> bytes) {
  return [bytes = std::move(bytes)](napi_env env) {
    return to_uint8_array(env, bytes.data(), bytes.size());
  };
}

}  // namespace aiforge
