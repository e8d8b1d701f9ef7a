#include "objects.h"

#include "../objects.h"
#include "collective_call.h"
#include "object_exchange.h"
#include "process_group.h"

namespace aiforge {

namespace {

using Bytes = ObjectExchange::Bytes;

c10::intrusive_ptr<CheckedGloo> gloo_of(c10d::ProcessGroup& group, const char* name) {
  const auto gloo = checked_gloo(group);
  if (gloo) return gloo;
  throw Error("INVALID_ARGUMENT",
              std::string(name) +
                  " is for ranks of Node: a rank of this process group is Python's, which sends "
                  "its objects in a form of its own");
}

// A list with bytes or null for each rank; what several ranks get is copied once.
std::vector<std::shared_ptr<const Bytes>> read_outgoing(napi_env env, napi_value value) {
  if (!Napi::Value(env, value).IsArray()) reject(env, value, "a list of bytes");
  const Napi::Array list(env, value);
  std::vector<std::shared_ptr<const Bytes>> outgoing;
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Value each = list[i];
    if (each.IsNull()) {
      outgoing.push_back(nullptr);
    } else if (i > 0 && each.StrictEquals(list[i - 1])) {
      outgoing.push_back(outgoing.back());
    } else {
      outgoing.push_back(std::make_shared<const Bytes>(read_bytes(env, each)));
    }
  }
  return outgoing;
}

napi_value to_js(napi_env env, const std::vector<Bytes>& received) {
  Napi::Array list = Napi::Array::New(env, received.size());
  for (uint32_t i = 0; i < received.size(); ++i) {
    list[i] = Napi::Value(env, to_uint8_array(env, received[i].data(), received[i].size()));
  }
  return list;
}

// The names must outlive the call.
const char* name_of(const std::string& name) {
  for (const char* each : {"broadcastBytes", "broadcastObject", "allGatherObject", "gatherObject",
                           "scatterObjectList", "sendObject", "recvObject"}) {
    if (name == each) return each;
  }
  throw Error("INVALID_ARGUMENT", "'" + name + "' exchanges no objects");
}

// What each exchange is given first: (group, call, timeoutMs | null, name, …)
struct ObjectsCall {
  ObjectsCall(napi_env env, napi_callback_info info)
      : env(env),
        args(env, info),
        background(Background::of(env, info)),
        group(live_group(env, args[0])),
        call(env, args, *group),
        name(name_of(args.string(3))),
        gloo(gloo_of(*group, name)) {}

  napi_value run(GroupWatch::Record record, std::vector<std::shared_ptr<const Bytes>> outgoing,
                 std::vector<int> sources) const {
    auto exchange = std::make_shared<ObjectExchange>(gloo, std::move(record), std::move(outgoing),
                                                     std::move(sources));
    return background.run(env, name,
                          [exchange = std::move(exchange), group = group,
                           object = unwrap_object<GroupObject>(env, args[0])]() -> Settle {
                            auto received = std::make_shared<std::vector<Bytes>>(exchange->run());
                            return [received](napi_env env) { return to_js(env, *received); };
                          });
  }

  napi_env env;
  const Arguments<7> args;
  Background& background;
  const Group group;
  const CollectiveCall call;
  const char* const name;
  const c10::intrusive_ptr<CheckedGloo> gloo;
};

// exchangeObjects(group, call, timeoutMs | null, name, root | null, outgoing, sources):
//     Promise<Uint8Array[]>
napi_value exchange_objects(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const ObjectsCall given(env, info);
    auto outgoing = read_outgoing(env, given.args[5]);
    std::vector<int> sources;
    for (const int64_t each : given.call.numbers(4)) {
      sources.push_back(given.call.checked_rank(each));
    }
    const bool has_root = !given.args.is_missing(4);
    const int root = has_root ? given.call.rank(2) : CollectiveRecord::kNone;
    const CallScope scope = given.call.scope(given.name);
    return given.run(given.gloo->take_number(given.name, root), std::move(outgoing),
                     std::move(sources));
  });
}

// exchangeObject(group, call, timeoutMs | null, name, peer, tag, bytes | null):
//     Promise<Uint8Array[]>. Sends the bytes, or receives some where there are none.
napi_value exchange_object(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const ObjectsCall given(env, info);
    const int peer = given.call.rank(2);
    if (peer == given.group->getRank()) {
      throw Error("INVALID_ARGUMENT", std::string(given.name) + ": rank " + std::to_string(peer) +
                                          " is this rank itself");
    }
    const bool is_send = !given.args.is_missing(6);
    std::vector<std::shared_ptr<const Bytes>> outgoing(given.group->getSize());
    std::vector<int> sources;
    if (is_send) outgoing[peer] = std::make_shared<const Bytes>(read_bytes(env, given.args[6]));
    if (!is_send) sources.push_back(peer);
    const CallScope scope = given.call.scope(given.name);
    auto record = given.gloo->take_message(
        given.name, is_send ? CollectiveKind::kSend : CollectiveKind::kReceive, peer,
        given.call.tag(3));
    return given.run(std::move(record), std::move(outgoing), std::move(sources));
  });
}

}  // namespace

void define_objects(napi_env env, napi_value object, Background& background) {
  background.define<exchange_objects>(env, object, "exchangeObjects");
  background.define<exchange_object>(env, object, "exchangeObject");
}

}  // namespace aiforge
