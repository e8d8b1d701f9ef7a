#include "allocator.h"

#include <c10/core/CPUAllocator.h>

#include <cstddef>
#include <cstdlib>

#include "large_blocks.h"
#include "small_blocks.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace aiforge {

std::atomic<int> memory_recordings{0};

namespace {

void report(void* data, int64_t bytes) {
  if (memory_recordings.load(std::memory_order_relaxed) == 0) return;
  c10::reportMemoryUsageToProfiler(data, bytes, 0, 0, c10::Device(c10::kCPU));
}

void free_data(void* data) {
  if (data == nullptr) return;
  Block* block = Block::of(data);
  report(data, -static_cast<int64_t>(block->bytes));
  const bool is_small = block->bytes <= small_blocks::kLargestBytes;
  is_small ? small_blocks::release(block) : large_blocks::release(block);
}

class CachingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    if (bytes == 0) return {nullptr, nullptr, &free_data, c10::Device(c10::kCPU)};
    Block* block = allocate_block(bytes);
    void* data = block->data();
    report(data, static_cast<int64_t>(block->bytes));
    return {data, data, &free_data, c10::Device(c10::kCPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &free_data; }

  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }

 private:
  static Block* allocate_block(size_t bytes) {
    const bool is_small = bytes <= small_blocks::kLargestBytes;
    return is_small ? small_blocks::allocate(bytes) : large_blocks::allocate(bytes);
  }
};

}  // namespace

void install_allocator() {
  // Who sets up the C heap, say to find wrong accesses, needs each block to come from there.
  for (const char* name : {"MALLOC_CHECK_", "MALLOC_PERTURB_", "MALLOC_MMAP_THRESHOLD_",
                           "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"}) {
    if (std::getenv(name) != nullptr) return;
  }
  static auto* allocator = new CachingAllocator;
  c10::SetCPUAllocator(allocator);
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
