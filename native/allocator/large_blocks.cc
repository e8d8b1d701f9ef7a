#include "large_blocks.h"

#include <cstdint>
#include <mutex>
#include <new>

#include "size_class.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace aiforge::large_blocks {

namespace {

// Each block is mapped for itself: in the C heap large ones would leave holes, and its thresholds
// are the host program's. Null where that fails.
Block* map(size_t size_class, size_t bytes) {
#if defined(__linux__)
  if (bytes < PTRDIFF_MAX) {
    constexpr int kAccess = PROT_READ | PROT_WRITE;
    constexpr int kKind = MAP_PRIVATE | MAP_ANONYMOUS;
    void* memory = mmap(nullptr, sizeof(Block) + bytes, kAccess, kKind, -1, 0);
    if (memory != MAP_FAILED) {
      return new (memory) Block{.size_class = size_class, .bytes = bytes, .is_mapped = true};
    }
  }
#endif
  return nullptr;
}

void unmake(Block* block) {
#if defined(__linux__)
  if (block->is_mapped) {
    munmap(block, sizeof(Block) + block->bytes);
    return;
  }
#endif
  Block::release(block);
}

constexpr size_t kLargestKept = size_t{128} << 20;
constexpr size_t kClasses = class_of(kLargestKept) + 1;
constexpr size_t kMostKept = size_t{256} << 20;
constexpr size_t kSlack = size_t{32} << 20;

// Blocks in use and kept ones together take little more than the most that was in use at once.
class Cache {
 public:
  // A kept block, or none after making room for a new one.
  Block* take(size_t size_class) {
    const std::scoped_lock lock(mutex_);
    Block* block = newest_[size_class];
    if (block != nullptr) {
      remove(block);
      use(block->bytes);
    } else {
      shrink(most_in_all() - std::min(most_in_all(), used_ + bytes_of(size_class)));
    }
    return block;
  }

  void add(const Block* block) {
    const std::scoped_lock lock(mutex_);
    use(block->bytes);
  }

  void keep(Block* block) {
    const std::scoped_lock lock(mutex_);
    used_ -= block->bytes;
    insert(block);
    shrink(kMostKept);
  }

  // Releases every kept block.
  void empty() {
    const std::scoped_lock lock(mutex_);
    shrink(0);
  }

 private:
  // Without slack, blocks of some sizes would be mapped and released anew in each step.
  size_t most_in_all() const { return most_used_ + most_used_ / 16 + kSlack; }

  void use(size_t bytes) {
    used_ += bytes;
    most_used_ = std::max(most_used_, used_);
  }

  void insert(Block* block) {
    block->previous = nullptr;
    block->next = newest_[block->size_class];
    if (block->next != nullptr) block->next->previous = block;
    newest_[block->size_class] = block;
    block->newer = nullptr;
    block->older = newest_of_all_;
    (newest_of_all_ == nullptr ? oldest_of_all_ : newest_of_all_->newer) = block;
    newest_of_all_ = block;
    kept_ += block->bytes;
  }

  void remove(Block* block) {
    if (block->next != nullptr) block->next->previous = block->previous;
    (block->previous == nullptr ? newest_[block->size_class] : block->previous->next) = block->next;
    (block->newer == nullptr ? newest_of_all_ : block->newer->older) = block->older;
    (block->older == nullptr ? oldest_of_all_ : block->older->newer) = block->newer;
    kept_ -= block->bytes;
  }

  void shrink(size_t most_kept) {
    while (kept_ > most_kept) {
      Block* block = oldest_of_all_;
      remove(block);
      unmake(block);
    }
  }

  std::mutex mutex_;
  size_t used_ = 0;
  size_t most_used_ = 0;
  size_t kept_ = 0;
  Block* newest_[kClasses] = {};
  Block* newest_of_all_ = nullptr;
  Block* oldest_of_all_ = nullptr;
};

// Never destroyed: tensors may be freed at the very end of the process.
Cache& cache() {
  static auto* instance = new Cache;
  return *instance;
}

Block* make(size_t size_class, size_t bytes) {
  if (Block* block = map(size_class, bytes)) return block;
  cache().empty();
  if (Block* block = map(size_class, bytes)) return block;
  // Most likely throws, as LibTorch does when memory runs out.
  return Block::make(size_class, bytes);
}

}  // namespace

Block* allocate(size_t bytes) {
  const size_t size_class = class_of(bytes);
  if (bytes > kLargestKept) return make(size_class, bytes);
  if (Block* kept = cache().take(size_class)) return kept;
  Block* block = make(size_class, bytes_of(size_class));
  cache().add(block);
  return block;
}

void release(Block* block) { block->bytes > kLargestKept ? unmake(block) : cache().keep(block); }

}  // namespace aiforge::large_blocks
