#include "guards.h"

#include "checks.h"

namespace aiforge {

namespace {

using namespace checks;

const std::vector<Guard> kGuards = {
    {"_nnpack_spatial_convolution _slow_conv2d_forward _slow_conv2d_backward slow_conv3d_forward",
     "reads its tensors by sizes that only conv2d and conv3d have checked", nullptr,
     "conv2d or conv3d"},
    {"mkldnn_rnn_layer mkldnn_rnn_layer_backward",
     "reads its tensors by sizes that only lstm has checked", nullptr, "lstm"},
    {"quantized_lstm_cell quantized_gru_cell quantized_rnn_relu_cell quantized_rnn_tanh_cell",
     "takes weights packed by a library that the wheel does not offer, and reads any others",
     nullptr, "lstm_cell or gru_cell"},
    {"_dyn_quant_matmul_4bit _dyn_quant_pack_4bit_weight",
     "divides by the block size and reads the weights by sizes that it is told", nullptr,
     "dequantized weights and linear"},
    {"fbgemm_pack_gemm_matrix_fp16", "packs an empty matrix",
     [](Call call) {
       require_dims(call, "input", 2, 2);
       require(call.tensor("input").numel() > 0, "a matrix with elements");
     }},
    {"_stack", "goes by the first tensor's sizes and writes in pieces of that size", nullptr,
     "stack"},
    {"linalg_matrix_power matrix_power", "negates the least integer, over and over",
     [](Call call) { require(call.integer("n") != INT64_MIN, "'n' above -2^63"); }},
    {"_sobol_engine_draw", "reads the state by the dimensions that it is told",
     [](Call call) { sobol(call, "sobolstate", {"quasi"}); }},
    {"_sobol_engine_ff_", "reads the state by the dimensions that it is told",
     [](Call call) { sobol(call, "sobolstate", {"self"}); }},
    {"_sobol_engine_initialize_state_", "writes the state by the dimensions that it is told",
     [](Call call) { sobol(call, "self", {}); }},
    {"_sobol_engine_scramble_", "reads and writes by the dimensions that it is told",
     [](Call call) {
       sobol(call, "self", {});
       require_dims(call, "ltm", 3, 3);
       require_elements(call, {"ltm"}, call.tensor("self").numel() * 30);
     }},
    {"reflection_pad1d_backward replication_pad1d_backward", "reads a padding of two numbers",
     [](Call call) { require_items(call, {"padding"}, 2); }},
    {"reflection_pad2d_backward replication_pad2d_backward", "reads a padding of four numbers",
     [](Call call) { require_items(call, {"padding"}, 4); }},
    {"reflection_pad3d_backward replication_pad3d_backward", "reads a padding of six numbers",
     [](Call call) { require_items(call, {"padding"}, 6); }},
    {"rrelu_with_noise rrelu_with_noise_ rrelu_with_noise_functional",
     "reads and writes the noise and the result by the sizes of 'self'",
     [](Call call) {
       require_same_sizes(call, {"self", "noise"});
       require_dense(call, {"noise"});
       if (call.has("out")) require_same_sizes(call, {"self", "out"});
     }},
    {"_softmax_backward_data _log_softmax_backward_data", "reads 'output' by the gradient's sizes",
     [](Call call) {
       require_same_sizes(call, {"grad_output", "output"});
     }},
    {"_sparse_broadcast_to", "divides by the new sizes",
     [](Call call) {
       for (const int64_t size : call.integers("size")) require(size > 0, "sizes of at least 1");
     }},
    {"_unsafe_masked_index _unsafe_masked_index_put_accumulate",
     "reads a size for each index, however few dimensions there are",
     [](Call call) {
       const auto count = static_cast<int64_t>(call.tensors("indices").size());
       require(count <= call.tensor("self").dim(), "at most an index for each dimension");
     }},
    {"_scaled_dot_product_flash_attention_for_cpu_backward",
     "reads all tensors by the sizes of 'query' and 'key'", attention_backward},
    {"_chunk_cat", "reads the sizes before 'dim' of tensors that do not have so many",
     [](Call call) {
       for (const at::Tensor& tensor : call.tensors("tensors")) {
         require(!tensor.defined() || tensor.dim() > call.integer("dim"),
                 "tensors that have the dimension 'dim'");
       }
     }},
    {"choose_qparams_optimized", "searches in steps that the numbers give, and may never end",
     quantization_search},
    {"to_mkldnn", "divides by the sizes of such a tensor later",
     [](Call call) { require(call.tensor("self").numel() > 0, "a tensor with elements"); }},
    {"gather scatter scatter_ scatter_add scatter_add_ scatter_reduce scatter_reduce_ index_copy "
     "index_copy_ index_add index_add_ index_reduce index_reduce_",
     "reads the memory that an mkldnn tensor does not show",
     [](Call call) {
       for (const char* name : {"self", "index", "src", "source"}) {
         const at::Tensor tensor = call.has_argument(name) ? call.tensor(name) : at::Tensor();
         require(!tensor.defined() || !tensor.is_mkldnn(), "plain tensors; use toDense()");
       }
     }},
    {"_compute_linear_combination", "reads 'input' by the columns of 'coefficients'",
     [](Call call) {
       require_dims(call, "input", 1, 64);
       require_dims(call, "coefficients", 2, 2);
       require(call.tensor("coefficients").size(1) == call.tensor("input").size(0),
               "a coefficient for each item of 'input'");
     }},
    {"_adaptive_avg_pool3d adaptive_avg_pool3d", "reads a size of three numbers",
     [](Call call) { require_items(call, {"output_size"}, 3); }},
    {"_adaptive_avg_pool2d adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_avg_pool3d "
     "adaptive_max_pool2d adaptive_max_pool3d",
     "counts through the sizes of a result without elements, for years when they are large",
     empty_result},
    {"lstm", "reads the weights by sizes that they should have", lstm_weights},
    {"linalg_eigvals", "goes on where LAPACK refused, with what that never wrote", finite_matrix},
    {"from_file", "counts the bytes of 'size' elements in 63 bits",
     [](Call call) { require(call.integer("size", 0) < (int64_t{1} << 59), "'size' below 2^59"); }},
    {"combinations", "makes 'r' tensors of as many dimensions, for hours", combinations},
    {"linalg_qr qr geqrf ormqr linalg_solve_triangular triangular_solve addbmm addbmm_",
     "counts through matrices without elements, for years when they are many", empty_matrices},
    {"_adaptive_avg_pool2d", "reads a size of two numbers",
     [](Call call) { require_items(call, {"output_size"}, 2); }},
    {"smooth_l1_loss_backward", "divides whole numbers by 'beta', which is 0 among them",
     [](Call call) {
       require(call.tensor("self").is_floating_point(), "'self' of a floating-point dtype");
     }},
    {"_logcumsumexp", "writes 'out' by the sizes and the dtype of 'self'",
     [](Call call) {
       if (!call.has("out")) return;
       require_same_sizes(call, {"self", "out"});
       require(call.tensor("self").scalar_type() == call.tensor("out").scalar_type(),
               "'out' of the dtype of 'self'");
     }},
    {"range", "divides the length by the step, which 64 bits do not hold",
     [](Call call) {
       range_steps(call);
       whole_steps(call, true);
     }},
    {"arange", "divides the length by the step without its fraction",
     [](Call call) { whole_steps(call, false); }},
    {"binomial", "counts for ever where a count is no number or a probability beyond 1",
     binomial_numbers},
    {"native_channel_shuffle", "divides by the number of groups",
     [](Call call) { require(call.integer("groups") > 0, "'groups' above 0"); }},
    {"index_put index_put_ _index_put_impl _index_put_impl_ _unsafe_index_put",
     "reads the first index that is a tensor, under vmap whether or not there is one",
     index_tensors, nullptr, kCallsAlone},
    {"select", "looks for the dimension among those counted from the front",
     [](Call call) {
       require(call.integer("dim") >= 0, "'dim' of a nested tensor counted from the front");
     },
     nullptr, c10::DispatchKey::NestedTensorCPU},
    {"cat", "reads the first of a list of quantized tensors, whether or not there is one",
     [](Call call) { require(!call.tensors("tensors").empty(), "a tensor"); }, nullptr,
     c10::DispatchKey::QuantizedCPU},
    {"copy", "reads the indices that a tensor of another layout does not have",
     [](Call call) {
       require(call.tensor("self").layout() == call.tensor("src").layout(),
               "tensors of one layout; use toDense()");
     }},
    {"_saturate_weight_to_fp16", "writes the weights from the start of their memory on",
     [](Call call) { require_dense(call, {"weight"}); }},
    {"random random_ randint randint_like",
     "seeks the number below 2^63 that a floating-point dtype holds, for ever", random_range},
    {"multi_margin_loss_backward multilabel_margin_loss_backward",
     "reads a gradient for each target, however few there are",
     [](Call call) {
       const int64_t targets = call.tensor("target").numel();
       const int64_t classes = call.tensor("self").dim() == 0 ? 1 : call.tensor("self").size(-1);
       const bool is_row = call.tensor("target").sizes() == call.tensor("self").sizes();
       const int64_t samples = is_row && classes > 0 ? targets / classes : targets;
       require_elements(call, {"grad_output"}, call.integer("reduction", 1) == 0 ? samples : 1);
     }},
    {"_pdist_forward", "reads a matrix by its rows",
     [](Call call) { require_dims(call, "self", 2, 2); }},
    {"_foreach_*", "reads beyond the end of a list that is shorter than the others",
     require_equal_lists},
    {"_fused_adam _fused_adam_ _fused_adamw _fused_adamw_ _fused_sgd _fused_sgd_ _fused_adagrad "
     "_fused_adagrad_",
     "reads and writes the states by the sizes of the parameters", fused_states},
    {"_thnn_differentiable_lstm_cell_backward",
     "takes four gates out of the chunks of dimension 1, however few there are",
     [](Call call) { gates(call, 4); }},
    {"_thnn_differentiable_gru_cell_backward",
     "takes three gates out of the chunks of dimension 1, however few there are",
     [](Call call) { gates(call, 3); }},
    {"_pad_packed_sequence", "reads the data by the batch sizes", packed_sequence},
    {"_weight_norm _weight_norm_interface", "reads 'g' by the sizes of 'v'", weight_norm},
    {"_weight_norm_interface_backward", "reads the saved tensors by the sizes of 'saved_v'",
     weight_norm_backward},
    {"native_group_norm", "reads 'input' by the sizes N, C and HxW", group_norm},
    {"native_group_norm_backward", "reads all tensors by the sizes N, C and HxW",
     group_norm_backward},
    {"native_layer_norm_backward", "reads the gradient and the statistics by the sizes of 'input'",
     [](Call call) {
       layer_norm_backward(call, {"mean", "rstd"});
     }},
    {"_fused_rms_norm_backward", "reads the gradient and the statistics by the sizes of 'input'",
     [](Call call) { layer_norm_backward(call, {"rstd"}); }},
    {"batch_norm_update_stats", "reads the running statistics by the channels of 'input'",
     [](Call call) { batch_norm(call, true); }},
    {"native_batch_norm _native_batch_norm_legit", "reads the running statistics, given or not",
     [](Call call) { batch_norm(call, call.flag("training")); }},
    {"_native_batch_norm_legit_no_training _batch_norm_no_update",
     "reads the running statistics, given or not", [](Call call) { batch_norm(call, false); }},
    {"_batch_norm_with_update", "reads the running statistics, given or not",
     [](Call call) { batch_norm(call, false); }},
    {"native_batch_norm_backward", "reads the statistics by the channels of 'input'",
     [](Call call) { batch_norm_backward(call, "grad_out", "save_invstd", "train"); }},
    {"batch_norm_backward", "reads the statistics by the channels of 'input'",
     [](Call call) { batch_norm_backward(call, "grad_out", "save_var", "update"); }},
    {"_batch_norm_impl_index_backward", "reads the statistics by the channels of 'input'",
     [](Call call) { batch_norm_backward(call, "grad_output", "save_var_transform", "train"); }},
    {"max_pool2d_with_indices_backward adaptive_max_pool2d_backward",
     "writes wherever the indices point", [](Call call) { pool_indices(call, 2); }},
    {"max_pool3d_with_indices_backward adaptive_max_pool3d_backward",
     "writes wherever the indices point, which it reads from the start of their memory on",
     [](Call call) {
       pool_indices(call, 3);
       require_dense(call, {"indices"});
     }},
    {"fractional_max_pool2d_backward", "reads the lists and tensors by sizes of its own",
     [](Call call) {
       require_items(call, {"kernel_size", "output_size"}, 2);
       pool_indices(call, 2);
     }},
    {"fractional_max_pool3d_backward", "reads the lists and tensors by sizes of its own",
     [](Call call) {
       require_items(call, {"kernel_size", "output_size"}, 3);
       pool_indices(call, 3);
     }},
    {"_adaptive_avg_pool2d_backward", "writes by the channels of the gradient",
     [](Call call) { average_pool(call, 2); }},
    {"_adaptive_avg_pool3d_backward adaptive_avg_pool3d_backward",
     "writes by the channels of the gradient", [](Call call) { average_pool(call, 3); }},
    {"grid_sampler_2d_backward grid_sampler_3d_backward _grid_sampler_2d_cpu_fallback_backward",
     "reads the gradient by the sizes of 'input' and 'grid'", grid_gradient},
    {"unfold_backward", "reads the gradient by the sizes that it is told", unfold_sizes},
    {"nll_loss_backward nll_loss2d_backward", "writes wherever the targets point", class_targets},
    {"ctc_loss _ctc_loss", "reads the probabilities wherever the targets point", ctc_targets},
    {"_ctc_loss_backward", "reads and writes wherever the targets point", ctc_backward},
    {"_cdist_backward", "reads all tensors by the sizes of 'x1' and 'x2'", cdist_backward},
    {"_pdist_backward", "reads the distances by the rows of 'self'",
     [](Call call) {
       require_dims(call, "self", 2, 2);
       const int64_t rows = call.tensor("self").size(0);
       require_elements(call, {"grad", "pdist"}, rows * (rows - 1) / 2);
     }},
    {"_cholesky_solve_helper", "reads 'A' by the sizes of 'self'", cholesky_solve},
    {"linalg_lu_solve", "swaps the rows that the pivots name, within the matrix or not",
     [](Call call) { lu_pivots(call, "LU", "pivots"); }},
    {"lu_unpack", "swaps the rows that the pivots name, as many as the matrix should have",
     unpacked_pivots},
    {"lu_solve", "swaps the rows that the pivots name, within the matrix or not",
     [](Call call) { lu_pivots(call, "LU_data", "LU_pivots"); }},
    {"linalg_ldl_solve", "swaps the rows that the pivots name, within the matrix or not",
     ldl_pivots},
    {"segment_reduce", "reads the data by lengths or offsets that it does not check in full",
     segments},
    {"_segment_reduce_backward", "reads and writes by unchecked lengths or offsets",
     segments_backward},
    {"embedding_bag", "reads the weights by unchecked offsets", bag},
    {"_embedding_bag _embedding_bag_forward_only", "reads the weights by unchecked offsets",
     dense_bag},
    {"_embedding_bag_backward", "writes wherever the indices point", bag_backward_whole},
    {"_embedding_bag_dense_backward", "writes wherever the indices point",
     bag_backward_with_maximum},
    {"_embedding_bag_sparse_backward", "reads the gradient wherever 'offset2bag' points",
     bag_backward},
    {"_embedding_bag_per_sample_weights_backward",
     "reads the gradient and the weights wherever the indices point", bag_weights_backward},
    {"embedding_renorm embedding_renorm_", "writes the rows that the indices name",
     [](Call call) {
       require_dims(call, "self", 2, 2);
       require_within(call.tensor("indices"), "indices", 0, call.tensor("self").size(0) - 1);
     }},
    {"embedding_dense_backward", "counts the indices in a table of 'num_weights'",
     [](Call call) {
       require_within(call.tensor("indices"), "indices", 0, call.integer("num_weights") - 1);
     }},
    {"_fft_r2c _fft_c2r _fft_c2c", "uses the dimensions unchecked",
     [](Call call) {
       const int64_t dims = call.tensor("self").dim();
       for (const int64_t dim : call.integers("dim")) {
         if (!(dim >= 0 && dim < dims))
           refuse("'dim' to name dimensions of 'self' from its front, got " + std::to_string(dim));
       }
     }},
    {"_new_zeros_with_same_feature_meta", "uses the number of batch dimensions unchecked",
     [](Call call) {
       const int64_t batch = call.integer("self_num_batch_dims");
       require(batch >= 0 && batch <= call.tensor("self").dim(),
               "'self_num_batch_dims' of at most the dimensions of 'self'");
     }},
    {"_remove_batch_dim", "inserts the dimension wherever it is told",
     [](Call call) {
       const at::Tensor self = call.tensor("self");
       const int64_t dim = call.integer("out_dim");
       require_axis(dim, self.dim() + 1, "out_dim");
       require(dim >= 0 || self.key_set().has(c10::DispatchKey::FuncTorchBatched),
               "'out_dim' counted from the front for a tensor without a batch dimension");
     }},
    {"_add_batch_dim", "uses the dimension unchecked",
     [](Call call) {
       require_dims(call, "self", 1, 64);
       require_axis(call.integer("batch_dim"), call.tensor("self").dim(), "batch_dim");
     }},
    {"_cummax_helper _cummin_helper", "writes 'values' and 'indices' by the sizes of 'self'",
     [](Call call) {
       require_same_sizes(call, {"self", "values", "indices"});
       require(call.integer("dim") >= 0, "'dim' counted from the front");
       require_axis(call.integer("dim"), call.tensor("self").dim(), "dim");
     }},
    {"_transform_bias_rescale_qkv", "divides by the number of heads",
     [](Call call) {
       require_dims(call, "qkv", 3, 3);
       const int64_t heads = call.integer("num_heads");
       const int64_t width = call.tensor("qkv").size(2);
       require(heads > 0 && width > 0 && width % (3 * heads) == 0,
               "'qkv' to have three parts for each of 'num_heads' heads");
       require_elements(call, {"qkv_bias"}, width);
     }},
    {"conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d convolution",
     "divides by the number of groups, under vmap before it looks at it",
     [](Call call) { require(call.integer("groups", 1) > 0, "'groups' above 0"); }, nullptr,
     kCallsAlone},
    {"quantize_per_channel", "has no code for zero points with fractions and qint32",
     [](Call call) {
       require(!call.tensor("zero_points").is_floating_point() ||
                   call.integer("dtype") != static_cast<int64_t>(c10::kQInt32),
               "'zero_points' of whole numbers for qint32");
     }},
    {"_neg_view _neg_view_copy view.dtype view_copy.dtype view_copy.dtype_out",
     "reads a quantized tensor's numbers as if they were its own",
     [](Call call) {
       require(!call.tensor("self").is_quantized(), "a tensor that is not quantized");
     }},
    {"_make_per_channel_quantized_tensor", "reads a scale and a zero point for each channel",
     [](Call call) {
       const at::Tensor self = call.tensor("self");
       const int64_t axis = call.integer("axis");
       require(axis >= 0 && axis < self.dim(), "'axis' to name a dimension of 'self'");
       require_elements(call, {"scale", "zero_point"}, self.size(axis));
     }},
    {"_reshape_alias _reshape_alias_copy", "makes a view beyond the tensor's memory",
     [](Call call) {
       const at::Tensor self = call.tensor("self");
       if (!self.has_storage() || self.is_meta()) return;
       require_view(call.integers("size"), call.integers("stride"), self.storage_offset(),
                    elements_of_memory(self));
     }},
    {"_nested_view_from_buffer _nested_view_from_buffer_copy",
     "makes views beyond the buffer's memory", nested_views},
    {"_jagged_to_padded_dense_forward", "reads the values by unchecked offsets",
     [](Call call) {
       require_dims(call, "values", 1, 64);
       for (const at::Tensor& offsets : call.tensors("offsets")) {
         require_rising(offsets, "offsets", 0, call.tensor("values").size(0));
       }
     }},
    {"_padded_dense_to_jagged_forward", "writes the values by unchecked offsets",
     [](Call call) {
       const int64_t most = call.has("total_L") ? call.integer("total_L") : INT64_MAX;
       for (const at::Tensor& offsets : call.tensors("offsets")) {
         require_rising(offsets, "offsets", 0, most);
       }
     }},
    {"_sparse_coo_tensor_unsafe", "believes every index", sparse_coo},
    {"_sparse_coo_tensor_with_dims_and_tensors", "believes every index",
     [](Call call) {
       sparse_coo(call);
       require(call.integer("sparse_dim") == call.tensor("indices").size(0) &&
                   call.integer("dense_dim") == call.tensor("values").dim() - 1,
               "'sparse_dim' and 'dense_dim' to be those of 'indices' and 'values'");
     }},
    {"sparse_coo_tensor", "believes every index", sparse_coo, nullptr, kCallsAlone},
    {"sparse_compressed_tensor sparse_csr_tensor sparse_csc_tensor sparse_bsr_tensor "
     "sparse_bsc_tensor",
     "believes every index", sparse_compressed, nullptr, kCallsAlone},
    {"_sparse_compressed_tensor_unsafe _sparse_csr_tensor_unsafe _sparse_csc_tensor_unsafe "
     "_sparse_bsr_tensor_unsafe _sparse_bsc_tensor_unsafe",
     "believes every index", sparse_compressed},
    {"_convert_indices_from_coo_to_csr", "writes wherever the indices point",
     [](Call call) {
       require_dims(call, "self", 1, 1);
       require(call.integer("size") >= 0, "a size of at least 0");
       require_rising(call.tensor("self"), "self", 0, call.integer("size") - 1);
     }},
    {"_convert_indices_from_csr_to_coo", "writes by unchecked row pointers", row_pointers},
    {"special_chebyshev_* special_hermite_* special_laguerre_* special_legendre_* "
     "special_shifted_*",
     "counts up to 'n', for years when it is large", polynomial_degree},
};

}  // namespace

const std::vector<Guard>& all_guards() { return kGuards; }

}  // namespace aiforge
