// One place where C++ exceptions become JavaScript errors.
#pragma once

#include <napi.h>

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace aiforge {

// An error of our own, with a code out of lib/errors.ts.
class Error : public std::runtime_error {
 public:
  Error(const char* code, const std::string& message) : std::runtime_error(message), code(code) {}
  const char* code;
};

// What was being done when an exception came: the operator and a line for each argument.
struct ErrorContext {
  std::string op;
  std::vector<std::string> args;
};

// A JavaScript exception is pending already, such as one that a getter threw: it passes through
// unchanged.
struct PendingException : std::exception {};

// Turns the exception being handled into a pending JavaScript exception.
void throw_current_exception(napi_env env, const ErrorContext& context = {}) noexcept;

// Runs a callback's body; whatever it throws becomes a JavaScript exception.
template <typename Body>
napi_value guarded(napi_env env, Body&& body) noexcept {
  try {
    return std::forward<Body>(body)();
  } catch (...) {
    throw_current_exception(env);
    return nullptr;
  }
}

// A callback that is no operator of LibTorch's, as its errors show it: its name and those of its
// first arguments, which are tensors or lists of them.
struct Call {
  napi_callback_info info;
  const char* name;
  static constexpr size_t kMost = 3;
  const char* tensors[kMost];  // null after the last
};

ErrorContext context_of(napi_env env, const Call& call);

template <typename Body>
napi_value guarded(napi_env env, const Call& call, Body&& body) noexcept {
  try {
    return std::forward<Body>(body)();
  } catch (...) {
    const std::exception_ptr failure = std::current_exception();
    const ErrorContext context = context_of(env, call);
    try {
      std::rethrow_exception(failure);
    } catch (...) {
      throw_current_exception(env, context);
    }
    return nullptr;
  }
}

// Whether a JavaScript exception waits to be thrown: until then Node-API calls fail, or lose it.
bool is_pending(napi_env env);
// Whether a message of LibTorch's is about memory, of the system or of a device.
bool says_out_of_memory(const std::string& message);

// Throws for a failed Node-API call, so that every call can be one line.
void check(napi_env env, napi_status status);

}  // namespace aiforge
