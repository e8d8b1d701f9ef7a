#include "rank_report.h"

#include <algorithm>
#include <sstream>

namespace aiforge {

namespace {

std::string joined(const std::vector<int64_t>& numbers) {
  std::string text;
  for (const int64_t each : numbers) text += (text.empty() ? "" : ",") + std::to_string(each);
  return text;
}

std::vector<int64_t> numbers_of(const std::string& text) {
  std::vector<int64_t> numbers;
  std::istringstream stream(text);
  for (std::string each; std::getline(stream, each, ',');) numbers.push_back(std::stoll(each));
  return numbers;
}

// A report is lines of fields: neither ends within a field.
std::string one_field(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char each) { return each == '\t' || each == '\n'; }, ' ');
  return text;
}

std::string pair_of(int rank, const ReportedCall& call, int other_rank, const ReportedCall& other) {
  return "rank " + std::to_string(rank) + ": " + call.text + "; rank " +
         std::to_string(other_rank) + ": " + other.text;
}

bool is_divided_otherwise(int rank, const ReportedCall& call, int other_rank,
                          const ReportedCall& other) {
  const auto size = std::min(call.to.size(), other.to.size());
  if (size <= static_cast<size_t>(std::max(rank, other_rank))) return false;
  return call.to[other_rank] != other.from[rank] || call.from[other_rank] != other.to[rank];
}

// c10d pairs the n-th send under a tag with the n-th receive.
bool is_pair(int rank, const ReportedCall& send, int other_rank, const ReportedCall& receive) {
  return send.kind == CollectiveKind::kSend && receive.kind == CollectiveKind::kReceive &&
         send.peer == other_rank && receive.peer == rank && send.tag == receive.tag &&
         send.ordinal == receive.ordinal && receive.ordinal != 0;
}

// The same tensor differs as a send and a receive in its kind and its other rank alone.
std::optional<Disagreement> unlike_messages(int rank, const RankReport& report, int other_rank,
                                            const RankReport& other) {
  for (const ReportedCall& send : report) {
    for (const ReportedCall& receive : other) {
      if (!send.is_done && !receive.is_done && is_pair(rank, send, other_rank, receive) &&
          send.fingerprint != receive.fingerprint) {
        return Disagreement{0, pair_of(rank, send, other_rank, receive)};
      }
    }
  }
  return std::nullopt;
}

}  // namespace

ReportedCall::ReportedCall(const CollectiveRecord& record)
    : kind(record.kind),
      number(record.number),
      peer(record.is_point_to_point() ? record.root : CollectiveRecord::kNone),
      tag(record.tag),
      ordinal(record.ordinal),
      fingerprint(record.fingerprint()),
      is_done(record.is_done),
      to(record.to),
      from(record.from),
      text(record.text()) {}

std::string to_text(const RankReport& report) {
  std::string text;
  for (const ReportedCall& call : report) {
    text += std::to_string(static_cast<int>(call.kind)) + '\t' + std::to_string(call.number) +
            '\t' + std::to_string(call.peer) + '\t' + std::to_string(call.tag) + '\t' +
            std::to_string(call.ordinal) + '\t' + std::to_string(call.fingerprint) + '\t' +
            (call.is_done ? "1" : "0") + '\t' + joined(call.to) + '\t' + joined(call.from) + '\t' +
            one_field(call.text) + '\n';
  }
  return text;
}

RankReport to_report(const std::string& text) {
  RankReport report;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    const auto next = [&] {
      std::string field;
      std::getline(fields, field, '\t');
      return field;
    };
    ReportedCall call;
    call.kind = static_cast<CollectiveKind>(std::stoi(next()));
    call.number = std::stoull(next());
    call.peer = std::stoi(next());
    call.tag = std::stoi(next());
    call.ordinal = std::stoull(next());
    call.fingerprint = std::stoull(next());
    call.is_done = next() == "1";
    call.to = numbers_of(next());
    call.from = numbers_of(next());
    call.text = next();
    report.push_back(std::move(call));
  }
  return report;
}

const ReportedCall* find_collective(const RankReport& report, uint64_t number) {
  const auto found = std::find_if(report.begin(), report.end(),
                                  [&](const ReportedCall& each) { return each.number == number; });
  return found == report.end() ? nullptr : &*found;
}

std::optional<Disagreement> disagreement(int rank, const RankReport& report, int other_rank,
                                         const RankReport& other) {
  for (const ReportedCall& call : report) {
    if (call.number == 0) continue;
    const ReportedCall* const same = find_collective(other, call.number);
    if (same == nullptr) continue;
    if (call.fingerprint != same->fingerprint ||
        is_divided_otherwise(rank, call, other_rank, *same)) {
      return Disagreement{call.number, ""};
    }
  }
  if (auto unlike = unlike_messages(rank, report, other_rank, other)) return unlike;
  return unlike_messages(other_rank, other, rank, report);
}

std::optional<Disagreement> first_disagreement(const Reports& reports) {
  for (auto one = reports.begin(); one != reports.end(); ++one) {
    for (auto two = std::next(one); two != reports.end(); ++two) {
      if (auto found = disagreement(one->first, one->second, two->first, two->second)) return found;
    }
  }
  return std::nullopt;
}

}  // namespace aiforge
