#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <c10/core/Event.h>
#include <c10/core/Stream.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "../calls/values.h"
#include "../environment.h"
#include "../errors.h"
#include "../objects.h"
#include "accelerator.h"

namespace aiforge {

namespace {

struct StreamObject {
  static constexpr napi_type_tag tag = {0x51c6f0e37a1b4d92, 0x8e20d7b5c4f31a66};
  static constexpr const char* name = "Stream";
  c10::Stream stream;
};

struct EventObject {
  static constexpr napi_type_tag tag = {0x7f3a9e5520c84b17, 0xa1d06c82fe49b350};
  static constexpr const char* name = "Event";
  c10::Event event;
};

napi_value wrap_stream(napi_env env, c10::Stream stream) {
  return wrap_object(env, std::make_shared<StreamObject>(StreamObject{stream}));
}

c10::Stream stream_of(napi_env env, napi_value value) {
  return unwrap_object<StreamObject>(env, value)->stream;
}

// openStream(device, priority)
napi_value open_stream(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    const c10::Device device(c10::kCUDA, device_index(args, 0));
    at::globalContext().lazyInitDevice(c10::kCUDA);
    const c10::impl::VirtualGuardImpl guard(c10::kCUDA);
    return wrap_stream(env, guard.getNewStream(device, static_cast<int>(args.int64(1))));
  });
}

napi_value current_stream(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return wrap_stream(env, at::accelerator::getCurrentStream(device_index(args, 0)));
  });
}

napi_value default_stream(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const c10::Device device(c10::kCUDA, device_index(args, 0));
    const c10::impl::VirtualGuardImpl guard(c10::kCUDA);
    return wrap_stream(env, guard.getDefaultStream(device));
  });
}

// setCurrentStream(stream): its device becomes the current one too
napi_value set_current_stream(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const c10::Stream stream = stream_of(env, args[0]);
    at::accelerator::setDeviceIndex(stream.device_index());
    at::accelerator::setCurrentStream(stream);
    return nullptr;
  });
}

// streamInfo(stream): { id, device }
napi_value stream_info(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    const c10::Stream stream = stream_of(env, args[0]);
    Napi::Object object = Napi::Object::New(env);
    object.Set("id", from_int(env, stream.id()));
    object.Set("device", static_cast<double>(stream.device_index()));
    return object;
  });
}

napi_value stream_query(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return Napi::Boolean::New(env, stream_of(env, args[0]).query());
  });
}

napi_value stream_synchronize(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    stream_of(env, args[0]).synchronize();
    return nullptr;
  });
}

// streamSynchronizeBeside(stream): Promise<void>
napi_value stream_synchronize_beside(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return wait_beside(env, info, [stream = stream_of(env, args[0])] { stream.synchronize(); });
  });
}

// recordStream(tensor, stream): nobody else gets its memory before the stream's work so far is done
napi_value record_stream(napi_env env, napi_callback_info info) {
  return guarded(env, Call{info, "Tensor.recordStream", {"self"}}, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    const c10::Stream stream = stream_of(env, args[1]);
    Environment::of(env).handles.get(args.handle(0)).record_stream(stream);
    return nullptr;
  });
}

// openEvent(enableTiming)
napi_value open_event(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    require_device();
    const auto flag =
        args.boolean(0) ? c10::EventFlag::BACKEND_DEFAULT : c10::EventFlag::PYTORCH_DEFAULT;
    return wrap_object(env,
                       std::make_shared<EventObject>(EventObject{c10::Event(c10::kCUDA, flag)}));
  });
}

napi_value event_record(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    unwrap_object<EventObject>(env, args[0])->event.record(stream_of(env, args[1]));
    return nullptr;
  });
}

// eventBlock(event, stream): the stream's later work waits for the event
napi_value event_block(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    unwrap_object<EventObject>(env, args[0])->event.block(stream_of(env, args[1]));
    return nullptr;
  });
}

napi_value event_query(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return Napi::Boolean::New(env, unwrap_object<EventObject>(env, args[0])->event.query());
  });
}

napi_value event_synchronize(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    unwrap_object<EventObject>(env, args[0])->event.synchronize();
    return nullptr;
  });
}

// eventSynchronizeBeside(event): Promise<void>
napi_value event_synchronize_beside(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> args(env, info);
    return wait_beside(env, info, [object = unwrap_object<EventObject>(env, args[0])] {
      object->event.synchronize();
    });
  });
}

// eventElapsed(start, end): milliseconds
napi_value event_elapsed(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> args(env, info);
    const auto start = unwrap_object<EventObject>(env, args[0]);
    const auto end = unwrap_object<EventObject>(env, args[1]);
    return number(env, start->event.elapsedTime(end->event));
  });
}

}  // namespace

void define_streams(Napi::Env env, Napi::Object object, Background& background) {
  background.define<stream_synchronize_beside>(env, object, "streamSynchronizeBeside");
  background.define<event_synchronize_beside>(env, object, "eventSynchronizeBeside");
  define<open_stream>(env, object, "openStream");
  define<current_stream>(env, object, "currentStream");
  define<default_stream>(env, object, "defaultStream");
  define<set_current_stream>(env, object, "setCurrentStream");
  define<stream_info>(env, object, "streamInfo");
  define<stream_query>(env, object, "streamQuery");
  define<stream_synchronize>(env, object, "streamSynchronize");
  define<record_stream>(env, object, "recordStream");
  define<open_event>(env, object, "openEvent");
  define<event_record>(env, object, "eventRecord");
  define<event_block>(env, object, "eventBlock");
  define<event_query>(env, object, "eventQuery");
  define<event_synchronize>(env, object, "eventSynchronize");
  define<event_elapsed>(env, object, "eventElapsed");
}

}  // namespace aiforge
