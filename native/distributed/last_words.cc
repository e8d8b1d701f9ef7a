#include "last_words.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <fstream>
#include <mutex>
#include <string>

#include "../errors.h"
#include "background.h"

namespace aiforge {

namespace {

std::string message_of(const std::exception_ptr& error) {
  try {
    try {
      std::rethrow_exception(error);
    } catch (...) {
      rethrow_as_distributed("A thread of the process group");
    }
  } catch (const std::exception& shortened) {
    return shortened.what();
  } catch (...) {
    return "A thread of the process group failed.";
  }
}

std::string json_string(const std::string& text) {
  std::string quoted = "\"";
  for (const char each : text) {
    if (each == '"' || each == '\\') quoted += '\\';
    // A control character other than a line's end says nothing here.
    if (each == '\n') {
      quoted += "\\n";
    } else if (static_cast<unsigned char>(each) >= 0x20) {
      quoted += each;
    }
  }
  return quoted + '"';
}

// The file of launch/errorFile.ts.
void record(const std::string& message) {
  const char* file = std::getenv("TORCHELASTIC_ERROR_FILE");
  if (file == nullptr || *file == '\0') return;
  std::ofstream(file) << "{\"message\":" << json_string("AiforgeError: " + message)
                      << ",\"isShown\":true,\"timestamp\":" << std::time(nullptr) << "}";
}

std::terminate_handler before = nullptr;

[[noreturn]] void end() {
  const std::exception_ptr error = std::current_exception();
  if (!error) {
    if (before != nullptr) before();
    std::abort();
  }
  const std::string message = message_of(error);
  std::fprintf(stderr,
               "aiforge: DISTRIBUTED_FAILED: %s\nThis process ends by SIGABRT: what its process "
               "group has left in its tensors cannot be trusted.\n",
               message.c_str());
  record(message);
  std::abort();
}

}  // namespace

void leave_last_words() {
  static std::once_flag once;
  std::call_once(once, [] { before = std::set_terminate(end); });
}

}  // namespace aiforge
