// The schemas that the TypeScript was written and generated for, which the linked LibTorch may have
// changed.
#pragma once

#include <ATen/core/function_schema.h>

#include <cstdint>
#include <string>
#include <unordered_map>

namespace aiforge {

// A number for a schema's text.
uint32_t checksum(const c10::FunctionSchema& schema);

class WrittenSchemas {
 public:
  // Lines of a checksum in hexadecimal and an operator's name.
  void read(const std::string& lines);
  // Throws where the schema is not the written one. Nothing that was not read is refused.
  void check(const std::string& name, const c10::FunctionSchema& schema) const;

 private:
  std::unordered_map<std::string, uint32_t> checksums_;
};

}  // namespace aiforge
