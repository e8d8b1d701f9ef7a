#include "errors.h"

#include <c10/util/Exception.h>

#include <cctype>
#include <new>

#include "environment.h"
#include "values.h"

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

// What LibTorch appends for its own developers, and the place in its sources that it begins with.
std::string without_noise(std::string message) {
  const size_t trace = message.find("\nException raised from ");
  if (trace != std::string::npos) message.erase(trace);
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
  // A rank that dies while another waits for its gradients shows as a broken connection in gloo.
  if (message.find("gloo/transport") != std::string::npos) {
    return {"DISTRIBUTED_FAILED",
            "The connection to another rank broke; look at that rank's own error. " + message};
  }
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

napi_value string_array(Napi::Env env, const std::vector<std::string>& lines) {
  Napi::Array array = Napi::Array::New(env, lines.size());
  for (size_t i = 0; i < lines.size(); ++i) array.Set(static_cast<uint32_t>(i), lines[i]);
  return array;
}

}  // namespace

void throw_current_exception(napi_env raw_env, const ErrorContext& context) {
  Napi::Env env(raw_env);
  try {
    throw;
  } catch (const Napi::Error& error) {
    // A JavaScript exception passes through unchanged.
    error.ThrowAsJavaScriptException();
    return;
  } catch (const JsException& error) {
    if (error.value().bridge().is_here()) {
      napi_throw(raw_env, error.value().value());
      return;
    }
    // The value belongs to another thread's JavaScript.
  } catch (...) {
    // Every other kind is described below.
  }
  const Failure failure = describe_current();
  Napi::FunctionReference& factory = Environment::of(raw_env).error_factory;
  if (factory.IsEmpty()) {
    napi_throw_error(raw_env, failure.code.c_str(), failure.message.c_str());
    return;
  }
  napi_value args[] = {Napi::String::New(env, failure.code),
                       Napi::String::New(env, failure.message), Napi::String::New(env, context.op),
                       string_array(env, context.args)};
  napi_value error = nullptr;
  napi_value undefined = env.Undefined();
  if (napi_call_function(raw_env, undefined, factory.Value(), 4, args, &error) == napi_ok) {
    napi_throw(raw_env, error);
  }
}

ErrorContext context_of(napi_env env, const Call& call) {
  ErrorContext context;
  context.op = call.name;
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
  if (status != napi_ok) throw Napi::Error::New(env);
}

}  // namespace aiforge
