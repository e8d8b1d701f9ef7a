// What the Reducer complains of, in the names of the parameters.
#pragma once

#include <optional>
#include <string>

#include "reducer_object.h"

namespace aiforge {

// What to say instead of a complaint about gradients that did not come since the last forward pass;
// nothing where it complains of something else.
std::optional<std::string> about_missing(const ReducerObject& object, const std::string& complaint);

// The same for one that a backward pass ends with.
std::optional<std::string> about_backward(const std::string& complaint);

}  // namespace aiforge
