#include "gloo_connections.h"

#include <gloo/transport/tcp/pair.h>

namespace aiforge {

namespace {

using Pair = gloo::transport::tcp::Pair;

// Calls `body(rank, pair)` for each connection to another rank.
template <typename Body>
void for_each_pair(const GlooContexts& contexts, int own_rank, int size, Body body) {
  for (int rank = 0; rank < size; ++rank) {
    for (const auto& context : contexts) {
      if (rank == own_rank) continue;
      auto* pair = dynamic_cast<Pair*>(context->getPair(rank).get());
      if (pair != nullptr) body(rank, *pair);
    }
  }
}

}  // namespace

void end_connections(const GlooContexts& contexts, int own_rank, int size) {
  for_each_pair(contexts, own_rank, size, [](int, Pair& pair) {
    pair.signalExceptionExternal("the process group was aborted");
  });
}

std::vector<int> lost_ranks(const GlooContexts& contexts, int own_rank, int size) {
  std::vector<int> lost;
  for_each_pair(contexts, own_rank, size, [&](int rank, Pair& pair) {
    if (!pair.isConnected() && (lost.empty() || lost.back() != rank)) lost.push_back(rank);
  });
  return lost;
}

}  // namespace aiforge
