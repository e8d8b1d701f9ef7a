#include <c10/core/Layout.h>

#include "../errors.h"
#include "values.h"

namespace aiforge {

namespace {

struct LayoutName {
  const char* name;
  c10::Layout layout;
};
constexpr LayoutName kLayouts[] = {
    {"strided", c10::kStrided},      {"sparse_coo", c10::kSparse},
    {"sparse_csr", c10::kSparseCsr}, {"sparse_csc", c10::kSparseCsc},
    {"sparse_bsr", c10::kSparseBsr}, {"sparse_bsc", c10::kSparseBsc},
    {"_mkldnn", c10::kMkldnn},       {"jagged", c10::Layout::Jagged},
};

}  // namespace

const char* layout_name(c10::Layout layout) {
  for (const LayoutName& entry : kLayouts) {
    if (layout == entry.layout) return entry.name;
  }
  return "unknown";
}

c10::Layout layout_from_name(const std::string& name) {
  for (const LayoutName& entry : kLayouts) {
    if (name == entry.name) return entry.layout;
  }
  throw Error("INVALID_ARGUMENT",
              "unknown layout '" + name + "'; expected 'strided', 'sparse_coo', 'sparse_csr', … ");
}

}  // namespace aiforge
