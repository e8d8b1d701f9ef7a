// Queues of values under a store's keys.
#include "store_calls.h"
#include "store_reads.h"

namespace aiforge {

namespace {

using std::chrono::milliseconds;

napi_value store_queue_push(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    return quickly(
        env, info, "store.queuePush", args[0],
        [key = args.string(1), value = read_bytes(env, args[2])](c10d::Store& store, StoreClient&) {
          store.queuePush(key, value);
          return nothing();
        });
  });
}

// storeQueueTake(store, key): Promise<Uint8Array | null>, null where the queue is empty
napi_value store_queue_take(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    return quickly(env, info, "store.queuePop", args[0],
                   [key = args.string(1)](c10d::Store& store, StoreClient&) -> Settle {
                     auto value = take(store, key);
                     if (value) return bytes_of(std::move(*value));
                     return [](napi_env env) { return Napi::Env(env).Null(); };
                   });
  });
}

// storeQueuePop(store, key, timeoutMs | null): Promise<Uint8Array>, which waits for a value
napi_value store_queue_pop(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    const std::string key = args.string(1);
    const milliseconds timeout =
        args.is_missing(2) ? timeout_of(env, args[0]) : milliseconds(args.int64(2));
    return waiting(
        env, info, "store.queuePop", args[0], {key}, timeout,
        [key, timeout](c10d::Store& store) { return bytes_of(wait_to_take(store, key, timeout)); });
  });
}

napi_value store_queue_length(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    return quickly(env, info, "store.queueLen", args[0],
                   [key = args.string(1)](c10d::Store& store, StoreClient&) -> Settle {
                     const int64_t length = store.queueLen(key);
                     return [length](napi_env env) {
                       return number(env, static_cast<double>(length));
                     };
                   });
  });
}

}  // namespace

void define_store_queues(napi_env env, napi_value object, Background& background) {
  background.define<store_queue_push>(env, object, "storeQueuePush");
  background.define<store_queue_take>(env, object, "storeQueueTake");
  background.define<store_queue_pop>(env, object, "storeQueuePop");
  background.define<store_queue_length>(env, object, "storeQueueLength");
}

}  // namespace aiforge
