// Checks in front of operators that LibTorch itself does not protect: what would end the process
// becomes an error.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/function_schema.h>
#include <ATen/core/stack.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace aiforge {

// The arguments of a guarded call, by their names in the schema.
class GuardedCall {
 public:
  GuardedCall(const c10::FunctionSchema& schema, c10::ArrayRef<c10::IValue> stack)
      : schema_(schema), stack_(stack) {}

  const c10::FunctionSchema& schema() const { return schema_; }
  c10::ArrayRef<c10::IValue> stack() const { return stack_; }

  bool has_argument(const char* name) const { return find(name) != nullptr; }
  bool has(const char* name) const;  // neither missing nor null
  const c10::IValue& operator[](const char* name) const;
  at::Tensor tensor(const char* name) const;  // undefined when missing or null
  int64_t integer(const char* name, int64_t otherwise = 0) const;
  bool flag(const char* name) const;
  std::vector<int64_t> integers(const char* name) const;
  std::vector<at::Tensor> tensors(const char* name) const;  // nulls are undefined

 private:
  const c10::IValue* find(const char* name) const;

  const c10::FunctionSchema& schema_;
  c10::ArrayRef<c10::IValue> stack_;
};

// The inner step of a public operator: what only it may give is not checked here.
[[noreturn]] void refuse_inner(const std::string& instead);

// Of a rule that LibTorch itself does not break.
constexpr c10::DispatchKey kCallsAlone = c10::DispatchKey::Undefined;

// One row of the table in guards.cc.
struct Guard {
  const char* operators;  // names, without overloads for all of them; `*` ends a prefix
  const char* reason;     // what LibTorch would do
  void (*rule)(const GuardedCall& call);  // throws INVALID_ARGUMENT
  // The public operator of which this is an inner step, which nobody else can call.
  const char* instead = nullptr;
  // In front of whose kernel: a rule for tensors of another kind than the plain ones costs those
  // nothing. That of CPU is asked before calls from JavaScript too, kCallsAlone nowhere else.
  c10::DispatchKey kernel = c10::DispatchKey::CPU;

  void check(const GuardedCall& call) const {
    if (instead != nullptr) refuse_inner(instead);
    rule(call);
  }
};

using Kernels = std::initializer_list<c10::DispatchKey>;

// The rows of an operator such as aten::add.Tensor that are of these kernels: none for nearly all.
std::vector<const Guard*> guards_of(const std::string& name, Kernels kernels);

const std::vector<Guard>& all_guards();

// Puts the guards in front of the kernels too, for whatever LibTorch itself calls: in a backward
// pass, after JavaScript may have changed what the graph saved, and for the items of a vmap.
void guard_kernels();

using Names = std::initializer_list<const char*>;

// Throws INVALID_ARGUMENT: "expected …". A text that is put together is so for a refusal only.
[[noreturn]] void refuse(const std::string& expected);
void require(bool holds, const char* expected);

// Whether a tensor's memory can be read here. Any other has none that could be read wrongly: meta
// tensors, tensors of a transform.
bool is_readable(const at::Tensor& tensor);

// The integers of a tensor that is readable; none of any other.
class Integers {
 public:
  explicit Integers(const at::Tensor& tensor);
  const int64_t* begin() const { return values_.begin(); }
  const int64_t* end() const { return values_.end(); }
  int64_t size() const { return static_cast<int64_t>(values_.size()); }
  int64_t operator[](int64_t i) const { return values_[static_cast<size_t>(i)]; }

 private:
  at::Tensor whole_;
  c10::ArrayRef<int64_t> values_;
};

// Throws unless the integers in a tensor lie in low … high, both included.
void require_within(const at::Tensor& tensor, const std::string& name, int64_t low, int64_t high);
// …and go nowhere down.
void require_rising(const at::Tensor& tensor, const std::string& name, int64_t low, int64_t high);

// Each is a tensor of the same sizes as the first.
void require_same_sizes(const GuardedCall& call, Names names);
// Each, where it is given, has so many elements.
void require_elements(const GuardedCall& call, Names names, int64_t count);
void require_dims(const GuardedCall& call, const char* name, int64_t least, int64_t most);
// A list of integers has so many items.
void require_items(const GuardedCall& call, Names names, size_t count);
// The first `count` sizes of two tensors are equal.
void require_same_leading(const GuardedCall& call, const char* one, const char* other,
                          int64_t count);
void require_axis(int64_t dim, int64_t dims, const std::string& name);
// Each fills its memory without holes or overlaps, so that it can be read from its start.
void require_dense(const GuardedCall& call, Names names);
// Every list of the call is as long as the first.
void require_equal_lists(const GuardedCall& call);
int64_t elements_of_memory(const at::Tensor& tensor);
// Sizes and strides from an offset lie within `elements` of memory.
void require_view(at::IntArrayRef sizes, at::IntArrayRef strides, int64_t offset, int64_t elements);

}  // namespace aiforge
