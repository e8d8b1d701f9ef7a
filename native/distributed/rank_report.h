// What a rank tells the others in the group's store while one of its collectives is late.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "collective_record.h"

namespace aiforge {

// A line of a report: a collective of the rank, still waited for or of its last ones.
struct ReportedCall {
  CollectiveKind kind{};
  uint64_t number = 0;
  int peer = CollectiveRecord::kNone;  // of a send or receive
  int tag = 0;
  uint64_t ordinal = 0;
  uint64_t fingerprint = 0;
  bool is_done = false;
  std::vector<int64_t> to;
  std::vector<int64_t> from;
  std::string text;

  explicit ReportedCall(const CollectiveRecord& record);
  ReportedCall() = default;
};

using RankReport = std::vector<ReportedCall>;
using Reports = std::map<int, RankReport>;  // by rank

std::string to_text(const RankReport& report);
RankReport to_report(const std::string& text);

// The call of that number, or null.
const ReportedCall* find_collective(const RankReport& report, uint64_t number);

// Two ranks that do not do the same.
struct Disagreement {
  uint64_t number = 0;  // of the collective; 0 for a send and a receive
  std::string what;     // of a send and a receive: both calls
};

// The first disagreement between two ranks, if any. Facts about a call stay true when it is done,
// so it does not matter how old the reports are.
std::optional<Disagreement> disagreement(int rank, const RankReport& report, int other_rank,
                                         const RankReport& other);

std::optional<Disagreement> first_disagreement(const Reports& reports);

}  // namespace aiforge
