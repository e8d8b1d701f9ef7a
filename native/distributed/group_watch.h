// Finds out why a collective does not end: the ranks do not do the same, one is missing or gone.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <vector>

#include "collective_record.h"
#include "rank_report.h"

namespace aiforge {

// Of one group on one rank, with a thread that sleeps while nothing is late, and one that listens.
// A collective that is late has its rank tell the others, in the group's store, what it does. Who
// finds out what is wrong leaves a verdict there: then every rank ends its connections, so that all
// that waits fails, and says the same.
class GroupWatch : public std::enable_shared_from_this<GroupWatch> {
 public:
  using Store = c10::intrusive_ptr<c10d::Store>;
  using Record = std::shared_ptr<CollectiveRecord>;

  // What the watch asks of its group, until `close`.
  struct Connections {
    std::function<void()> end;
    std::function<std::vector<int>()> lost;  // ranks that are no longer connected
  };
  // Asks for the user's line of a call and gives it, or an empty text, to its argument, once.
  using AskLine = std::function<void(uint32_t call, std::function<void(std::string)>)>;

  // Clients of the group's store for the watch alone: one may wait while the other asks. Without
  // one that listens a verdict is heard of in the next collective.
  struct Clients {
    Store talks;
    Store listens;
  };

  static std::shared_ptr<GroupWatch> open(const Clients& clients, int rank, int size,
                                          Connections connections, AskLine ask_line);

  // From now on the collective is waited for, until `is_done`.
  void begin(const Record& record);
  void set_line(const Record& record, std::string line);
  // Throws when the group has come to its end before.
  void check_open(const char* name);
  // Why a collective failed, in words that are the same on all ranks where that is possible. May
  // wait for the store, for a moment.
  std::exception_ptr explain(const CollectiveRecord& record, const std::exception_ptr& error);
  // Says to the others that this rank ends the group, and ends the connections.
  void abort();
  // The last collectives, the newest last. `line` gives the user's line of a call.
  struct Remembered {
    uint32_t tag;
    uint64_t number;
    bool is_completed;
    std::string text;
  };
  std::vector<Remembered> history(const std::function<std::string(uint32_t call)>& line);
  // Waits until no collective is left.
  void drain();
  // The connections are not touched afterwards.
  void close();

 private:
  using Lock = std::unique_lock<std::mutex>;

  GroupWatch(Store store, Store listener, int rank, int size, Connections connections,
             AskLine ask_line);

  void run();
  void forget_done();
  Clock::time_point next_look() const;
  void look(Lock& lock);
  void ask_lines(Lock& lock);
  void listen();
  void end_listening();
  void note_lost();
  void take_back(Lock& lock);
  // Those that the other ranks are told as well.
  std::vector<Record> told_records() const;
  RankReport own_report() const;
  void judge(Lock& lock, Reports reports);
  bool waits_for_others(const Reports& reports, const Disagreement& found);
  // Leaves a verdict for all ranks; the first one holds.
  void conclude(Lock& lock, const std::string& verdict);
  void adopt(Lock& lock, const std::string& verdict);

  template <typename Result>
  bool with_store(Lock& lock, std::chrono::milliseconds limit,
                  std::function<Result(c10d::Store&)> body, Result& result);

  const Store store_;
  const Store listener_;
  const int rank_;
  const int size_;
  const AskLine ask_line_;

  std::mutex mutex_;
  std::condition_variable changed_;
  Connections connections_;
  std::deque<Record> waited_for_;
  std::deque<Record> last_;      // collectives that are done, the newest last
  std::vector<int> first_lost_;  // with the store
  std::string verdict_;
  std::string own_verdict_;  // what this rank says in its place
  std::string told_;         // the last report in the store
  Clock::time_point wakes_at_{};
  Clock::time_point disagreed_at_{};
  std::chrono::milliseconds patience_;
  size_t lines_asked_ = 0;
  bool is_asleep_ = false;
  bool is_closed_ = false;
  bool is_listening_;  // whether the thread that listens may still wait
  bool is_woken_ = false;
  bool store_is_busy_ = false;
  bool store_is_silent_ = false;  // did not answer in time
  bool store_is_gone_ = false;
};

}  // namespace aiforge
