#include "store.h"

#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "../calls/values.h"
#include "../objects.h"

namespace aiforge {

namespace {

using std::chrono::milliseconds;

uint16_t read_port(double value) {
  if (value != static_cast<uint16_t>(value)) {
    throw Error("INVALID_ARGUMENT",
                "a port is a whole number in 0 … 65535, got " + std::to_string(value));
  }
  return static_cast<uint16_t>(value);
}

// openTcpStore(host, port, worldSize | null, isServer, timeoutMs): Promise<Store>
napi_value open_tcp_store(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<5> args(env, info);
    c10d::TCPStoreOptions options;
    options.port = read_port(args.number(1));
    if (!args.is_missing(2)) options.numWorkers = args.uint32(2);
    options.isServer = args.boolean(3);
    options.timeout = milliseconds(args.int64(4));
    // Ranks that are threads of one process share its server, as in Python.
    options.multiTenant = true;
    return Background::of(env, info).run(
        env, "The TCPStore", [host = args.string(0), options]() -> Settle {
          auto tcp = c10::make_intrusive<c10d::TCPStore>(host, options);
          const uint16_t port = tcp->getPort();
          auto object = std::make_shared<StoreObject>(StoreObject{std::move(tcp), port});
          return [object](napi_env env) { return wrap_object(env, object); };
        });
  });
}

// Runs an operation on a store on a thread of its own.
template <typename Body>
napi_value on_store(napi_env env, napi_callback_info info, const char* what, napi_value store,
                    Body body) {
  auto object = unwrap_object<StoreObject>(env, store);
  return Background::of(env, info).run(env, what,
                                       [object, body]() -> Settle { return body(object->store); });
}

using Store = c10::intrusive_ptr<c10d::Store>;

// A client does one thing at a time. A wait gets its own, so that it never holds up the very `set`
// that would end it.
Store waiting_client(const Store& store, const std::vector<std::string>& keys) {
  return store->check(keys) ? store : store->clone();
}

napi_value store_set(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    return on_store(env, info, "store.set", args[0],
                    [key = args.string(1), value = read_bytes(env, args[2])](const Store& store) {
                      store->set(key, value);
                      return [](napi_env) -> napi_value { return nullptr; };
                    });
  });
}

napi_value store_get(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    return on_store(env, info, "store.get", args[0], [key = args.string(1)](const Store& store) {
      auto value = waiting_client(store, {key})->get(key);
      return [value](napi_env env) { return to_uint8_array(env, value.data(), value.size()); };
    });
  });
}

napi_value store_add(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    return on_store(env, info, "store.add", args[0],
                    [key = args.string(1), amount = args.int64(2)](const Store& store) {
                      const int64_t sum = store->add(key, amount);
                      return [sum](napi_env env) { return number(env, static_cast<double>(sum)); };
                    });
  });
}

std::vector<std::string> read_keys(napi_env env, napi_value value) {
  if (!Napi::Value(env, value).IsArray()) {
    throw Error("INVALID_ARGUMENT", "expected a list of keys");
  }
  const Napi::Array array(env, value);
  std::vector<std::string> keys;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value key = array[i];
    if (!key.IsString()) throw Error("INVALID_ARGUMENT", "a store's keys are strings");
    keys.push_back(key.As<Napi::String>().Utf8Value());
  }
  return keys;
}

// storeWait(store, keys, timeoutMs | null)
napi_value store_wait(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    const milliseconds timeout(args.is_missing(2) ? -1 : args.int64(2));
    return on_store(env, info, "store.wait", args[0],
                    [keys = read_keys(env, args[1]), timeout](const Store& store) {
                      const Store client = waiting_client(store, keys);
                      client->wait(keys, timeout.count() < 0 ? store->getTimeout() : timeout);
                      return [](napi_env) -> napi_value { return nullptr; };
                    });
  });
}

napi_value store_check(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    return on_store(
        env, info, "store.check", args[0], [keys = read_keys(env, args[1])](const Store& store) {
          const bool found = store->check(keys);
          return [found](napi_env env) -> napi_value { return Napi::Boolean::New(env, found); };
        });
  });
}

napi_value store_delete_key(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    return on_store(
        env, info, "store.deleteKey", args[0], [key = args.string(1)](const Store& store) {
          const bool existed = store->deleteKey(key);
          return [existed](napi_env env) -> napi_value { return Napi::Boolean::New(env, existed); };
        });
  });
}

napi_value store_port(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return number(env, unwrap_object<StoreObject>(env, args[0])->port);
  });
}

}  // namespace

void define_store(napi_env env, napi_value object, Background& background) {
  background.define<open_tcp_store>(env, object, "openTcpStore");
  background.define<store_set>(env, object, "storeSet");
  background.define<store_get>(env, object, "storeGet");
  background.define<store_add>(env, object, "storeAdd");
  background.define<store_wait>(env, object, "storeWait");
  background.define<store_check>(env, object, "storeCheck");
  background.define<store_delete_key>(env, object, "storeDeleteKey");
  background.define<store_port>(env, object, "storePort");
}

}  // namespace aiforge
