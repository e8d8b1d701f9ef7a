// What a watch remembers of its rank's collectives.
#include <algorithm>
#include <iterator>

#include "gloo_tags.h"
#include "group_watch.h"

namespace aiforge {

namespace {

// How many that are done are remembered, and how many of them told to the others.
constexpr size_t kRemembered = 128;
constexpr size_t kTold = 8;

}  // namespace

void GroupWatch::forget_done() {
  while (!waited_for_.empty() && waited_for_.front()->is_done) {
    if (!waited_for_.front()->is_point_to_point()) last_.push_back(waited_for_.front());
    waited_for_.pop_front();
  }
  while (last_.size() > kRemembered) last_.pop_front();
}

std::vector<GroupWatch::Record> GroupWatch::told_records() const {
  const auto count = static_cast<std::ptrdiff_t>(std::min(last_.size(), kTold));
  std::vector<Record> records(last_.end() - count, last_.end());
  records.insert(records.end(), waited_for_.begin(), waited_for_.end());
  return records;
}

RankReport GroupWatch::own_report() const {
  RankReport report;
  for (const Record& record : told_records()) report.emplace_back(*record);
  return report;
}

std::vector<GroupWatch::Remembered> GroupWatch::history(
    const std::function<std::string(uint32_t call)>& line) {
  const Lock lock(mutex_);
  std::vector<Record> records(last_.begin(), last_.end());
  records.insert(records.end(), waited_for_.begin(), waited_for_.end());
  std::vector<Remembered> all;
  for (const Record& record : records) {
    if (record->is_point_to_point()) continue;
    if (record->line.empty() && record->call != 0) record->line = line(record->call);
    all.push_back(
        {tag_of(*record), record->number, record->is_done && !record->has_failed, record->text()});
  }
  return all;
}

}  // namespace aiforge
