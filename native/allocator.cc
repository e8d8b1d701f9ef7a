#include "allocator.h"

#include <cstddef>
#include <cstdlib>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace aiforge {

// By default glibc maps each large block anew and unmaps it when it is freed, so that every step of
// a training loop faults its activations in again: a fifth of the time of a ResNet on the CPU. The
// threshold is the largest that every version takes. Whoever sets it in the environment decides.
void keep_freed_blocks() {
#if defined(__GLIBC__)
  constexpr int kMappedBytes = 32 << 20;
  constexpr int kKeptBytes = 256 << 20;
  for (const char* name : {"MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"}) {
    if (std::getenv(name) != nullptr) return;
  }
  mallopt(M_MMAP_THRESHOLD, kMappedBytes);
  mallopt(M_TRIM_THRESHOLD, kKeptBytes);
#endif
}

// Tensors that come and go with the collector leave holes in the C heap, which grows by and by to
// several times what is in use.
void return_free_pages() {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
  constexpr size_t kFreeBytes = size_t{128} << 20;
  if (mallinfo2().fordblks > kFreeBytes) malloc_trim(0);
#endif
}

}  // namespace aiforge
