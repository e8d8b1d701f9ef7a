#pragma once

#include <exception>
#include <string>

#include "../pair.h"

namespace gloo::transport::tcp {

class __attribute__((visibility("default"))) Pair : public transport::Pair {
 public:
  ~Pair() override;
  bool isConnected();
  // Lets all that waits on the connection fail, and closes it; returns what it fails with.
  std::exception_ptr signalExceptionExternal(const std::string& message);
};

}  // namespace gloo::transport::tcp
