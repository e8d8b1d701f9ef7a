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

napi_value run(napi_env env, Background& background, const char* name,
               std::shared_ptr<ObjectExchange> exchange, const Group& group,
               std::shared_ptr<GroupObject> object) {
  return background.run(
      env, name, [exchange = std::move(exchange), group, object = std::move(object)]() -> Settle {
        auto received = std::make_shared<std::vector<Bytes>>(exchange->run());
        return [received](napi_env env) { return to_js(env, *received); };
      });
}

// exchangeObjects(group, call, timeoutMs | null, name, root | null, outgoing, sources):
//     Promise<Uint8Array[]>
napi_value exchange_objects(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<7> args(env, info);
    const Group group = live_group(env, args[0]);
    const CollectiveCall call(env, args, *group);
    const char* const name = name_of(args.string(3));
    const auto gloo = gloo_of(*group, name);
    auto outgoing = read_outgoing(env, args[5]);
    std::vector<int> sources;
    for (const int64_t each : call.numbers(4)) sources.push_back(call.checked_rank(each));
    const int root = args.is_missing(4) ? CollectiveRecord::kNone : call.rank(2);
    const CallScope scope = call.scope(name);
    auto record = gloo->take_number(name, root);
    auto exchange = std::make_shared<ObjectExchange>(gloo, std::move(record), std::move(outgoing),
                                                     std::move(sources));
    return run(env, Background::of(env, info), name, std::move(exchange), group,
               unwrap_object<GroupObject>(env, args[0]));
  });
}

// exchangeObject(group, call, timeoutMs | null, name, peer, tag, bytes | null):
//     Promise<Uint8Array[]>. Sends the bytes, or receives some where there are none.
napi_value exchange_object(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<7> args(env, info);
    const Group group = live_group(env, args[0]);
    const CollectiveCall call(env, args, *group);
    const char* const name = name_of(args.string(3));
    const auto gloo = gloo_of(*group, name);
    const int peer = call.rank(2);
    if (peer == group->getRank()) {
      throw Error("INVALID_ARGUMENT",
                  std::string(name) + ": rank " + std::to_string(peer) + " is this rank itself");
    }
    const bool is_send = !args.is_missing(6);
    std::vector<std::shared_ptr<const Bytes>> outgoing(group->getSize());
    std::vector<int> sources;
    if (is_send) outgoing[peer] = std::make_shared<const Bytes>(read_bytes(env, args[6]));
    if (!is_send) sources.push_back(peer);
    const CallScope scope = call.scope(name);
    auto record = gloo->take_message(
        name, is_send ? CollectiveKind::kSend : CollectiveKind::kReceive, peer, call.tag(3));
    auto exchange = std::make_shared<ObjectExchange>(gloo, std::move(record), std::move(outgoing),
                                                     std::move(sources));
    return run(env, Background::of(env, info), name, std::move(exchange), group,
               unwrap_object<GroupObject>(env, args[0]));
  });
}

}  // namespace

void define_objects(napi_env env, napi_value object, Background& background) {
  background.define<exchange_objects>(env, object, "exchangeObjects");
  background.define<exchange_object>(env, object, "exchangeObject");
}

}  // namespace aiforge
