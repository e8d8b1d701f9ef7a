// Preloaded into the fuzzer's children: tensors' memory lies at the end of pages of its own, before a page that nobody may
// touch, so that reading or writing beyond it ends the process at that very moment, as does using it after its release.
// The few bytes up to LibTorch's alignment are checked when the memory is released.
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ARENA_BYTES ((size_t)1 << 40)
#define LARGEST ((size_t)1 << 24)
#define PAGE ((size_t)4096)
#define CANARY 0xA7

static char *arena;
static size_t used;

struct header {
  size_t size;
  size_t pages;
};

extern void __libc_free(void *);
extern void *__libc_memalign(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

__attribute__((constructor)) static void reserve(void) {
  void *start = mmap(NULL, ARENA_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  arena = start == MAP_FAILED ? NULL : start;
}

static int is_fenced(const void *address) {
  return arena != NULL && (const char *)address >= arena && (const char *)address < arena + ARENA_BYTES;
}

// [header page][pages of the data, which end with it][fence]
int posix_memalign(void **result, size_t alignment, size_t size) {
  const size_t rounded = (size + alignment - 1) / alignment * alignment;
  const size_t pages = (rounded + PAGE - 1) / PAGE;
  const size_t whole = (pages + 2) * PAGE;
  size_t at = ARENA_BYTES;
  if (arena != NULL && alignment == 64 && size > 0 && size <= LARGEST) {
    at = __atomic_fetch_add(&used, whole, __ATOMIC_RELAXED);
  }
  if (at + whole > ARENA_BYTES) {
    *result = __libc_memalign(alignment, size);
    return *result == NULL ? ENOMEM : 0;
  }
  char *start = arena + at;
  if (mprotect(start, (pages + 1) * PAGE, PROT_READ | PROT_WRITE) != 0) return ENOMEM;
  struct header *header = (struct header *)start;
  header->size = size;
  header->pages = pages;
  char *data = start + (pages + 1) * PAGE - rounded;
  memset(data, 0xA5, size);
  memset(data + size, CANARY, rounded - size);
  *result = data;
  return 0;
}

void free(void *address) {
  if (!is_fenced(address)) {
    __libc_free(address);
    return;
  }
  char *page = (char *)((uintptr_t)address / PAGE * PAGE);
  struct header *header = (struct header *)(page - PAGE);
  for (size_t i = header->size; ((uintptr_t)address + i) % PAGE != 0 && i < (header->size + 63) / 64 * 64; ++i) {
    if (((unsigned char *)address)[i] == CANARY) continue;
    static const char message[] = "fence: bytes behind a tensor's memory were written\n";
    if (write(2, message, sizeof message - 1) < 0) abort();
    abort();
  }
  const size_t pages = header->pages;
  madvise(page - PAGE, (pages + 1) * PAGE, MADV_DONTNEED);
  mprotect(page - PAGE, (pages + 1) * PAGE, PROT_NONE);
}

void *realloc(void *address, size_t size) {
  if (!is_fenced(address)) return __libc_realloc(address, size);
  const char *page = (const char *)((uintptr_t)address / PAGE * PAGE);
  const size_t old = ((const struct header *)(page - PAGE))->size;
  void *moved = malloc(size);
  if (moved == NULL) return NULL;
  memcpy(moved, address, old < size ? old : size);
  free(address);
  return moved;
}
