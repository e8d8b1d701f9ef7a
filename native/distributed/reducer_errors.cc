#include "reducer_errors.h"

#include <algorithm>
#include <sstream>
#include <vector>

namespace aiforge {

namespace {

using Numbers = std::vector<size_t>;

// 'a', 'b' and 3 more
std::string list_of(const ParameterNames& names, const Numbers& numbers) {
  constexpr size_t kMostNames = 8;
  const size_t shown = std::min(numbers.size(), kMostNames);
  std::string list;
  for (size_t i = 0; i < shown; ++i) {
    list += (i == 0 ? "'" : ", '") + names.at(numbers[i]) + "'";
  }
  if (shown == numbers.size()) return list;
  return list + " and " + std::to_string(numbers.size() - shown) + " more";
}

// Those that the complaint lists.
Numbers listed_numbers(const std::string& complaint) {
  Numbers numbers;
  const size_t start = complaint.find("Parameter indices which did not receive grad");
  if (start == std::string::npos) return numbers;
  std::istringstream text(complaint.substr(complaint.find(':', start) + 1));
  for (size_t number = 0; text >> number;) numbers.push_back(number);
  return numbers;
}

}  // namespace

std::optional<std::string> about_missing(const ReducerObject& object,
                                         const std::string& complaint) {
  const Numbers missing = listed_numbers(complaint);
  if (missing.empty()) return std::nullopt;
  const auto is_used = [&](size_t number) {
    return number < object.used_in_forward.size() && object.used_in_forward[number];
  };
  Numbers in_forward;
  Numbers in_loss;
  for (const size_t number : missing) (is_used(number) ? in_loss : in_forward).push_back(number);
  std::string text =
      "DistributedDataParallel cannot begin another step: since the last forward pass, backward "
      "gave no gradient on this rank to " +
      list_of(object.names, missing) + ". ";
  if (in_loss.empty()) {
    text += "The forward pass did not use " +
            std::string(in_forward.size() == 1 ? "it. " : "any of them. ");
  } else if (in_forward.empty()) {
    text += "The forward pass used " + std::string(in_loss.size() == 1 ? "it" : "all of them") +
            ", and the loss leaves out what came of " + (in_loss.size() == 1 ? "it. " : "them. ");
  } else {
    text += "The forward pass did not use " + list_of(object.names, in_forward) + "; it used " +
            list_of(object.names, in_loss) + ", and the loss leaves out what came of " +
            (in_loss.size() == 1 ? "it. " : "them. ");
  }
  if (object.is_static_graph) {
    return text +
           "With staticGraph every step must give a gradient to the same parameters, and no output "
           "of forward may be left out of the loss.";
  }
  return text + object.unused_advice;
}

std::optional<std::string> about_backward(const std::string& complaint) {
  if (complaint.find("Expected to mark a variable ready only once") == std::string::npos) {
    return std::nullopt;
  }
  std::string which = "a parameter";
  const std::string before = "with name ";
  const size_t start = complaint.find(before);
  const size_t end = complaint.find(" has been marked as ready twice");
  if (start != std::string::npos && end != std::string::npos && start < end) {
    const size_t from = start + before.size();
    which = "'" + complaint.substr(from, end - from) + "'";
  }
  return "DistributedDataParallel: backward gave a second gradient to " + which +
         " after the first was on its way to the other ranks. Each averaged forward pass takes one "
         "backward pass: add the losses up, run all but the last pass in noSync, or, where the "
         "same "
         "layers are checkpointed several times, use the default checkpoint (not reentrant) or "
         "{ staticGraph: true }. With findUnusedParameters several forward passes before one "
         "backward "
         "pass count each other's parameters as unused: leave it out, or run them in one forward.";
}

}  // namespace aiforge
