#include "group_watch.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "../condition.h"
#include "../errors.h"
#include "../kept_threads.h"
#include "group_keys.h"
#include "verdicts.h"

namespace aiforge {

namespace {

using std::chrono::milliseconds;

// A collective that takes longer is late.
constexpr milliseconds kLate{300};
// How often the others' reports are read, at first and at most seldom.
constexpr milliseconds kImpatient{250};
constexpr milliseconds kPatient{2000};
// How long to wait for ranks that may still come, once two disagree.
constexpr milliseconds kForOthers{700};
constexpr milliseconds kForLines{200};
constexpr milliseconds kForStore{1500};
// How long who leaves a verdict waits until the others have read it.
constexpr milliseconds kForHearing{300};

std::exception_ptr error_of(const char* name, const std::string& verdict) {
  return std::make_exception_ptr(
      Error("DISTRIBUTED_FAILED",
            std::string(name) + " failed: " + verdict +
                " This process group cannot be used any more: abortProcessGroup(), then "
                "initProcessGroup(), make another."));
}

}  // namespace

GroupWatch::GroupWatch(Store store, Store listener, int rank, int size, Connections connections,
                       AskLine ask_line)
    : store_(std::move(store)),
      listener_(std::move(listener)),
      rank_(rank),
      size_(size),
      ask_line_(std::move(ask_line)),
      connections_(std::move(connections)),
      patience_(kImpatient),
      is_listening_(static_cast<bool>(listener_)) {}

std::shared_ptr<GroupWatch> GroupWatch::open(const Clients& clients, int rank, int size,
                                             Connections connections, AskLine ask_line) {
  std::shared_ptr<GroupWatch> watch(new GroupWatch(clients.talks, clients.listens, rank, size,
                                                   std::move(connections), std::move(ask_line)));
  // Never joined: they may wait for the store when the group ends.
  std::thread([watch] { watch->run(); }).detach();
  if (clients.listens) std::thread([watch] { watch->listen(); }).detach();
  return watch;
}

void GroupWatch::begin(const Record& record) {
  const Lock lock(mutex_);
  forget_done();
  waited_for_.push_back(record);
  if (!is_asleep_ && record->deadline >= wakes_at_) return;
  is_asleep_ = false;
  is_woken_ = true;
  changed_.notify_all();
}

void GroupWatch::set_line(const Record& record, std::string line) {
  const Lock lock(mutex_);
  record->is_line_asked = true;
  record->line = std::move(line);
}

void GroupWatch::check_open(const char* name) {
  const Lock lock(mutex_);
  if (!verdict_.empty()) std::rethrow_exception(error_of(name, verdict_));
}

// When the next collective is late or the next deadline is over.
Clock::time_point GroupWatch::next_look() const {
  auto next = Clock::time_point::max();
  for (const Record& record : waited_for_) {
    if (!record->is_done) next = std::min({next, record->started + kLate, record->deadline});
  }
  return next;
}

void GroupWatch::run() {
  Lock lock(mutex_);
  bool was_idle = false;
  while (!is_closed_ && verdict_.empty()) {
    forget_done();
    const auto now = Clock::now();
    const auto next = next_look();
    if (next <= now) {
      look(lock);
      was_idle = false;
      wakes_at_ = Clock::now() + patience_;
      for (const Record& each : waited_for_) wakes_at_ = std::min(wakes_at_, each->deadline);
      patience_ = std::min(patience_ * 3 / 2, std::max(kPatient, milliseconds(10 * size_)));
    } else if (next == Clock::time_point::max() && was_idle) {
      // Only now, since waking a thread costs as much as a small collective.
      is_asleep_ = true;
      changed_.wait(lock, [&] { return !is_asleep_ || is_closed_ || !verdict_.empty(); });
      was_idle = false;
      continue;
    } else {
      if (!told_.empty()) take_back(lock);
      was_idle = next == Clock::time_point::max();
      patience_ = kImpatient;
      disagreed_at_ = {};
      wakes_at_ = std::min(next, now + kLate);
    }
    is_woken_ = false;
    changed_.wait_until(lock, wakes_at_,
                        [&] { return is_woken_ || is_closed_ || !verdict_.empty(); });
  }
}

// Runs `body` on a thread of its own, since a store whose server is stopped does not answer, and
// waits for it at most so long. Whether there is a result.
template <typename Result>
bool GroupWatch::with_store(Lock& lock, milliseconds limit,
                            std::function<Result(c10d::Store&)> body, Result& result) {
  if (!store_is_silent_) changed_.wait_for(lock, limit, [&] { return !store_is_busy_; });
  if (store_is_busy_ || store_is_gone_) return false;
  store_is_busy_ = true;
  struct Answer {
    Result result{};
    bool has_result = false;
    bool is_over = false;
  };
  auto answer = std::make_shared<Answer>();
  const auto ask = [self = shared_from_this(), answer, body = std::move(body)] {
    Result got{};
    bool has_result = true;
    try {
      got = body(*self->store_);
    } catch (...) {
      has_result = false;
    }
    const Lock inner(self->mutex_);
    answer->result = std::move(got);
    answer->has_result = has_result;
    answer->is_over = true;
    self->store_is_busy_ = false;
    self->store_is_silent_ = false;
    // Nothing that it is asked for waits: the connection to the server is lost.
    self->store_is_gone_ = self->store_is_gone_ || !has_result;
    self->changed_.notify_all();
  };
  try {
    run_on_kept_thread(ask);
  } catch (const std::exception&) {
    store_is_busy_ = false;  // there is no thread to be had
    return false;
  }
  changed_.wait_for(lock, limit, [&] { return answer->is_over; });
  store_is_silent_ = !answer->is_over;
  if (answer->has_result) result = std::move(answer->result);
  return answer->has_result;
}

// The JavaScript thread may be busy, or waiting in a collective, which then gives its line itself.
void GroupWatch::ask_lines(Lock& lock) {
  std::vector<Record> asked;
  const auto ask = [&](const Record& record) {
    if (record->call == 0 || record->is_line_asked) return;
    record->is_line_asked = true;
    asked.push_back(record);
  };
  for (const Record& record : told_records()) ask(record);
  if (asked.empty()) return;
  lines_asked_ += asked.size();
  lock.unlock();
  for (const Record& record : asked) {
    ask_line_(record->call, [self = shared_from_this(), record](std::string line) {
      const Lock inner(self->mutex_);
      if (!line.empty()) record->line = std::move(line);
      --self->lines_asked_;
      self->changed_.notify_all();
    });
  }
  lock.lock();
  changed_.wait_for(lock, kForLines, [&] { return lines_asked_ == 0; });
}

void GroupWatch::look(Lock& lock) {
  ask_lines(lock);
  struct Seen {
    std::string verdict;
    Reports reports;
  };
  std::string told = to_text(own_report());
  Seen seen;
  const bool is_told = with_store<Seen>(
      lock, kForStore,
      [told, is_new = told != told_, rank = rank_, size = size_](c10d::Store& store) {
        Seen result;
        if (is_new) store.set(report_key(rank), bytes_of(told));
        if (store.check({kVerdict})) result.verdict = text_of(store.get(kVerdict));
        for (int other = 0; other < size && result.verdict.empty(); ++other) {
          if (other == rank || !store.check({report_key(other)})) continue;
          result.reports[other] = to_report(text_of(store.get(report_key(other))));
        }
        return result;
      },
      seen);
  if (is_told) told_ = std::move(told);
  if (is_closed_ || !verdict_.empty()) return;
  if (!seen.verdict.empty()) return adopt(lock, seen.verdict);
  judge(lock, seen.reports);
}

// What was told is over: this rank is not late any more, and does not listen.
void GroupWatch::take_back(Lock& lock) {
  told_.clear();
  bool was_there = false;
  with_store<bool>(
      lock, kForStore,
      [rank = rank_](c10d::Store& store) { return store.deleteKey(report_key(rank)); }, was_there);
}

void GroupWatch::judge(Lock& lock, Reports reports) {
  reports[rank_] = own_report();
  if (const auto found = first_disagreement(reports)) {
    if (!waits_for_others(reports, *found)) {
      return conclude(lock, disagreement_verdict(reports, size_, *found));
    }
  }
  const auto now = Clock::now();
  for (const Record& record : waited_for_) {
    if (record->is_done || record->deadline > now) continue;
    return conclude(lock, overdue_verdict(reports, rank_, size_, *record, store_is_silent_));
  }
}

// Whether ranks that have not come to it may still, so that the verdict names what they do too.
bool GroupWatch::waits_for_others(const Reports& reports, const Disagreement& found) {
  if (found.number == 0) return false;
  if (disagreed_at_ == Clock::time_point{}) disagreed_at_ = Clock::now();
  const auto come = std::count_if(reports.begin(), reports.end(), [&](const auto& each) {
    return find_collective(each.second, found.number) != nullptr;
  });
  if (come == size_ || Clock::now() - disagreed_at_ >= kForOthers) return false;
  patience_ = kImpatient;
  return true;
}

void GroupWatch::conclude(Lock& lock, const std::string& verdict) {
  std::string first = verdict;
  const auto lost = connections_.lost ? connections_.lost() : std::vector<int>();
  with_store<std::string>(
      lock, kForStore,
      [verdict, size = size_,
       hearers = size_ - static_cast<int64_t>(lost.size())](c10d::Store& store) {
        const std::string left = text_of(store.compareSet(kVerdict, {}, bytes_of(verdict)));
        for (int rank = 0; rank < size; ++rank) store.set(word_key(rank), bytes_of("1"));
        const auto until = Clock::now() + kForHearing;
        while (store.add(kHeard, 0) < hearers && Clock::now() < until) {
          std::this_thread::sleep_for(milliseconds(5));
        }
        return left;
      },
      first);
  adopt(lock, first);
}

void GroupWatch::adopt(Lock& lock, const std::string& verdict) {
  if (!verdict_.empty() || is_closed_) return;
  if (own_verdict_.empty() && is_lost(verdict, rank_)) own_verdict_ = cut_off_verdict(rank_);
  verdict_ = own_verdict_.empty() ? verdict : own_verdict_;
  if (connections_.end) connections_.end();
  // Theirs do not end with the connections.
  std::vector<Record> records(waited_for_.begin(), waited_for_.end());
  lock.unlock();
  for (const Record& record : records) {
    if (record->interrupt && !record->is_done) record->interrupt();
  }
  lock.lock();
  changed_.notify_all();
}

std::exception_ptr GroupWatch::explain(const CollectiveRecord& record,
                                       const std::exception_ptr& error) {
  Lock lock(mutex_);
  if (verdict_.empty() && connections_.lost && connections_.lost().empty()) return error;
  std::string verdict;
  if (verdict_.empty()) {
    with_store<std::string>(
        lock, kForStore,
        [](c10d::Store& store) {
          return store.check({kVerdict}) ? text_of(store.get(kVerdict)) : std::string();
        },
        verdict);
  }
  if (verdict_.empty() && !verdict.empty()) adopt(lock, verdict);
  if (verdict_.empty() && connections_.lost) {
    const std::string lost = lost_verdict(first_lost_.empty() ? connections_.lost() : first_lost_);
    if (record.is_point_to_point()) {
      // The other ranks can still be sent to.
      return std::make_exception_ptr(
          Error("DISTRIBUTED_FAILED", std::string(record.name) + " failed: " + lost));
    }
    conclude(lock, lost);
  }
  return verdict_.empty() ? error : error_of(record.name, verdict_);
}

void GroupWatch::abort() {
  Lock lock(mutex_);
  if (verdict_.empty() && !is_closed_) {
    // This rank says so in other words than those that it leaves for the others.
    own_verdict_ =
        "its process group was aborted on this rank. Its tensors hold nothing that can be used.";
    conclude(lock, aborted_verdict(rank_));
  }
}

void GroupWatch::drain() {
  Lock lock(mutex_);
  const auto is_drained = [&] {
    return std::all_of(waited_for_.begin(), waited_for_.end(), [](const Record& each) {
      return each->is_done || each->is_point_to_point();
    });
  };
  while (!is_drained()) changed_.wait_for(lock, milliseconds(20));
}

void GroupWatch::close() {
  const Lock lock(mutex_);
  is_closed_ = true;
  connections_ = {};
  changed_.notify_all();
  if (is_listening_) end_listening();
}

}  // namespace aiforge
