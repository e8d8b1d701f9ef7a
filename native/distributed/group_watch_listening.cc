// How a rank hears of a verdict while it waits for nobody.
#include "../condition.h"
#include "../kept_threads.h"
#include "group_keys.h"
#include "group_watch.h"

namespace aiforge {

namespace {

using std::chrono::milliseconds;

// How long after the connection to a process's store those to its rank are lost at most.
constexpr milliseconds kForConnections{100};
// How long one wait for a word is: the store's own timeout would end a longer one.
constexpr milliseconds kTurn{10'000};

}  // namespace

// Hears a verdict at once, whether this rank waits or computes: the rank that leaves it may be
// about to end, and the store with it.
void GroupWatch::listen() {
  std::string verdict;
  try {
    for (bool goes_on = true; goes_on && verdict.empty();) {
      try {
        listener_->wait({word_key(rank_)}, kTurn);
        // Before it is looked what the word was: the next one wakes again.
        listener_->deleteKey(word_key(rank_));
      } catch (const std::exception&) {
        // That was too long, or the connection is lost: then the next line fails as well.
      }
      if (listener_->check({kVerdict})) {
        verdict = text_of(listener_->get(kVerdict));
        listener_->add(kHeard, 1);
      }
      const Lock lock(mutex_);
      goes_on = !is_closed_ && verdict_.empty();
      is_listening_ = goes_on && verdict.empty();
    }
  } catch (const std::exception&) {
    return note_lost();
  }
  Lock lock(mutex_);
  if (!verdict.empty()) adopt(lock, verdict);
}

// The store's process has ended. Who ends next does so because of that: a rank that comes to its
// next collective only then must not name it as well.
void GroupWatch::note_lost() {
  const auto until = Clock::now() + kForConnections;
  Lock lock(mutex_);
  while (connections_.lost && first_lost_.empty() && Clock::now() < until) {
    first_lost_ = connections_.lost();
    changed_.wait_for(lock, milliseconds(5), [&] { return is_closed_; });
  }
}

// On a thread of its own, as whatever asks the store; what waits for nobody any more would hold a
// thread and a connection for the rest of its turn.
void GroupWatch::end_listening() {
  try {
    run_on_kept_thread([self = shared_from_this()] {
      try {
        self->store_->set(word_key(self->rank_), bytes_of("1"));
      } catch (const std::exception&) {
        // The store's process has ended, and with it the wait.
      }
    });
  } catch (const std::exception&) {
    // There is no thread to be had: the turn comes to its end.
  }
}

}  // namespace aiforge
