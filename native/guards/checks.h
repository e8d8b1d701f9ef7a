// What the guards check, each for one family of operators.
#pragma once

#include "guards.h"

namespace aiforge::checks {

using Call = const GuardedCall&;

void gates(Call call, int64_t count);
void lstm_weights(Call call);
void weight_norm(Call call);
void weight_norm_backward(Call call);
void cdist_backward(Call call);
void cholesky_solve(Call call);
void group_norm(Call call);
void group_norm_backward(Call call);
void layer_norm_backward(Call call, Names statistics);
void batch_norm_backward(Call call, const char* grad, const char* deviation, const char* train);
void batch_norm(Call call, bool is_training);
void sobol(Call call, const char* state, Names of_dimensions);
void pool_indices(Call call, int64_t dims);
void average_pool(Call call, int64_t dims);
void empty_result(Call call);
void combinations(Call call);
void finite_matrix(Call call);
void row_pointers(Call call);
void empty_matrices(Call call);
void class_targets(Call call);
void ctc_targets(Call call);
void ctc_backward(Call call);
void lu_pivots(Call call, const char* lu, const char* pivots);
void unpacked_pivots(Call call);
void ldl_pivots(Call call);
void segments(Call call);
void segments_backward(Call call);
void bag_offsets(Call call);
void bag(Call call);
void dense_bag(Call call);
void bag_backward(Call call);
void bag_backward_with_maximum(Call call);
void bag_backward_whole(Call call);
void bag_weights_backward(Call call);
void grid_gradient(Call call);
void unfold_sizes(Call call);
void packed_sequence(Call call);
void fused_states(Call call);
void polynomial_degree(Call call);
void random_range(Call call);
void range_steps(Call call);
void whole_steps(Call call, bool small_too);
void binomial_numbers(Call call);
void index_tensors(Call call);
void quantization_search(Call call);
void attention_backward(Call call);
void nested_views(Call call);
void sparse_coo(Call call);
void sparse_compressed(Call call);

}  // namespace aiforge::checks
