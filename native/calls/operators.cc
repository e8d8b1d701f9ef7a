#include "operators.h"

#include <ATen/MemoryOverlap.h>
#include <ATen/ScalarOps.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/headeronly/version.h>

#include "../environment.h"
#include "../errors.h"
#include "../topics.h"
#include "../transforms/functorch.h"
#include "each_tensor.h"
#include "saved_metadata.h"

namespace aiforge {

std::string full_name(const c10::OperatorName& name) {
  return name.overload_name.empty() ? name.name : name.name + "." + name.overload_name;
}

int alias_of(const c10::FunctionSchema& schema, const c10::Argument& result) {
  const c10::AliasInfo* alias = result.alias_info();
  if (alias == nullptr || !alias->isWrite()) return -1;
  for (size_t i = 0; i < schema.arguments().size(); ++i) {
    const c10::AliasInfo* other = schema.arguments()[i].alias_info();
    if (other != nullptr && other->isWrite() && other->beforeSets() == alias->beforeSets()) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

c10::OperatorName operator_name(const std::string& name) {
  const std::string qualified = name.rfind("::") == std::string::npos ? "aten::" + name : name;
  const size_t dot = qualified.find('.');
  if (dot == std::string::npos) return {qualified, ""};
  return {qualified.substr(0, dot), qualified.substr(dot + 1)};
}

c10::OperatorHandle find_operator(const std::string& name) {
  const auto handle = c10::Dispatcher::singleton().findSchema(operator_name(name));
  if (!handle) {
    throw Error("UNKNOWN_OPERATOR", "LibTorch " TORCH_VERSION " has no operator '" + name +
                                        "'; ops.schemas() lists those it has");
  }
  return *handle;
}

namespace {

// Arithmetic in place refuses what would not fit before it begins; so LibTorch's tag and names say.
bool may_resize(const c10::OperatorHandle& op) {
  const std::string& name = op.operator_name().name;
  return name.back() != '_' || op.hasTag(at::Tag::inplace_view) ||
         name.find("resize") != std::string::npos;
}

bool writes_into(const c10::Argument& argument) {
  return argument.alias_info() != nullptr && argument.alias_info()->isWrite();
}

}  // namespace

Operator::Operator(c10::OperatorHandle found)
    : handle(found),
      name(full_name(found.operator_name())),
      guards(guards_of(name, {c10::DispatchKey::CPU, kCallsAlone})),
      inner_parts(found.schema()),
      resizes(may_resize(found)),
      draws(found.hasTag(at::Tag::nondeterministic_seeded)) {
  const c10::FunctionSchema& schema = found.schema();
  const bool takes_memory = schema.name() == "aten::set_";  // another tensor's
  for (const c10::Argument& argument : schema.arguments()) {
    ValueType type = value_type_of(argument.real_type(), argument.N());
    const bool is_required = !argument.default_value().has_value() && !type.is_optional;
    if (argument.is_out()) outs.push_back(arguments.size());
    if (writes_into(argument)) writes.push_back(arguments.size());
    if (writes_into(argument) || takes_memory) needs_memory.push_back(arguments.size());
    arguments.push_back({argument.name(), std::move(type),
                         argument.default_value().value_or(c10::IValue()), is_required});
  }
  for (const c10::Argument& result : schema.returns()) {
    returns.push_back(value_type_of(result.real_type(), result.N()));
    aliases.push_back(alias_of(schema, result));
  }
}

uint32_t OperatorTable::add(std::string name, bool as_linked) {
  entries_.push_back({std::move(name), as_linked, nullptr});
  return static_cast<uint32_t>(entries_.size() - 1);
}

const Operator& OperatorTable::get(uint32_t id) {
  if (id >= entries_.size()) throw Error("UNKNOWN_OPERATOR", "no operator has this number");
  Entry& entry = entries_[id];
  if (!entry.resolved) {
    const c10::OperatorHandle found = find_operator(entry.name);
    if (!entry.as_linked) written.check(entry.name, found.schema());
    entry.resolved = std::make_unique<Operator>(found);
  }
  return *entry.resolved;
}

namespace {

// Longer argument lists than this exist for a handful of fused operators; they are read twice.
constexpr size_t kUsualArguments = 10;
constexpr size_t kMostArguments = 64;

void push_arguments(Environment& environment, napi_env env, const Operator& op,
                    const napi_value* values, size_t count, torch::jit::Stack& stack) {
  if (count > op.arguments.size()) {
    throw Error("INVALID_ARGUMENT", "takes at most " + std::to_string(op.arguments.size()) +
                                        " arguments, got " + std::to_string(count));
  }
  for (size_t i = 0; i < op.arguments.size(); ++i) {
    const Operator::Argument& argument = op.arguments[i];
    napi_valuetype kind = napi_undefined;
    if (i < count) napi_typeof(env, values[i], &kind);
    if (kind == napi_undefined) {
      if (argument.is_required) {
        throw Error("INVALID_ARGUMENT",
                    "needs an argument '" + argument.name + "' (" + argument.type.text + ")");
      }
      stack.push_back(argument.default_value);
      continue;
    }
    try {
      stack.push_back(to_ivalue(environment, env, values[i], argument.type));
    } catch (const Error& error) {
      throw Error(error.code, "argument '" + argument.name + "': " + error.what());
    }
  }
}

// A tensor that stands for zeros has no memory, not even to be resized.
void check_has_memory(const at::Tensor& tensor, const std::string& name) {
  if (!innermost(tensor)._is_zerotensor()) return;
  throw Error("INVALID_ARGUMENT", "argument '" + name + "' stands for zeros; clone() it");
}

// Kernels that write their results from the start of the memory on do so whatever its strides are.
void check_out(const at::Tensor& given, const std::string& name) {
  const at::Tensor& tensor = innermost(given);
  if (tensor.layout() != c10::kStrided) return;
  if (at::has_internal_overlap(tensor) != at::MemOverlap::Yes) return;
  throw Error(
      "INVALID_ARGUMENT",
      "argument '" + name + "': several of its elements lie at one place in memory; clone() it");
}

void check_written(const Operator& op, const torch::jit::Stack& stack) {
  for (const size_t i : op.needs_memory) {
    each_tensor(stack[i],
                [&](const at::Tensor& tensor) { check_has_memory(tensor, op.arguments[i].name); });
  }
  for (const size_t i : op.outs) {
    each_tensor(stack[i],
                [&](const at::Tensor& tensor) { check_out(tensor, op.arguments[i].name); });
  }
}

// A result that is written into one of the arguments itself may be resized, and kernels then read
// the argument by its new sizes: they get it as a tensor of its own, with the sizes that it had.
void separate_outs(const Operator& op, torch::jit::Stack& stack) {
  for (const size_t out : op.outs) {
    if (!stack[out].isTensor() || !stack[out].toTensor().defined()) continue;
    for (size_t i = 0; i < stack.size(); ++i) {
      if (i == out || !stack[i].isTensor()) continue;
      if (stack[i].toTensor().is_same(stack[out].toTensor()))
        stack[i] = stack[i].toTensor().detach();
    }
  }
}

void prepare(Environment& environment, napi_env env, const Operator& op, const napi_value* values,
             size_t count, torch::jit::Stack& stack) {
  stack.clear();
  push_arguments(environment, env, op, values, count, stack);
  if (!op.writes.empty()) {
    check_written(op, stack);
    separate_outs(op, stack);
  }
  for (const Guard* guard : op.guards) guard->check({op.handle.schema(), stack});
  op.inner_parts.take(stack);
}

// An operator that fails leaves the sizes of what it writes as they were.
void call_writing(const Operator& op, torch::jit::Stack& stack) {
  const SavedMetadata before(stack, op.writes, op.resizes);
  try {
    op.handle.callBoxed(stack);
    if (op.resizes) before.check_within_memory();
  } catch (...) {
    before.restore();
    throw;
  }
}

// Where there is no memory left, tensors whose objects nobody has any more may hold it: an operator
// that changes none of its arguments is tried again without them.
void call_boxed(Environment& environment, napi_env env, const Operator& op,
                const napi_value* values, size_t count, torch::jit::Stack& stack) {
  std::optional<Drawing> drawing;
  if (op.draws) drawing.emplace(environment);
  if (!op.writes.empty()) return call_writing(op, stack);
  try {
    return op.handle.callBoxed(stack);
  } catch (const c10::Error& error) {
    if (!says_out_of_memory(error.what_without_backtrace())) throw;
  }
  // Before the collection, which may take the arguments' own objects: their numbers were read.
  prepare(environment, env, op, values, count, stack);
  environment.collect(env);
  op.handle.callBoxed(stack);
}

napi_value results(Environment& environment, napi_env env, const Operator& op,
                   torch::jit::Stack& stack) {
  const size_t count = op.aliases.size();
  if (count == 0) return nullptr;
  // An alias is an argument that JavaScript has already: it gets undefined here.
  if (count == 1) {
    if (op.aliases[0] >= 0) return nullptr;
    if (stack[0].isTensor()) return from_tensor(environment, env, std::move(stack[0]).toTensor());
    return from_ivalue(environment, env, stack[0], op.returns[0]);
  }
  napi_value array = nullptr;
  check(env, napi_create_array_with_length(env, count, &array));
  for (size_t i = 0; i < count; ++i) {
    if (op.aliases[i] >= 0) continue;
    check(env, napi_set_element(env, array, static_cast<uint32_t>(i),
                                from_ivalue(environment, env, stack[i], op.returns[i])));
  }
  return array;
}

ErrorContext context_of(Environment& environment, napi_env env, const Operator* op,
                        const napi_value* values, size_t count) {
  ErrorContext context;
  if (op == nullptr || is_pending(env)) return context;
  context.op = op->name;
  for (size_t i = 0; i < count && i < op->arguments.size(); ++i) {
    const Operator::Argument& argument = op->arguments[i];
    napi_valuetype kind = napi_undefined;
    napi_typeof(env, values[i], &kind);
    if (kind == napi_undefined) continue;
    std::string text;
    try {
      text = describe(environment, env, values[i], argument.type);
    } catch (...) {
      text = "a value of another kind";
    }
    context.args.push_back(argument.name + ": " + text);
  }
  return context;
}

napi_value call(napi_env env, napi_callback_info info) {
  napi_value few[kUsualArguments + 1];
  napi_value many[kMostArguments + 1];
  napi_value* values = few;
  size_t count = kUsualArguments + 1;
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, few, nullptr, &data);
  if (count > kUsualArguments + 1) {
    values = many;
    count = kMostArguments + 1;
    napi_get_cb_info(env, info, &count, many, nullptr, &data);
  }
  auto& environment = *static_cast<Environment*>(data);
  const Operator* op = nullptr;
  const size_t given = count == 0 ? 0 : std::min(count - 1, kMostArguments);
  try {
    uint32_t id = 0;
    check(env, napi_get_value_uint32(env, values[0], &id));
    op = &environment.operators.get(id);
    // The last call's stack, emptied, spares an allocation; a call within this one makes its own.
    torch::jit::Stack stack = std::move(environment.spare_stack);
    prepare(environment, env, *op, values + 1, given, stack);
    call_boxed(environment, env, *op, values + 1, given, stack);
    op->inner_parts.give(stack);
    const napi_value result = results(environment, env, *op, stack);
    stack.clear();
    environment.spare_stack = std::move(stack);
    return result;
  } catch (...) {
    // Described from the exception's own handler, since describing may throw and catch too.
    const std::exception_ptr failure = std::current_exception();
    ErrorContext context;
    try {
      context = context_of(environment, env, op, values + 1, given);
    } catch (...) {
      // The error is told without its arguments.
    }
    try {
      std::rethrow_exception(failure);
    } catch (...) {
      throw_current_exception(env, context);
    }
    return nullptr;
  }
}

// wrapNumber(scalar): a tensor that stands for a plain number in type promotion, as Python makes
// one where a function takes numbers for tensors.
napi_value wrap_number(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    at::Tensor tensor = c10::scalar_to_tensor(read_scalar(env, args[0]));
    tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
    return from_tensor(Environment::of(env), env, std::move(tensor));
  });
}

// registerOperators(names, asLinked): the number of the first; the others follow it.
napi_value register_operators(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    const ValueType type{Kind::String, true, false, false, 0, "str[]"};
    Environment& environment = Environment::of(env);
    const c10::List<std::string> names =
        to_ivalue(environment, env, args[0], type).to<c10::List<std::string>>();
    const bool as_linked = !args.is_missing(1) && args.boolean(1);
    uint32_t first = 0;
    for (size_t i = 0; i < names.size(); ++i) {
      const uint32_t id = environment.operators.add(names.get(i), as_linked);
      if (i == 0) first = id;
    }
    return number(env, first);
  });
}

// writtenFor(lines): the schemas that the callers of registered operators were written for
napi_value written_for(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    Environment::of(env).operators.written.read(args.string(0));
    return nullptr;
  });
}

}  // namespace

void define_operators(Napi::Env env, Napi::Object exports) {
  define<call>(env, exports, "call", &Environment::of(env));
  define<register_operators>(env, exports, "registerOperators");
  define<written_for>(env, exports, "writtenFor");
  define<wrap_number>(env, exports, "wrapNumber");
}

}  // namespace aiforge
