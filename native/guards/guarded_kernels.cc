#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <mutex>

#include "../calls/operators.h"
#include "../errors.h"
#include "guards.h"

namespace aiforge {

namespace {

using c10::DispatchKey;

// A kernel with its guards before it, in the place that the kernel had in the dispatcher.
class GuardedKernel : public c10::OperatorKernel {
 public:
  GuardedKernel(c10::SafeKernelFunction kernel, std::vector<const Guard*> guards)
      : kernel_(std::move(kernel)), guards_(std::move(guards)) {}

  void operator()(const c10::OperatorHandle& op, c10::DispatchKeySet keys,
                  torch::jit::Stack* stack) {
    const c10::FunctionSchema& schema = op.schema();
    check({schema, torch::jit::last(*stack, schema.arguments().size())}, schema.name());
    kernel_.callBoxed(op, keys, stack);
  }

 private:
  void check(const GuardedCall& call, const std::string& name) const {
    try {
      for (const Guard* guard : guards_) guard->check(call);
    } catch (const Error& error) {
      throw Error(error.code, name + ": " + error.what());
    }
  }

  c10::SafeKernelFunction kernel_;
  std::vector<const Guard*> guards_;
};

// A composite consists of operators that have kernels, and guards, of their own.
bool has_kernel(const c10::OperatorHandle& op, DispatchKey key) {
  if (op.hasKernelForDispatchKey(key)) return true;
  return key == DispatchKey::CPU &&
         (op.hasKernelForDispatchKey(DispatchKey::CompositeExplicitAutograd) ||
          op.hasKernelForDispatchKey(DispatchKey::CompositeExplicitAutogradNonFunctional));
}

// Optimizers alone call what works on a list of tensors, and so often that the guard before the
// call must do.
bool works_on_list(const c10::OperatorHandle& op) {
  const std::vector<c10::Argument>& arguments = op.schema().arguments();
  return !arguments.empty() && *arguments[0].type() == *c10::ListType::ofTensors();
}

std::vector<const Guard*> rules_of(const c10::OperatorName& name, DispatchKey key) {
  std::vector<const Guard*> guards = guards_of(full_name(name), {key});
  guards.erase(std::remove_if(guards.begin(), guards.end(),
                              [](const Guard* guard) { return guard->instead != nullptr; }),
               guards.end());
  return guards;
}

// The dispatcher tells when a kernel takes another's place.
class Silent : public c10::WarningHandler {
  void process(const c10::Warning&) override {}
};

void guard_one(const c10::OperatorName& name, DispatchKey key) {
  std::vector<const Guard*> guards = rules_of(name, key);
  if (guards.empty()) return;
  c10::Dispatcher& dispatcher = c10::Dispatcher::singleton();
  const c10::OperatorHandle op =
      dispatcher.findSchemaOrThrow(name.name.c_str(), name.overload_name.c_str());
  if (!has_kernel(op, key) || (key == DispatchKey::CPU && works_on_list(op))) return;
  auto kernel =
      std::make_unique<GuardedKernel>(op.getComputedKernelForDispatchKey(key), std::move(guards));
  // For as long as the process lives: threads may end after main() has.
  static auto* registrations = new std::vector<c10::RegistrationHandleRAII>();
  registrations->push_back(dispatcher.registerImpl(
      name, key, c10::KernelFunction::makeFromBoxedFunctor(std::move(kernel)), std::nullopt,
      nullptr, "a guard of aiforge"));
}

void guard_all() {
  Silent silent;
  const c10::WarningUtils::WarningHandlerGuard quiet(&silent);
  for (const c10::OperatorName& name : c10::Dispatcher::singleton().getAllOpNames()) {
    for (const DispatchKey key :
         {DispatchKey::CPU, DispatchKey::NestedTensorCPU, DispatchKey::QuantizedCPU}) {
      guard_one(name, key);
    }
  }
}

}  // namespace

void guard_kernels() {
  static std::once_flag once;
  std::call_once(once, guard_all);
}

}  // namespace aiforge
