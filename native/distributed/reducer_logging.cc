#include "reducer_logging.h"

#include <torch/csrc/distributed/c10d/debug.h>

#include <torch/csrc/distributed/c10d/ProcessGroupWrapper.hpp>

#include "../calls/values.h"
#include "../objects.h"

namespace aiforge {

namespace {

// The group without what compares collectives, which the Logger would take for Gloo itself, and
// crash, in Python too.
Group plain_group(const Group& group) {
  using c10d::ProcessGroup;
  auto plain =
      c10::make_intrusive<ProcessGroup>(group->getStore(), group->getRank(), group->getSize());
  plain->setDefaultBackend(group->getBackendType());
  for (const c10::Device& device : group->getDeviceTypes()) {
    auto backend = group->getBackend(device.type());
    const auto* wrapper = dynamic_cast<c10d::ProcessGroupWrapper*>(backend.get());
    if (wrapper != nullptr) backend = wrapper->getWrappedPg();
    const auto type = backend->getBackendName() == "nccl" ? ProcessGroup::BackendType::NCCL
                                                          : ProcessGroup::BackendType::GLOO;
    plain->setBackend(device.type(), type, backend);
  }
  return plain;
}

// getDdpLoggingData(reducer): an object of Python's names; instants are BigInts
napi_value logging_data(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const auto data = unwrap_object<ReducerObject>(env, args[0])->logger->get_ddp_logging_data();
    Napi::Object result = Napi::Object::New(env);
    for (const auto& [key, text] : data.strs_map) result.Set(key, text);
    for (const auto& [key, whole] : data.ints_map) {
      if (static_cast<double>(whole) > kMaxSafeInteger) {
        result.Set(key, Napi::BigInt::New(env, whole));
      } else {
        result.Set(key, static_cast<double>(whole));
      }
    }
    return result;
  });
}

}  // namespace

void log_construction(const ReducerObject& object, const Group& group,
                      const ConstructionData& data) {
  const auto log = [&] {
    const int output_device = data.device_ids.empty() ? -1 : data.device_ids[0];
    object.logger->set_construction_data_and_log(data.module_name, data.device_ids, output_device,
                                                 data.broadcasts_buffers, data.has_sync_batch_norm,
                                                 data.is_static_graph);
  };
  if (c10d::debug_level() != c10d::DebugLevel::Detail) return log();
  object.reducer->with_group(plain_group(group), log);
}

void define_reducer_logging(napi_env env, napi_value object, Background& background) {
  background.define<logging_data>(env, object, "ddpLoggingData");
}

}  // namespace aiforge
