#include "written_schemas.h"

#include <c10/util/ConstexprCrc.h>
#include <torch/headeronly/version.h>

#include <sstream>

#include "../errors.h"

namespace aiforge {

uint32_t checksum(const c10::FunctionSchema& schema) {
  return static_cast<uint32_t>(c10::util::crc64(c10::toString(schema)).checksum());
}

void WrittenSchemas::read(const std::string& lines) {
  std::istringstream input(lines);
  uint32_t number = 0;
  std::string name;
  while (input >> std::hex >> number >> name) checksums_[name] = number;
}

void WrittenSchemas::check(const std::string& name, const c10::FunctionSchema& schema) const {
  const auto found = checksums_.find(name);
  if (found == checksums_.end() || found->second == checksum(schema)) return;
  throw Error("UNKNOWN_OPERATOR", "LibTorch " TORCH_VERSION " has another form of '" + name +
                                      "' than aiforge was written for: " + c10::toString(schema) +
                                      "; ops.aten('" + name + "') calls it as it is");
}

}  // namespace aiforge
