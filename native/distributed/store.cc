#include "store.h"

#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "../calls/values.h"
#include "../objects.h"
#include "deadlines.h"
#include "outcome.h"
#include "store_reads.h"

namespace aiforge {

StoreObject::Store StoreObject::store() const {
  if (!below) return own;
  const Store whole = below->store();
  if (!whole) return whole;
  return c10::make_intrusive<c10d::PrefixStore>(prefix, whole);
}

c10::intrusive_ptr<c10d::Store> open_store(napi_env env, napi_value value) {
  auto store = unwrap_object<StoreObject>(env, value)->store();
  if (store) return store;
  throw Error("DISTRIBUTED_FAILED", "This store was closed; create another.");
}

namespace {

using std::chrono::milliseconds;

// c10d's own timeouts come first, which can say more.
constexpr milliseconds kGrace{500};
using Store = c10::intrusive_ptr<c10d::Store>;
using Bytes = std::vector<uint8_t>;

uint16_t read_port(double value) {
  if (value != static_cast<uint16_t>(value)) {
    throw Error("INVALID_ARGUMENT",
                "a port is a whole number in 0 … 65535, got " + std::to_string(value));
  }
  return static_cast<uint16_t>(value);
}

Settle wrapping(std::shared_ptr<StoreObject> object) {
  return [object = std::move(object)](napi_env env) { return wrap_object(env, object); };
}

std::string late_server(const std::string& host, uint16_t port, milliseconds timeout) {
  return "The TCPStore failed: timed out after " + std::to_string(timeout.count()) +
         " ms: no store has answered at " + host + ":" + std::to_string(port) +
         ". Its process, that of rank 0 unless a launcher serves it, was not started, is stopped, "
         "or listens elsewhere. Check that every rank was started and is still running, and that "
         "MASTER_ADDR, MASTER_PORT and WORLD_SIZE are the same for all of them; a slow start needs "
         "a larger timeoutMs.";
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
    const auto open = [host = args.string(0), options]() -> Settle {
      auto tcp = c10::make_intrusive<c10d::TCPStore>(host, options);
      const uint16_t port = tcp->getPort();
      return wrapping(std::make_shared<StoreObject>(StoreObject{std::move(tcp), port}));
    };
    constexpr const char* kWhat = "The TCPStore";
    // A server ends its wait for the others itself, and says how many have come.
    if (options.isServer) return Background::of(env, info).run(env, kWhat, open);
    return beside(env, info, kWhat, options.timeout + kGrace,
                  late_server(args.string(0), options.port, options.timeout), open);
  });
}

// openFileStore(path, worldSize, timeoutMs): Promise<Store>
napi_value open_file_store(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> args(env, info);
    return Background::of(env, info).run(
        env, "The FileStore",
        [path = args.string(0), world_size = static_cast<int>(args.int64(1)),
         timeout = milliseconds(args.int64(2))]() -> Settle {
          auto file = c10::make_intrusive<c10d::FileStore>(path, world_size);
          file->setTimeout(timeout);
          return wrapping(std::make_shared<StoreObject>(StoreObject{std::move(file)}));
        });
  });
}

// openHashStore(timeoutMs): Store
napi_value open_hash_store(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    auto hash = c10::make_intrusive<c10d::HashStore>();
    hash->setTimeout(milliseconds(args.int64(0)));
    return wrap_object(env, std::make_shared<StoreObject>(StoreObject{std::move(hash)}));
  });
}

// openPrefixStore(prefix, store): Store
napi_value open_prefix_store(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    auto below = unwrap_object<StoreObject>(env, args[1]);
    const auto client = below->client;
    return wrap_object(env, std::make_shared<StoreObject>(StoreObject{
                                {}, below->port, std::move(below), args.string(0), client}));
  });
}

// closeStore(store): its server, if this process has it and no group uses it, and its connection
napi_value close_store(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    // On a thread of its own: a server's end waits for the thread that serves it.
    const auto object = unwrap_object<StoreObject>(env, args[0]);
    object->below = nullptr;
    auto last = std::make_shared<Store>(std::move(object->own));
    return Background::of(env, info).run(env, "store.close", [last]() -> Settle {
      last->reset();
      return [](napi_env) -> napi_value { return nullptr; };
    });
  });
}

// Does what is soon done on the thread of the store's own: `body(store, client)`.
template <typename Body>
napi_value quickly(napi_env env, napi_callback_info info, const char* what, napi_value store,
                   Body body) {
  auto live = open_store(env, store);
  const milliseconds limit = live->getTimeout();
  auto outcome = std::make_shared<Outcome>();
  const auto client = unwrap_object<StoreObject>(env, store)->client;
  client->lane.post([store = std::move(live), what, body, outcome, client]() mutable {
    Settle settle;
    try {
      client->connection.require_open(what);
      settle = body(*store, *client);
    } catch (...) {
      settle = client->connection.failure(what);
    }
    store.reset();
    outcome->know(std::move(settle));
  });
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
                   const StoreKeys& keys, milliseconds timeout, Body body) {
  // A FileStore waits for whole seconds.
  const auto limit = std::chrono::ceil<std::chrono::seconds>(timeout);
  return beside(
      env, info, what, limit + kGrace, late_store(what, timeout),
      [store = open_store(env, object), client = unwrap_object<StoreObject>(env, object)->client,
       what, keys, timeout, body]() -> Settle {
        try {
          client->connection.require_open(what);
          const Store other = store->clone();
          other->setTimeout(store->getTimeout());  // which the clone of a FileStore does not have
          return naming_missing(what, *other, keys, timeout, [&] { return body(*other); });
        } catch (...) {
          return client->connection.failure(what);
        }
      });
}

Settle nothing() {
  return [](napi_env) -> napi_value { return nullptr; };
}

std::string path_of(napi_env env, const ArgumentReader& args) {
  return unwrap_object<StoreObject>(env, args[0])->path(args.string(1));
}

milliseconds timeout_of(napi_env env, napi_value store) {
  return open_store(env, store)->getTimeout();
}

Settle bytes_of(Bytes bytes) {
  return [bytes = std::move(bytes)](napi_env env) {
    return to_uint8_array(env, bytes.data(), bytes.size());
  };
}

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

napi_value store_port(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return number(env, unwrap_object<StoreObject>(env, args[0])->port);
  });
}

}  // namespace

void define_store(napi_env env, napi_value object, Background& background) {
  background.define<open_tcp_store>(env, object, "openTcpStore");
  background.define<open_file_store>(env, object, "openFileStore");
  background.define<open_hash_store>(env, object, "openHashStore");
  background.define<open_prefix_store>(env, object, "openPrefixStore");
  background.define<close_store>(env, object, "closeStore");
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
  background.define<store_port>(env, object, "storePort");
}

}  // namespace aiforge
