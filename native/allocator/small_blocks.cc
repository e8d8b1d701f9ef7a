#include "small_blocks.h"

#include <cstdint>

#include "size_class.h"

namespace aiforge::small_blocks {

namespace {

constexpr size_t kClasses = class_of(kLargestBytes) + 1;
constexpr size_t kMostKept = size_t{8} << 20;

// Has no destructor, so that tensors which outlive the thread's other variables can still be freed.
class Cache {
 public:
  Block* take(size_t size_class) {
    Block* block = free_[size_class];
    if (block == nullptr) return nullptr;
    free_[size_class] = block->next;
    kept_ -= block->bytes;
    return block;
  }

  bool keep(Block* block) {
    if (kept_ + block->bytes > kMostKept || !is_open()) return false;
    block->next = free_[block->size_class];
    free_[block->size_class] = block;
    kept_ += block->bytes;
    return true;
  }

 private:
  enum class State : uint8_t { kNew, kOpen, kClosed };

  bool is_open() {
    if (state_ == State::kNew) open();
    return state_ == State::kOpen;
  }

  void open() {
    struct AtThreadExit {
      explicit AtThreadExit(Cache* cache) : cache(cache) {}
      ~AtThreadExit() { cache->close(); }
      Cache* cache;
    };
    static thread_local AtThreadExit at_thread_exit(this);
    state_ = State::kOpen;
  }

  void close() {
    state_ = State::kClosed;
    for (size_t i = 0; i < kClasses; ++i) {
      while (Block* block = take(i)) Block::release(block);
    }
  }

  Block* free_[kClasses] = {};
  size_t kept_ = 0;
  State state_ = State::kNew;
};

thread_local constinit Cache cache;

}  // namespace

Block* allocate(size_t bytes) {
  const size_t size_class = class_of(bytes);
  Block* block = cache.take(size_class);
  return block == nullptr ? Block::make(size_class, bytes_of(size_class)) : block;
}

void release(Block* block) {
  if (!cache.keep(block)) Block::release(block);
}

}  // namespace aiforge::small_blocks
