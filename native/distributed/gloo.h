// ProcessGroupGloo, as this library or Python makes it.
#pragma once

#include <torch/csrc/distributed/c10d/Backend.hpp>

#include "checked_gloo.h"

namespace aiforge {

c10::intrusive_ptr<c10d::Backend> make_gloo(const c10::intrusive_ptr<c10d::Store>& store,
                                            const GlooOptions& options,
                                            GroupWatch::AskLine ask_line);

}  // namespace aiforge
