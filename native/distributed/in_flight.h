// The memory that collectives read and write beside the JavaScript thread, which no other may write
// meanwhile.
#pragma once

#include <iterator>
#include <list>
#include <memory>
#include <utility>
#include <vector>

namespace aiforge {

struct Span {
  const char* begin;
  const char* end;
  bool is_written;
};

// Of one environment, on its thread.
class InFlight {
  struct Use {
    const char* name;
    std::vector<Span> spans;
  };

 public:
  // Ends with the collective.
  class Token {
   public:
    Token(std::list<Use>& uses, std::list<Use>::iterator use) : uses_(uses), use_(use) {}
    ~Token() { uses_.erase(use_); }
    Token(const Token&) = delete;
    Token& operator=(const Token&) = delete;

   private:
    std::list<Use>& uses_;
    const std::list<Use>::iterator use_;
  };

  // Which collective writes what `span` has, or reads what it would write; null where none does.
  const char* conflict(const Span& span) const {
    for (const Use& use : uses_) {
      for (const Span& other : use.spans) {
        const bool is_same = span.begin < other.end && other.begin < span.end;
        if (is_same && (span.is_written || other.is_written)) return use.name;
      }
    }
    return nullptr;
  }

  std::unique_ptr<Token> add(const char* name, std::vector<Span> spans) {
    uses_.push_back({name, std::move(spans)});
    return std::make_unique<Token>(uses_, std::prev(uses_.end()));
  }

 private:
  std::list<Use> uses_;
};

}  // namespace aiforge
