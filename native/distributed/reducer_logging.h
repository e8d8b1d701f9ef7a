// What c10d's Logger knows of a Reducer.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "background.h"
#include "reducer_object.h"

namespace aiforge {

struct ConstructionData {
  std::string module_name;
  std::vector<int> device_ids;
  bool broadcasts_buffers = true;
  bool has_sync_batch_norm = false;
  bool is_static_graph = false;
};

void log_construction(const ReducerObject& object, const Group& group,
                      const ConstructionData& data);

void define_reducer_logging(napi_env env, napi_value object, Background& background);

}  // namespace aiforge
