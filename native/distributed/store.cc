#include "store.h"

#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "../calls/values.h"
#include "../objects.h"
#include "store_calls.h"

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

using Store = c10::intrusive_ptr<c10d::Store>;

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
  background.define<store_port>(env, object, "storePort");
  define_store_values(env, object, background);
  define_store_queues(env, object, background);
}

}  // namespace aiforge
