// Uneven inputs: a rank that has none left takes part in what the others exchange.
#pragma once

#include <napi.h>

#include <optional>

#include "background.h"
#include "reducer_object.h"

namespace aiforge {

struct Joining {
  bool divides_by_initial_size = true;
  bool throws_on_early_end = false;
};

// At the beginning of a forward pass: tells the ranks that have ended that this one has not, and
// returns whether all are to stop because one has.
bool tell_joined_ranks(const ReducerObject& object, const Group& group, const Joining& joining);

// The highest rank that is a candidate; throws when there is none.
int common_rank(const ReducerObject& object, const Group& group, bool is_candidate);

// Whether any rank averages the gradients of this step.
bool any_averages(const ReducerObject& object, const Group& group, bool averages);

// That gradients will be averaged of the forward pass which begins.
void note_averaged_pass(const Group& group);

void define_reducer_join(napi_env env, napi_value object, Background& background);

}  // namespace aiforge
