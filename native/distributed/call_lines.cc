#include "call_lines.h"

#include "../calls/arguments.h"
#include "../environment.h"

namespace aiforge {

std::string line_of(napi_env env, uint32_t call) {
  const Napi::FunctionReference& source = Environment::of(env).line_source;
  if (call == 0 || source.IsEmpty()) return "";
  const Napi::HandleScope scope(env);
  const Napi::Value line = source.Call({Napi::Number::New(env, call)});
  return line.IsString() ? line.As<Napi::String>().Utf8Value() : "";
}

namespace {

// setLineSource(source): `source(call)` gives a line or undefined
napi_value set_line_source(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    Environment::of(env).line_source = Napi::Persistent(args.function(0));
    return nullptr;
  });
}

}  // namespace

void define_call_lines(napi_env env, napi_value object, Background& background) {
  background.define<set_line_source>(env, object, "setLineSource");
}

}  // namespace aiforge
