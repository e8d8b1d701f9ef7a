// Every function of the addon that Node calls is registered here: no C++ exception leaves one. Node
// could not catch it, and the process would end; it comes where an environment ends, in which each
// call of Node-API fails.
#pragma once

#include <napi.h>

#include <memory>

#include "errors.h"
#include "keeper.h"

namespace aiforge {

// Has it since 20.10, which node-api-headers do not say.
extern "C" napi_status NAPI_CDECL node_api_post_finalizer(node_api_basic_env env,
                                                          napi_finalize callback, void* data,
                                                          void* hint);

namespace entries {

template <napi_callback Body>
napi_value callback(napi_env env, napi_callback_info info) noexcept {
  return guarded(env, [&] { return Body(env, info); });
}

// Nobody waits for these, so there is nobody to tell.
template <auto Body, typename... Values>
void unheard(Values... values) noexcept {
  try {
    Body(values...);
  } catch (...) {
    return;
  }
}

template <void (*Body)(napi_env env, void* context, void* data)>
void queued(napi_env env, napi_value, void* context, void* data) noexcept {
  if (env == nullptr) return;
  guarded(env, [&]() -> napi_value {
    Body(env, context, data);
    return nullptr;
  });
}

template <typename T>
void delete_data(node_api_basic_env, void* data, void*) {
  delete static_cast<T*>(data);
}

template <typename T>
void delete_hint(node_api_basic_env, void*, void* hint) {
  delete static_cast<T*>(hint);
}

template <node_api_basic_finalize Body>
constexpr node_api_basic_finalize collected = unheard<Body, node_api_basic_env, void*, void*>;
template <napi_finalize Body>
constexpr napi_finalize finalized = unheard<Body, napi_env, void*, void*>;

}  // namespace entries

template <napi_callback Body>
napi_value function(napi_env env, const char* name, void* data = nullptr) {
  napi_value result = nullptr;
  check(env,
        napi_create_function(env, name, NAPI_AUTO_LENGTH, entries::callback<Body>, data, &result));
  return result;
}

// Puts a function on the addon's exports.
template <napi_callback Body>
void define(napi_env env, napi_value exports, const char* name, void* data = nullptr) {
  check(env, napi_set_named_property(env, exports, name, function<Body>(env, name, data)));
}

// An opaque value that owns a C++ object.
template <typename T>
napi_value external(napi_env env, std::unique_ptr<T> object) {
  napi_value value = nullptr;
  check(env, napi_create_external(keeper(env), object.get(),
                                  entries::collected<entries::delete_data<T>>, nullptr, &value));
  object.release();
  return value;
}

// An ArrayBuffer over foreign memory, which `owner` keeps.
template <typename T>
napi_value external_buffer(napi_env env, void* memory, size_t size, std::unique_ptr<T> owner) {
  napi_value value = nullptr;
  check(env,
        napi_create_external_arraybuffer(
            env, memory, size, entries::collected<entries::delete_hint<T>>, owner.get(), &value));
  owner.release();
  return value;
}

// An ArrayBuffer over memory that nothing keeps: to be detached before the caller lets it go. Null
// where V8 has all its memory in a cage, as in Electron.
inline napi_value borrowed_buffer(napi_env env, void* memory, size_t size) {
  napi_value value = nullptr;
  const napi_status status =
      napi_create_external_arraybuffer(env, memory, size, nullptr, nullptr, &value);
  if (status == napi_no_external_buffers_allowed) return nullptr;
  check(env, status);
  return value;
}

// Body runs inside the collection that takes the object.
template <node_api_basic_finalize Body>
void when_collected(napi_env env, napi_value object, void* data, void* hint) {
  check(env,
        napi_add_finalizer(keeper(env), object, data, entries::collected<Body>, hint, nullptr));
}

// Body runs when the event loop turns; whether it will.
template <napi_finalize Body>
bool post(node_api_basic_env env, void* data) {
  return node_api_post_finalizer(env, entries::finalized<Body>, data, nullptr) == napi_ok;
}

// Body runs when the environment ends, before its finalizers.
template <void (*Body)(void*)>
void when_ended(napi_env env, void* data) {
  check(env, napi_add_env_cleanup_hook(env, entries::unheard<Body, void*>, data));
}

// The environment's own data, which Body gets when it ends.
template <napi_finalize Body>
void set_instance_data(napi_env env, void* data) {
  check(env, napi_set_instance_data(env, data, entries::finalized<Body>, nullptr));
}

// Body runs on the environment's thread for each call from any other; an open queue does not keep
// the process alive. `close` gets a reference to the owner when the environment ends.
template <void (*Body)(napi_env, void*, void*), void (*Close)(void*), typename T>
napi_threadsafe_function open_queue(napi_env env, const char* name, std::shared_ptr<T> owner) {
  napi_value text = nullptr;
  napi_threadsafe_function queue = nullptr;
  check(env, napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &text));
  check(env, napi_create_threadsafe_function(env, nullptr, nullptr, text, 0, 1, nullptr, nullptr,
                                             owner.get(), entries::queued<Body>, &queue));
  check(env, napi_unref_threadsafe_function(env, queue));
  // Made after the queue, so that it runs before the queue's own clean-up.
  auto kept = std::make_unique<std::shared_ptr<T>>(std::move(owner));
  when_ended<Close>(env, kept.get());
  kept.release();
  return queue;
}

}  // namespace aiforge
