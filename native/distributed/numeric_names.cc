#include "numeric_names.h"

#include <elf.h>
#include <link.h>
#include <netdb.h>

#include <cstdint>
#include <cstring>
#include <mutex>
#include <string>

namespace aiforge {

namespace {

using Describe = decltype(&getnameinfo);

int describe(const sockaddr* address, socklen_t address_size, char* host, socklen_t host_size,
             char* service, socklen_t service_size, int flags) {
  return ::getnameinfo(address, address_size, host, host_size, service, service_size,
                       flags | NI_NUMERICHOST);
}

// What a loaded library's dynamic section says of the functions that it calls of others.
struct Calls {
  const ElfW(Sym) * symbols = nullptr;
  const char* names = nullptr;
  const ElfW(Rela) * slots = nullptr;
  size_t count = 0;
};

Calls calls_of(const dl_phdr_info& library) {
  Calls calls;
  for (int i = 0; i < library.dlpi_phnum; ++i) {
    if (library.dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
    const auto* entry =
        reinterpret_cast<const ElfW(Dyn)*>(library.dlpi_addr + library.dlpi_phdr[i].p_vaddr);
    for (; entry->d_tag != DT_NULL; ++entry) {
      // glibc has relocated these addresses already.
      const auto address = static_cast<uintptr_t>(entry->d_un.d_ptr);
      if (entry->d_tag == DT_SYMTAB) calls.symbols = reinterpret_cast<const ElfW(Sym)*>(address);
      if (entry->d_tag == DT_STRTAB) calls.names = reinterpret_cast<const char*>(address);
      if (entry->d_tag == DT_JMPREL) calls.slots = reinterpret_cast<const ElfW(Rela)*>(address);
      if (entry->d_tag == DT_PLTRELSZ) calls.count = entry->d_un.d_val / sizeof(ElfW(Rela));
    }
  }
  return calls;
}

// Whether the loader has made the memory read-only.
bool is_sealed(const dl_phdr_info& library, ElfW(Addr) offset) {
  for (int i = 0; i < library.dlpi_phnum; ++i) {
    const auto& segment = library.dlpi_phdr[i];
    if (segment.p_type == PT_GNU_RELRO && offset >= segment.p_vaddr &&
        offset < segment.p_vaddr + segment.p_memsz) {
      return true;
    }
  }
  return false;
}

int redirect(dl_phdr_info* library, size_t, void*) {
  const std::string path = library->dlpi_name;
  if (path.find("libtorch_cpu.so") == std::string::npos) return 0;
  const Calls calls = calls_of(*library);
  if (calls.symbols == nullptr || calls.names == nullptr || calls.slots == nullptr) return 0;
  for (size_t i = 0; i < calls.count; ++i) {
    const auto& slot = calls.slots[i];
    const auto& symbol = calls.symbols[ELF64_R_SYM(slot.r_info)];
    if (std::strcmp(calls.names + symbol.st_name, "getnameinfo") != 0) continue;
    if (is_sealed(*library, slot.r_offset)) continue;
    *reinterpret_cast<Describe*>(library->dlpi_addr + slot.r_offset) = &describe;
  }
  return 0;
}

}  // namespace

void describe_addresses_by_numbers() {
  static std::once_flag once;
  std::call_once(once, [] { dl_iterate_phdr(redirect, nullptr); });
}

}  // namespace aiforge
