// What operators there are, with their schemas and guards.
#include <ATen/core/dispatch/Dispatcher.h>

#include <atomic>

#include "../environment.h"
#include "../errors.h"
#include "../topics.h"
#include "operators.h"

namespace aiforge {

namespace {

Napi::Object argument_to_js(Napi::Env env, const c10::Argument& argument) {
  const ValueType type = value_type_of(argument.real_type(), argument.N());
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", argument.name());
  object.Set("type", type.text);
  object.Set("kind", static_cast<int>(type.kind));
  object.Set("isList", type.is_list);
  object.Set("isOptional", type.is_optional);
  object.Set("listSize", type.list_size);
  object.Set("kwargOnly", argument.kwarg_only());
  object.Set("isOut", argument.is_out());
  object.Set("hasDefault", argument.default_value().has_value());
  return object;
}

Napi::Object schema_to_js(Napi::Env env, const c10::FunctionSchema& schema) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", full_name(schema.operator_name()));
  object.Set("schema", c10::toString(schema));
  object.Set("checksum", checksum(schema));
  Napi::Array arguments = Napi::Array::New(env);
  for (const c10::Argument& argument : schema.arguments()) {
    arguments.Set(arguments.Length(), argument_to_js(env, argument));
  }
  object.Set("arguments", arguments);
  Napi::Array returns = Napi::Array::New(env);
  for (const c10::Argument& result : schema.returns()) {
    Napi::Object entry = argument_to_js(env, result);
    entry.Set("alias", alias_of(schema, result));
    returns.Set(returns.Length(), entry);
  }
  object.Set("returns", returns);
  return object;
}

// schema(name): one operator's schema as an object.
napi_value schema(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return schema_to_js(env, find_operator(args.string(0)).schema());
  });
}

// hasOperator(name)
napi_value has_operator(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const auto found = c10::Dispatcher::singleton().findSchema(operator_name(args.string(0)));
    return Napi::Boolean::New(env, found.has_value());
  });
}

// operatorNames(): every aten:: operator, without its namespace.
napi_value operator_names(napi_env env, napi_callback_info) {
  Napi::Array names = Napi::Array::New(env);
  for (const c10::OperatorName& name : c10::Dispatcher::singleton().getAllOpNames()) {
    if (name.name.rfind("aten::", 0) != 0) continue;
    if (!c10::Dispatcher::singleton().findSchema(name)) continue;
    names.Set(names.Length(), full_name(name).substr(6));
  }
  return names;
}

// Whether the process takes operators that are inner steps of others: all its environments do.
std::atomic<bool> takes_inner{false};

napi_value take_inner_operators(napi_env, napi_callback_info) {
  takes_inner = true;
  return nullptr;
}

napi_value takes_inner_operators(napi_env env, napi_callback_info) {
  return Napi::Boolean::New(env, takes_inner);
}

// guards(): the table of native/guards/guards.cc, for the documentation and the tests.
napi_value list_guards(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value {
    Napi::Array rows = Napi::Array::New(env);
    for (const Guard& guard : all_guards()) {
      Napi::Object row = Napi::Object::New(env);
      row.Set("operators", guard.operators);
      row.Set("reason", guard.reason);
      rows.Set(rows.Length(), row);
    }
    return rows;
  });
}

}  // namespace

void define_operator_list(Napi::Env env, Napi::Object exports) {
  define<schema>(env, exports, "schema");
  define<has_operator>(env, exports, "hasOperator");
  define<list_guards>(env, exports, "guards");
  define<take_inner_operators>(env, exports, "takeInnerOperators");
  define<takes_inner_operators>(env, exports, "takesInnerOperators");
  define<operator_names>(env, exports, "operatorNames");
}

}  // namespace aiforge
