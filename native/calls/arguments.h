// Plain JavaScript values: reading them strictly, and the arguments of a raw callback.
#pragma once

#include <napi.h>

#include <array>
#include <cstdint>
#include <string>

#include "../entries.h"
#include "../errors.h"
#include "../tensors/handles.h"

namespace aiforge {

constexpr double kMaxSafeInteger = 9007199254740991.0;

napi_valuetype kind_of(napi_env env, napi_value value);
bool is_missing(napi_env env, napi_value value);  // undefined or null

// A short picture of any JavaScript value, for error messages; runs no user code.
std::string show(napi_env env, napi_value value);

// Throws INVALID_ARGUMENT: "expected …, got …".
[[noreturn]] void reject(napi_env env, napi_value value, const std::string& expected);

// Each throws INVALID_ARGUMENT for a value of another kind.
double read_number(napi_env env, napi_value value, const char* expected);
int64_t read_int(napi_env env, napi_value value);
bool read_bool(napi_env env, napi_value value);
std::string expect_string(napi_env env, napi_value value, const char* expected);

// The arguments of a raw callback: cheap, and strict about kinds.
class ArgumentReader {
 public:
  explicit ArgumentReader(napi_env env) : env_(env) {}
  napi_value operator[](size_t i) const { return values_[i]; }
  bool is_missing(size_t i) const;  // undefined or null
  Handle handle(size_t i) const;
  uint32_t uint32(size_t i) const;
  int64_t int64(size_t i) const;
  double number(size_t i) const;
  bool boolean(size_t i) const;
  std::string string(size_t i) const;
  Napi::Function function(size_t i) const;

 protected:
  void read_from(const napi_value* values) { values_ = values; }

 private:
  napi_env env_;
  const napi_value* values_ = nullptr;
};

template <size_t N>
class Arguments : public ArgumentReader {
 public:
  Arguments(napi_env env, napi_callback_info info) : ArgumentReader(env) {
    read_from(storage_.data());
    size_t count = N;
    check(env, napi_get_cb_info(env, info, &count, storage_.data(), nullptr, nullptr));
  }

 private:
  std::array<napi_value, N> storage_;
};

inline napi_value number(napi_env env, double value) {
  napi_value result = nullptr;
  check(env, napi_create_double(env, value, &result));
  return result;
}

// Handles cross as doubles, which hold their 52 bits exactly.
inline napi_value from_handle(napi_env env, Handle handle) {
  return number(env, static_cast<double>(handle));
}

// The handles in a Float64Array, read in place; -1 stands for "no tensor". A number stands for so
// many handles in the environment's scratch memory.
struct HandleList {
  const double* data = nullptr;
  size_t size = 0;
};
HandleList read_handles(napi_env env, napi_value value);

}  // namespace aiforge
