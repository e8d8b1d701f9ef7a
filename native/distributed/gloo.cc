#include "gloo.h"

#include <torch/csrc/distributed/c10d/debug.h>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupWrapper.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "store_reads.h"

namespace aiforge {

using Store = c10::intrusive_ptr<c10d::Store>;

namespace {

// Whether a wait for a key costs nothing: it is looked for again and again in a file, which also is
// deleted only when nobody uses it any more.
bool is_served(const Store& store) {
  return dynamic_cast<c10d::TCPStore*>(&whole_of(*store)) != nullptr;
}

}  // namespace

c10::intrusive_ptr<c10d::Backend> make_gloo(const Store& store, const GlooOptions& options,
                                            GroupWatch::AskLine ask_line) {
  const GroupWatch::Clients of_watch{store->clone(), is_served(store) ? store->clone() : Store()};
  auto gloo = c10::make_intrusive<CheckedGloo>(store, options);
  gloo->check(of_watch, std::move(ask_line));
  if (gloo->is_checked() || c10d::debug_level() != c10d::DebugLevel::Detail) return gloo;
  // Python's ranks compare in this mode what they are about to do, and ask it of ours.
  const Store of_checks =
      c10::make_intrusive<c10d::PrefixStore>("pg_wrapper:" + options.group, store);
  return c10::make_intrusive<c10d::ProcessGroupWrapper>(
      gloo, c10::make_intrusive<CheckedGloo>(of_checks, options));
}

}  // namespace aiforge
