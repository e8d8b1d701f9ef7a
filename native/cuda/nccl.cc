#include <cstring>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "../distributed/process_group.h"
#include "../errors.h"

namespace aiforge {

namespace {

template <typename Field>
struct Setting {
  const char* name;
  Field ncclConfig_t::*field;
};

constexpr Setting<int> kNumbers[] = {
    {"blocking", &ncclConfig_t::blocking},
    {"cgaClusterSize", &ncclConfig_t::cgaClusterSize},
    {"minCtas", &ncclConfig_t::minCTAs},
    {"maxCtas", &ncclConfig_t::maxCTAs},
    {"splitShare", &ncclConfig_t::splitShare},
    {"trafficClass", &ncclConfig_t::trafficClass},
    {"collnetEnable", &ncclConfig_t::collnetEnable},
    {"ctaPolicy", &ncclConfig_t::CTAPolicy},
    {"nvlsCtas", &ncclConfig_t::nvlsCTAs},
};

constexpr Setting<const char*> kTexts[] = {
    {"netName", &ncclConfig_t::netName},
    {"commName", &ncclConfig_t::commName},
};

template <typename Field, size_t N>
Field& setting(ncclConfig_t& config, const Setting<Field> (&settings)[N], const std::string& name) {
  for (const auto& each : settings) {
    if (name == each.name) return config.*each.field;
  }
  throw Error("INVALID_ARGUMENT", "NCCL has no setting '" + name + "'");
}

}  // namespace

c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                            int size, std::chrono::milliseconds timeout,
                                            const std::string& group, const NcclOptions& given) {
  auto options = c10d::ProcessGroupNCCL::Options::create(given.is_high_priority_stream);
  options->timeout = timeout;
  options->group_name = group;
  options->group_desc = "default_pg";
  for (const auto& [name, value] : given.numbers) {
    setting(options->config, kNumbers, name) = static_cast<int>(value);
  }
  for (const auto& [name, text] : given.texts) {
    // As long as the process lives: NCCL keeps the pointer, and so do copies of the options.
    setting(options->config, kTexts, name) = strdup(text.c_str());
  }
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, size, std::move(options));
}

std::string nccl_flight_record(bool only_active) {
  return c10d::dump_nccl_trace_json(/*includeCollectives=*/true, only_active);
}

}  // namespace aiforge
