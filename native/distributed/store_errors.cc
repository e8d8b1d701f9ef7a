#include "store_errors.h"

#include <c10/util/Exception.h>

#include <algorithm>

#include "../errors.h"

namespace aiforge {

namespace {

[[noreturn]] void throw_closed(const std::string& what, const std::string& why) {
  throw Error("DISTRIBUTED_FAILED",
              what + " failed: the connection to the store was closed (" + why +
                  "). The process that serves the store has ended, or has closed it: its own "
                  "output says why. What was set last may not have been stored.");
}

bool is_closing(const std::string& message) {
  for (const char* part :
       {"Connection closed by peer", "Connection reset", "Broken pipe", "was likely closed"}) {
    if (message.find(part) != std::string::npos) return true;
  }
  return false;
}

// The reason without what it says of a likely one.
std::string reason_of(const c10::Error& error) {
  std::string message = shortened(error.what_without_backtrace());
  message.erase(std::min(message.find(". Connection was likely closed"), message.size()));
  return message;
}

// How many keys an error names.
constexpr size_t kNamed = 8;

std::string listed(const StoreKeys& keys) {
  std::string text;
  for (size_t i = 0; i < std::min(keys.size(), kNamed); ++i) {
    text += (i == 0 ? "'" : ", '") + keys[i] + "'";
  }
  return keys.size() > kNamed ? text + " and " + std::to_string(keys.size() - kNamed) + " more"
                              : text;
}

StoreKeys missing_of(c10d::Store& client, const StoreKeys& keys) {
  StoreKeys missing;
  std::copy_if(keys.begin(), keys.end(), std::back_inserter(missing),
               [&](const std::string& key) { return !client.check({key}); });
  return missing;
}

}  // namespace

void StoreConnection::require_open(const std::string& what) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!why_closed_.empty()) throw_closed(what, why_closed_);
}

Settle StoreConnection::failure(const std::string& what) {
  try {
    throw;
  } catch (const c10::NotImplementedError&) {
    return [what](napi_env) -> napi_value {
      throw Error("INVALID_ARGUMENT", what +
                                          ": a FileStore, or a part of one, cannot do this; use "
                                          "a TCPStore or a HashStore.");
    };
  } catch (const c10::Error& error) {
    if (is_closing(error.what_without_backtrace())) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (why_closed_.empty()) why_closed_ = reason_of(error);
      return [what, why = why_closed_](napi_env) -> napi_value { throw_closed(what, why); };
    }
  } catch (...) {
    // Anything else is told as it is.
  }
  return aiforge::failure(std::current_exception(), what);
}

Settle naming_missing(const std::string& what, c10d::Store& store, const StoreKeys& keys,
                      std::chrono::milliseconds timeout, const std::function<Settle()>& body) {
  try {
    return body();
  } catch (const c10::NotImplementedError&) {
    throw;
  } catch (const c10::Error&) {
    const StoreKeys missing = missing_of(store, keys);
    if (missing.empty()) throw;
    const bool is_one = missing.size() == 1;
    throw Error("DISTRIBUTED_FAILED",
                what + " failed: the " + (is_one ? "key " : "keys ") + listed(missing) +
                    (is_one ? " was" : " were") + " not set within " +
                    std::to_string(timeout.count()) +
                    " ms. Check that every rank was started and is still running; what is slow "
                    "needs a larger timeoutMs.");
  }
}

}  // namespace aiforge
