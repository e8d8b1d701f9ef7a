// The memory that collectives read and write beside the JavaScript thread, which no other may write
// meanwhile.
#pragma once

#include <ATen/core/Tensor.h>

#include <iterator>
#include <list>
#include <memory>
#include <utility>
#include <vector>

namespace aiforge {

// The elements of a tensor in memory.
struct Span {
  Span(const at::Tensor& tensor, bool is_written);

  // Whether one writes what the other has, too.
  bool meets(const Span& other) const;

  const char* begin;
  const char* end;
  bool is_written;
  std::vector<int64_t> sizes;
  std::vector<int64_t> strides;  // in bytes, the greatest first
  bool is_nested = true;         // whether each stride is beyond all that the smaller ones reach
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
        if (span.meets(other)) return use.name;
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
