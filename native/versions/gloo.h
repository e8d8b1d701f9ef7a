// What the methods of c10d's backends are called that take one tensor for a list: other names since
// 2.14.
#pragma once

#include <torch/headeronly/version.h>

#if TORCH_VERSION_MINOR >= 14
#define AIFORGE_GATHER_SINGLE all_gather_single
#define AIFORGE_GATHER_SINGLES all_gather_single_coalesced
#define AIFORGE_REDUCE_SCATTER_SINGLE reduce_scatter_single
#define AIFORGE_REDUCE_SCATTER_SINGLES reduce_scatter_single_coalesced
#define AIFORGE_ALL_TO_ALL_SINGLE all_to_all_single
#else
#define AIFORGE_GATHER_SINGLE _allgather_base
#define AIFORGE_GATHER_SINGLES allgather_into_tensor_coalesced
#define AIFORGE_REDUCE_SCATTER_SINGLE _reduce_scatter_base
#define AIFORGE_REDUCE_SCATTER_SINGLES reduce_scatter_tensor_coalesced
#define AIFORGE_ALL_TO_ALL_SINGLE alltoall_base
#endif
