#include "arguments.h"

#include <cmath>

#include "../environment.h"

namespace aiforge {

napi_valuetype kind_of(napi_env env, napi_value value) {
  napi_valuetype kind = napi_undefined;
  check(env, napi_typeof(env, value, &kind));
  return kind;
}

bool is_missing(napi_env env, napi_value value) {
  const napi_valuetype kind = kind_of(env, value);
  return kind == napi_undefined || kind == napi_null;
}

namespace {

std::string read_string(napi_env env, napi_value value) {
  // Names of dtypes, devices and modes are short: one copy is enough for them.
  char few[64];
  size_t length = 0;
  check(env, napi_get_value_string_utf8(env, value, few, sizeof few, &length));
  if (length < sizeof few - 4) return std::string(few, length);
  check(env, napi_get_value_string_utf8(env, value, nullptr, 0, &length));
  std::string text(length, '\0');
  check(env, napi_get_value_string_utf8(env, value, text.data(), length + 1, &length));
  return text;
}

}  // namespace

std::string show(napi_env env, napi_value value) {
  switch (kind_of(env, value)) {
    case napi_undefined:
      return "undefined";
    case napi_null:
      return "null";
    case napi_boolean: {
      bool flag = false;
      napi_get_value_bool(env, value, &flag);
      return flag ? "true" : "false";
    }
    case napi_number: {
      double number = 0;
      napi_get_value_double(env, value, &number);
      return Napi::Value(env, value).ToString().Utf8Value();
    }
    case napi_string:
      return "'" + read_string(env, value).substr(0, 80) + "'";
    case napi_bigint:
      return "a bigint";
    case napi_function:
      return "a function";
    case napi_symbol:
      return "a symbol";
    default:
      return Napi::Value(env, value).IsArray() ? "an array" : "an object";
  }
}

void reject(napi_env env, napi_value value, const std::string& expected) {
  throw Error("INVALID_ARGUMENT", "expected " + expected + ", got " + show(env, value));
}

double read_number(napi_env env, napi_value value, const char* expected) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok) reject(env, value, expected);
  return number;
}

int64_t read_int(napi_env env, napi_value value) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) == napi_ok) {
    if (std::trunc(number) == number && std::abs(number) <= kMaxSafeInteger) {
      return static_cast<int64_t>(number);
    }
    reject(env, value, "an integer (a bigint beyond 2^53)");
  }
  int64_t result = 0;
  bool lossless = false;
  if (napi_get_value_bigint_int64(env, value, &result, &lossless) == napi_ok) {
    if (lossless) return result;
    throw Error("INVALID_ARGUMENT", "expected an integer of at most 64 bits, got a larger bigint");
  }
  reject(env, value, "an integer");
}

bool read_bool(napi_env env, napi_value value) {
  bool flag = false;
  if (napi_get_value_bool(env, value, &flag) != napi_ok) reject(env, value, "a boolean");
  return flag;
}

std::string expect_string(napi_env env, napi_value value, const char* expected) {
  if (kind_of(env, value) != napi_string) reject(env, value, expected);
  return read_string(env, value);
}

bool ArgumentReader::is_missing(size_t i) const { return aiforge::is_missing(env_, values_[i]); }

Handle ArgumentReader::handle(size_t i) const {
  const double value = read_number(env_, values_[i], "a Tensor");
  if (to_handle(value) == 0) reject(env_, values_[i], "a Tensor");
  return to_handle(value);
}

uint32_t ArgumentReader::uint32(size_t i) const {
  const double value = read_number(env_, values_[i], "a whole number");
  if (!(value >= 0 && value <= 4294967295.0) || std::trunc(value) != value) {
    reject(env_, values_[i], "a whole number in 0 … 2^32-1");
  }
  return static_cast<uint32_t>(value);
}

int64_t ArgumentReader::int64(size_t i) const { return read_int(env_, values_[i]); }

double ArgumentReader::number(size_t i) const { return read_number(env_, values_[i], "a number"); }

bool ArgumentReader::boolean(size_t i) const { return read_bool(env_, values_[i]); }

std::string ArgumentReader::string(size_t i) const {
  return expect_string(env_, values_[i], "a string");
}

Napi::Function ArgumentReader::function(size_t i) const {
  if (kind_of(env_, values_[i]) != napi_function) reject(env_, values_[i], "a function");
  return Napi::Function(env_, values_[i]);
}

HandleList read_handles(napi_env env, napi_value value) {
  uint32_t count = 0;
  if (napi_get_value_uint32(env, value, &count) == napi_ok) {
    const Environment& environment = Environment::of(env);
    if (environment.scratch == nullptr || count > Environment::kScratchNumbers) {
      reject(env, value, "a list of Tensors");
    }
    return {environment.scratch, count};
  }
  bool is_typed_array = false;
  check(env, napi_is_typedarray(env, value, &is_typed_array));
  napi_typedarray_type type = napi_int8_array;
  void* data = nullptr;
  size_t length = 0;
  if (is_typed_array) {
    check(env, napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr));
  }
  if (type != napi_float64_array) reject(env, value, "a list of Tensors");
  return {static_cast<const double*>(data), length};
}

}  // namespace aiforge
