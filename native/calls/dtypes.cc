#include <c10/core/ScalarType.h>

#include <cstring>

#include "values.h"

namespace aiforge {

namespace {

struct DtypeName {
  c10::ScalarType type;
  const char* name;
};

// Python's names, and every dtype that LibTorch can compute with.
constexpr DtypeName kNames[] = {
    {c10::kFloat, "float32"},
    {c10::kDouble, "float64"},
    {c10::kHalf, "float16"},
    {c10::kBFloat16, "bfloat16"},
    {c10::kLong, "int64"},
    {c10::kInt, "int32"},
    {c10::kShort, "int16"},
    {c10::kChar, "int8"},
    {c10::kByte, "uint8"},
    {c10::kUInt16, "uint16"},
    {c10::kUInt32, "uint32"},
    {c10::kUInt64, "uint64"},
    {c10::kBool, "bool"},
    {c10::kComplexHalf, "complex32"},
    {c10::kComplexFloat, "complex64"},
    {c10::kComplexDouble, "complex128"},
    {c10::kFloat8_e4m3fn, "float8_e4m3fn"},
    {c10::kFloat8_e4m3fnuz, "float8_e4m3fnuz"},
    {c10::kFloat8_e5m2, "float8_e5m2"},
    {c10::kFloat8_e5m2fnuz, "float8_e5m2fnuz"},
    {c10::kFloat8_e8m0fnu, "float8_e8m0fnu"},
    {c10::kFloat4_e2m1fn_x2, "float4_e2m1fn_x2"},
    {c10::kQInt8, "qint8"},
    {c10::kQUInt8, "quint8"},
    {c10::kQInt32, "qint32"},
};

}  // namespace

const char* dtype_name(c10::ScalarType type) {
  for (const DtypeName& entry : kNames) {
    if (entry.type == type) return entry.name;
  }
  return c10::toString(type);
}

c10::ScalarType dtype_from_name(const std::string& name) {
  for (const DtypeName& entry : kNames) {
    if (name == entry.name) return entry.type;
  }
  throw Error("INVALID_ARGUMENT", "unknown dtype '" + name +
                                      "'; expected 'float32', 'float64', 'int64', 'int32', "
                                      "'bool', 'float16', 'bfloat16', …");
}

}  // namespace aiforge
