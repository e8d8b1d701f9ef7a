// What a store's keys have.
#include "store_calls.h"
#include "store_reads.h"

namespace aiforge {

namespace {

using std::chrono::milliseconds;
using Bytes = std::vector<uint8_t>;

napi_value store_set(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    return quickly(env, info, "store.set", args[0],
                   [key = args.string(1), path = path_of(env, args),
                    value = read_bytes(env, args[2])](c10d::Store& store, StoreClient& client) {
                     client.counters.forget(path);
                     store.set(key, value);
                     return nothing();
                   });
  });
}

// storePeek(store, key): Promise<Uint8Array | null>, a key's value if it has one now
napi_value store_peek(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    return quickly(env, info, "store.get", args[0],
                   [key = args.string(1)](c10d::Store& store, StoreClient&) -> Settle {
                     auto value = peek(store, key);
                     if (value) return bytes_of(std::move(*value));
                     return [](napi_env env) { return Napi::Env(env).Null(); };
                   });
  });
}

StoreKeys read_keys(napi_env env, napi_value value) {
  if (!Napi::Value(env, value).IsArray()) {
    throw Error("INVALID_ARGUMENT", "expected a list of keys");
  }
  const Napi::Array array(env, value);
  StoreKeys keys;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value key = array[i];
    if (!key.IsString()) throw Error("INVALID_ARGUMENT", "a store's keys are strings");
    keys.push_back(key.As<Napi::String>().Utf8Value());
  }
  return keys;
}

// storeGet(store, key): Promise<Uint8Array>, which waits for the key
napi_value store_get(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    const StoreKeys keys{args.string(1)};
    const milliseconds timeout = timeout_of(env, args[0]);
    return waiting(env, info, "store.get", args[0], keys, timeout,
                   [keys, timeout](c10d::Store& store) {
                     return bytes_of(std::move(wait_for_values(store, keys, timeout)[0]));
                   });
  });
}

// storeMultiGet(store, keys): Promise<Uint8Array[]>, which waits for the keys
napi_value store_multi_get(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    const StoreKeys keys = read_keys(env, args[1]);
    const milliseconds timeout = timeout_of(env, args[0]);
    return waiting(env, info, "store.multiGet", args[0], keys, timeout,
                   [keys, timeout](c10d::Store& store) -> Settle {
                     return [values = wait_for_values(store, keys, timeout)](napi_env env) {
                       Napi::Array array = Napi::Array::New(env, values.size());
                       for (uint32_t i = 0; i < values.size(); ++i) {
                         const Bytes& each = values[i];
                         array[i] = Napi::Value(env, to_uint8_array(env, each.data(), each.size()));
                       }
                       return napi_value(array);
                     };
                   });
  });
}

napi_value store_add(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    return quickly(env, info, "store.add", args[0],
                   [key = args.string(1), path = path_of(env, args), amount = args.int64(2)](
                       c10d::Store& store, StoreClient& client) -> Settle {
                     const int64_t sum = client.counters.add(store, key, path, amount);
                     return [sum](napi_env env) { return number(env, static_cast<double>(sum)); };
                   });
  });
}

napi_value store_append(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    return quickly(env, info, "store.append", args[0],
                   [key = args.string(1), path = path_of(env, args),
                    value = read_bytes(env, args[2])](c10d::Store& store, StoreClient& client) {
                     client.counters.forget(path);
                     store.append(key, value);
                     return nothing();
                   });
  });
}

// storeCompareSet(store, key, expected, desired): Promise<Uint8Array>
napi_value store_compare_set(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<4> args(env, info);
    return quickly(
        env, info, "store.compareSet", args[0],
        [key = args.string(1), path = path_of(env, args), expected = read_bytes(env, args[2]),
         desired = read_bytes(env, args[3])](c10d::Store& store, StoreClient& client) {
          client.counters.forget(path);
          return bytes_of(store.compareSet(key, expected, desired));
        });
  });
}

// storeWait(store, keys, timeoutMs | null)
napi_value store_wait(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    const StoreKeys keys = read_keys(env, args[1]);
    const milliseconds timeout =
        args.is_missing(2) ? timeout_of(env, args[0]) : milliseconds(args.int64(2));
    return waiting(env, info, "store.wait", args[0], keys, timeout,
                   [keys, timeout](c10d::Store& store) {
                     wait_for(store, keys, timeout);
                     return nothing();
                   });
  });
}

Settle answer(bool value) {
  return [value](napi_env env) -> napi_value { return Napi::Boolean::New(env, value); };
}

napi_value store_check(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    return quickly(env, info, "store.check", args[0],
                   [keys = read_keys(env, args[1])](c10d::Store& store, StoreClient&) {
                     return answer(store.check(keys));
                   });
  });
}

napi_value store_delete_key(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    return quickly(
        env, info, "store.deleteKey", args[0],
        [key = args.string(1), path = path_of(env, args)](c10d::Store& store, StoreClient& client) {
          client.counters.forget(path);
          return answer(store.deleteKey(key));
        });
  });
}

napi_value store_num_keys(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return quickly(
        env, info, "store.numKeys", args[0], [](c10d::Store& store, StoreClient&) -> Settle {
          const int64_t count = store.getNumKeys();
          return [count](napi_env env) { return number(env, static_cast<double>(count)); };
        });
  });
}

napi_value store_list_keys(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return quickly(env, info, "store.listKeys", args[0],
                   [](c10d::Store& store, StoreClient&) -> Settle {
                     return [keys = store.listKeys()](napi_env env) {
                       Napi::Array array = Napi::Array::New(env, keys.size());
                       for (uint32_t i = 0; i < keys.size(); ++i) array[i] = keys[i];
                       return napi_value(array);
                     };
                   });
  });
}

}  // namespace

void define_store_values(napi_env env, napi_value object, Background& background) {
  background.define<store_set>(env, object, "storeSet");
  background.define<store_peek>(env, object, "storePeek");
  background.define<store_get>(env, object, "storeGet");
  background.define<store_multi_get>(env, object, "storeMultiGet");
  background.define<store_add>(env, object, "storeAdd");
  background.define<store_append>(env, object, "storeAppend");
  background.define<store_compare_set>(env, object, "storeCompareSet");
  background.define<store_wait>(env, object, "storeWait");
  background.define<store_check>(env, object, "storeCheck");
  background.define<store_delete_key>(env, object, "storeDeleteKey");
  background.define<store_num_keys>(env, object, "storeNumKeys");
  background.define<store_list_keys>(env, object, "storeListKeys");
}

}  // namespace aiforge
