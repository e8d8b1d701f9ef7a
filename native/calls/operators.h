// Every operator of LibTorch's dispatcher, called through its schema.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "../guards/guards.h"
#include "inner_parts.h"
#include "values.h"
#include "written_schemas.h"

namespace aiforge {

std::string full_name(const c10::OperatorName& name);        // aten::add.Tensor
c10::OperatorName operator_name(const std::string& name);    // of that, or without its namespace
c10::OperatorHandle find_operator(const std::string& name);  // throws UNKNOWN_OPERATOR
// The position of the argument that a return is (add_ returns self), or -1.
int alias_of(const c10::FunctionSchema& schema, const c10::Argument& result);

// An operator with its schema flattened for fast calls.
struct Operator {
  struct Argument {
    std::string name;
    ValueType type;
    c10::IValue default_value;
    bool is_required;
  };
  explicit Operator(c10::OperatorHandle handle);

  c10::OperatorHandle handle;
  std::string name;  // aten::add.Tensor
  std::vector<Argument> arguments;
  std::vector<ValueType> returns;
  // For each return, the argument that it is (in-place and out variants), or -1.
  std::vector<int> aliases;
  std::vector<size_t> outs;          // arguments that results are written into
  std::vector<size_t> writes;        // these, and what it works on in place
  std::vector<size_t> needs_memory;  // these, and whose memory it takes
  std::vector<const Guard*> guards;  // none for nearly all
  InnerParts inner_parts;
  bool resizes;  // what it writes, where that is a plain tensor
  bool draws;    // random numbers
};

// Operators by small integers; resolved on the first call, so that loading costs nothing.
class OperatorTable {
 public:
  // `as_linked`: its caller reads the linked LibTorch's schema, whatever that is.
  uint32_t add(std::string name, bool as_linked);
  const Operator& get(uint32_t id);

  WrittenSchemas written;  // empty where the linked LibTorch is the one written for

 private:
  struct Entry {
    std::string name;
    bool as_linked;
    std::unique_ptr<Operator> resolved;
  };
  std::vector<Entry> entries_;
};

}  // namespace aiforge
