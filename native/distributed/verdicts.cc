#include "verdicts.h"

#include <cctype>

namespace aiforge {

namespace {

std::string ranks_text(const std::vector<int>& ranks) {
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (size_t i = 0; i < ranks.size(); ++i) {
    if (i > 0) text += i + 1 == ranks.size() ? " and " : ", ";
    text += std::to_string(ranks[i]);
  }
  return text;
}

std::string call_text(int rank, const std::string& call) {
  return "rank " + std::to_string(rank) + ": " + call;
}

// What each rank does in a collective, and which have not come to it.
std::string everyone(const Reports& reports, int size, uint64_t number) {
  std::string text;
  std::vector<int> missing;
  for (int rank = 0; rank < size; ++rank) {
    const auto report = reports.find(rank);
    const ReportedCall* const call =
        report == reports.end() ? nullptr : find_collective(report->second, number);
    if (call == nullptr) {
      missing.push_back(rank);
    } else {
      text += (text.empty() ? "" : "; ") + call_text(rank, call->text);
    }
  }
  if (missing.empty()) return text;
  return text + (text.empty() ? "" : "; ") + ranks_text(missing) +
         (missing.size() == 1 ? " has" : " have") + " not come to it";
}

// A send or receive, and what the other rank waits in.
std::string message_text(const Reports& reports, int rank, const CollectiveRecord& record) {
  std::string text = call_text(rank, record.text());
  const auto other = reports.find(record.root);
  if (other == reports.end()) return text;
  for (const ReportedCall& call : other->second) {
    if (!call.is_done) text += "; " + call_text(record.root, call.text);
  }
  return text;
}

std::string place_of(uint64_t number) {
  return " in collective " + std::to_string(number) + " of the group. ";
}

}  // namespace

std::string disagreement_verdict(const Reports& reports, int size, const Disagreement& found) {
  if (found.number == 0) return "a send and the receive for it differ. " + found.what + ".";
  return "the ranks do not do the same" + place_of(found.number) +
         everyone(reports, size, found.number) +
         ". All ranks must call the same collectives in the same order, with tensors of the same "
         "shape and dtype.";
}

std::string overdue_verdict(const Reports& reports, int rank, int size,
                            const CollectiveRecord& record, bool store_is_silent) {
  std::string text = "timed out after " + std::to_string(record.timeout.count()) + " ms";
  if (record.is_point_to_point()) {
    text += ". " + message_text(reports, rank, record);
  } else {
    text += place_of(record.number);
    text +=
        store_is_silent ? call_text(rank, record.text()) : everyone(reports, size, record.number);
  }
  text += ".";
  if (store_is_silent) {
    text +=
        " The group's store did not answer: its process, that of rank 0 unless a launcher serves "
        "it, may be stopped.";
  }
  return text + " Check that every rank is still running; a slow one needs a larger timeoutMs.";
}

std::string lost_verdict(const std::vector<int>& ranks) {
  return "the connection to " + ranks_text(ranks) +
         " was lost. Another rank has ended: its own output says why.";
}

bool is_lost(const std::string& verdict, int rank) {
  const std::string lost = "the connection to rank";
  if (verdict.rfind(lost, 0) != 0) return false;
  const std::string ranks = verdict.substr(lost.size(), verdict.find(" was lost") - lost.size());
  const std::string number = std::to_string(rank);
  for (size_t at = ranks.find(number); at != std::string::npos; at = ranks.find(number, at + 1)) {
    const auto is_digit = [&](size_t i) { return i < ranks.size() && std::isdigit(ranks[i]); };
    if (!is_digit(at - 1) && !is_digit(at + number.size())) return true;
  }
  return false;
}

std::string cut_off_verdict(int rank) {
  return "the other ranks have lost the connection to this one, rank " + std::to_string(rank) +
         ", which goes on: it was cut on the network between them.";
}

std::string aborted_verdict(int rank) {
  return "rank " + std::to_string(rank) +
         " has aborted the process group. Another rank has ended, or aborted the group: its own "
         "output says why.";
}

}  // namespace aiforge
