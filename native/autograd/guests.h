// Which of what passes call besides the graph's nodes a pass will call.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "run.h"

namespace aiforge {

using PassGuests = std::vector<std::shared_ptr<PassGuest>>;

PassGuests living_guests(Environment& environment);

// Those that a pass from these roots calls; throws when one of them must not be met now.
PassGuests guests_of(Environment& environment, const std::vector<at::Tensor>& roots);

}  // namespace aiforge
