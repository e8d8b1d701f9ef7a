// The connections of a group's Gloo to its other ranks.
#pragma once

#include <gloo/context.h>

#include <memory>
#include <vector>

namespace aiforge {

using GlooContexts = std::vector<std::shared_ptr<gloo::Context>>;

// Gloo itself has no abort. What it does to its connections when a wait is too long does the same:
// all that waits on them fails, here and in the ranks at their other ends.
void end_connections(const GlooContexts& contexts, int own_rank, int size);

// The ranks that are no longer connected.
std::vector<int> lost_ranks(const GlooContexts& contexts, int own_rank, int size);

}  // namespace aiforge
