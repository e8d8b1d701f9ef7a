// Why a group has come to its end, in words that are for all its ranks.
#pragma once

#include <string>
#include <vector>

#include "rank_report.h"

namespace aiforge {

std::string disagreement_verdict(const Reports& reports, int size, const Disagreement& found);
// Of a collective of `rank` whose time is over; `reports` has that of the rank itself.
std::string overdue_verdict(const Reports& reports, int rank, int size,
                            const CollectiveRecord& record, bool store_is_silent);
std::string lost_verdict(const std::vector<int>& ranks);
// Whether a verdict, of any rank's, says that the connection to this one was lost.
bool is_lost(const std::string& verdict, int rank);
// What that rank says in its place.
std::string cut_off_verdict(int rank);
std::string aborted_verdict(int rank);

}  // namespace aiforge
