#include "errors.h"

#include <c10/util/Exception.h>

#include <new>

#include "environment.h"

namespace aiforge {

namespace {

struct Failure {
  std::string code;
  std::string message;
};

bool says_out_of_memory(const std::string& message) {
  return message.find("DefaultCPUAllocator") != std::string::npos ||
         message.find("out of memory") != std::string::npos;
}

Failure from_libtorch(const std::string& message) {
  // A rank that dies while another waits for its gradients shows as a broken connection in gloo.
  if (message.find("gloo/transport") != std::string::npos) {
    return {"DISTRIBUTED_FAILED",
            "The connection to another rank broke; look at that rank's own error. " + message};
  }
  return {says_out_of_memory(message) ? "OUT_OF_MEMORY" : "OPERATOR_FAILED", message};
}

// Sorts the exception in flight; the only catch chain of the addon.
Failure describe_current() {
  try {
    throw;
  } catch (const Error& error) {
    return {error.code, error.what()};
  } catch (const c10::DistBackendError& error) {
    return {"DISTRIBUTED_FAILED", error.what_without_backtrace()};
  } catch (const c10::OutOfMemoryError& error) {
    return {"OUT_OF_MEMORY", error.what_without_backtrace()};
  } catch (const c10::Error& error) {
    return from_libtorch(error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    return {"OUT_OF_MEMORY", "The system has no memory left for this allocation."};
  } catch (const std::exception& error) {
    return from_libtorch(error.what());
  } catch (...) {
    return {"OPERATOR_FAILED", "LibTorch raised an exception of an unknown type."};
  }
}

napi_value to_js(napi_env env, const std::string& text) {
  napi_value result = nullptr;
  check(env, napi_create_string_utf8(env, text.data(), text.size(), &result));
  return result;
}

napi_value to_js(napi_env env, const std::vector<std::string>& lines) {
  napi_value array = nullptr;
  check(env, napi_create_array_with_length(env, lines.size(), &array));
  for (size_t i = 0; i < lines.size(); ++i) {
    check(env, napi_set_element(env, array, static_cast<uint32_t>(i), to_js(env, lines[i])));
  }
  return array;
}

// What the library's own factory makes of a failure, thrown.
void throw_failure(napi_env env, const Failure& failure, const ErrorContext& context) {
  Napi::FunctionReference& factory = Environment::of(env).error_factory;
  if (factory.IsEmpty()) {
    check(env, napi_throw_error(env, failure.code.c_str(), failure.message.c_str()));
    return;
  }
  napi_value args[] = {to_js(env, failure.code), to_js(env, failure.message),
                       to_js(env, context.op), to_js(env, context.args)};
  napi_value undefined = nullptr;
  napi_value function = nullptr;
  napi_value error = nullptr;
  check(env, napi_get_undefined(env, &undefined));
  check(env, napi_get_reference_value(env, factory, &function));
  check(env, napi_call_function(env, undefined, function, 4, args, &error));
  check(env, napi_throw(env, error));
}

}  // namespace

void throw_current_exception(napi_env env, const ErrorContext& context) noexcept {
  try {
    throw;
  } catch (const PendingException&) {
    return;
  } catch (const Napi::Error& error) {
    // A JavaScript exception passes through unchanged.
    error.ThrowAsJavaScriptException();
    return;
  } catch (...) {
    // Every other kind is described below.
  }
  try {
    throw_failure(env, describe_current(), context);
  } catch (...) {
    // The factory threw, which is pending now; or the environment is ending and takes no more.
  }
}

void check(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  const napi_extended_error_info* info = nullptr;
  napi_get_last_error_info(env, &info);
  const char* reason = info == nullptr ? nullptr : info->error_message;
  const std::string message = reason == nullptr ? "a call of Node-API failed" : reason;
  bool is_pending = false;
  napi_is_exception_pending(env, &is_pending);
  if (is_pending) throw PendingException();
  throw Error("INVALID_ARGUMENT", message);
}

}  // namespace aiforge
