#include "errors.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cctype>
#include <new>

#include "accelerator/accelerator.h"
#include "calls/values.h"
#include "distributed/background.h"
#include "distributed/reducer_errors.h"
#include "environment.h"

namespace aiforge {

namespace {

struct Failure {
  std::string code;
  std::string message;
};

bool says_device_missing(const std::string& message) {
  if (message.find("invalid device ordinal") != std::string::npos) return true;
  if (device_count() > 0) return false;
  for (const char* reason :
       {"not linked with support for cuda", "arguments from the 'CUDA' backend",
        "driver version is insufficient", "Found no NVIDIA driver", "no CUDA-capable device",
        "accelerator device when none", "no pinned memory allocator is available",
        "Cannot initialize CUDA without"}) {
    if (message.find(reason) != std::string::npos) return true;
  }
  return false;
}

// What LibTorch appends for its own developers, and the place in its sources that it begins with.
std::string without_noise(std::string message) {
  for (const char* noise : {"\nException raised from ",
                            " This could be because the operator doesn't", "\nSearch for `cuda",
                            "\nCUDA kernel errors might be ", " PyTorch splits its backend into"}) {
    message.erase(std::min(message.find(noise), message.size()));
  }
  if (message.rfind("[enforce fail at ", 0) == 0) {
    const size_t reason = message.find("DefaultCPUAllocator: ");
    if (reason != std::string::npos) message.erase(0, reason + 21);
  }
  while (!message.empty() && std::isspace(static_cast<unsigned char>(message.back()))) {
    message.pop_back();
  }
  return message;
}

Failure from_libtorch(const std::string& raw) {
  const std::string message = without_noise(raw);
  if (const auto text = about_backward(message)) return {"DISTRIBUTED_FAILED", *text};
  // A rank that dies while another waits for its gradients shows as a broken connection in gloo.
  if (message.find("gloo/transport") != std::string::npos) {
    if (message.find("Timed out") != std::string::npos) {
      return {"DISTRIBUTED_FAILED",
              "Another rank did not come in time: see that it runs and does the same steps; a slow "
              "one needs a larger timeoutMs. " +
                  shortened(message) + "."};
    }
    return {"DISTRIBUTED_FAILED",
            "The connection to another rank broke; look at that rank's own error. " +
                shortened(message) + "."};
  }
  if (says_device_missing(message)) return {"DEVICE_UNAVAILABLE", message};
  return {says_out_of_memory(raw) ? "OUT_OF_MEMORY" : "OPERATOR_FAILED", message};
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
    return {"OUT_OF_MEMORY", without_noise(error.what_without_backtrace())};
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
  Environment* const environment = Environment::find(env);
  if (environment == nullptr || environment->error_factory.IsEmpty()) {
    check(env, napi_throw_error(env, failure.code.c_str(), failure.message.c_str()));
    return;
  }
  napi_value args[] = {to_js(env, failure.code), to_js(env, failure.message),
                       to_js(env, context.op), to_js(env, context.args)};
  napi_value undefined = nullptr;
  napi_value function = nullptr;
  napi_value error = nullptr;
  check(env, napi_get_undefined(env, &undefined));
  check(env, napi_get_reference_value(env, environment->error_factory, &function));
  check(env, napi_call_function(env, undefined, function, 4, args, &error));
  check(env, napi_throw(env, error));
}

}  // namespace

bool is_pending(napi_env env) {
  bool is_pending = false;
  napi_is_exception_pending(env, &is_pending);
  return is_pending;
}

bool says_out_of_memory(const std::string& message) {
  return message.find("DefaultCPUAllocator") != std::string::npos ||
         message.find("out of memory") != std::string::npos;
}

void throw_current_exception(napi_env env, const ErrorContext& context) noexcept {
  try {
    throw;
  } catch (const PendingException&) {
    return;
  } catch (const Napi::Error& error) {
    // A JavaScript exception passes through unchanged.
    error.ThrowAsJavaScriptException();
    return;
  } catch (const JsException& error) {
    if (error.value().bridge().is_here()) {
      napi_throw(env, error.value().value());
      return;
    }
    // The value belongs to another thread's JavaScript.
  } catch (...) {
    // Every other kind is described below.
  }
  try {
    throw_failure(env, describe_current(), context);
  } catch (...) {
    // The factory threw, which is pending now; or the environment is ending and takes no more.
  }
}

ErrorContext context_of(napi_env env, const Call& call) {
  ErrorContext context;
  context.op = call.name;
  if (is_pending(env)) return context;
  napi_value values[Call::kMost];
  size_t count = Call::kMost;
  if (napi_get_cb_info(env, call.info, &count, values, nullptr, nullptr) != napi_ok) return context;
  for (size_t i = 0; i < Call::kMost && call.tensors[i] != nullptr; ++i) {
    try {
      if (is_missing(env, values[i])) continue;
      bool is_list = false;
      napi_is_typedarray(env, values[i], &is_list);
      const ValueType type{Kind::Tensor, is_list, false, false, 0, "Tensor"};
      const std::string name = call.tensors[i];
      std::string text = describe(Environment::of(env), env, values[i], type);
      // A list of one that stands for a single tensor.
      if (is_list && name.back() != 's') text = text.substr(1, text.size() - 2);
      context.args.push_back(name + ": " + text);
    } catch (...) {
      context.args.push_back(std::string(call.tensors[i]) + ": a value of another kind");
    }
  }
  return context;
}

void check(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  const napi_extended_error_info* info = nullptr;
  napi_get_last_error_info(env, &info);
  const char* reason = info == nullptr ? nullptr : info->error_message;
  const std::string message = reason == nullptr ? "a call of Node-API failed" : reason;
  if (is_pending(env)) throw PendingException();
  throw Error("INVALID_ARGUMENT", message);
}

}  // namespace aiforge
