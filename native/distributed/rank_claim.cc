#include "rank_claim.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <random>
#include <sstream>
#include <vector>

#include "../errors.h"
#include "deadlines.h"
#include "store_reads.h"

namespace aiforge {

namespace {

using Store = c10::intrusive_ptr<c10d::Store>;
using std::chrono::milliseconds;

// How long a wait for the other ranks is before it is looked whether one was refused.
constexpr milliseconds kFirstTurn{100};
constexpr milliseconds kLongestTurn{300};

// lib/distributed/nodeRanks.ts and joinError.ts read the first two.
std::string claim_key(int rank) { return "aiforge/rank/" + std::to_string(rank); }
std::string gloo_key(int rank) { return "cpu//0/" + std::to_string(rank); }
const char* const kOtherSizeKey = "aiforge/size/other";
const char* const kSizeKey = "aiforge/size";
const char* const kFormedKey = "aiforge/formed";

// What a key has in the end: `value`, unless it had another.
std::string set_once(const Store& store, const std::string& key, const std::string& value) {
  return store->compareSet(key, std::string(), value);
}

std::string other_cause(const Store& store) {
  return is_file(*store) ? "the store's file is left from another run, or another job uses it"
                         : "another job uses this MASTER_PORT";
}

// The words of a claim: who has made it, and where.
struct Claimant {
  std::string host;
  std::string processes;  // the namespace of process numbers, which a container has of its own
  std::string pid;
  std::string number;  // which no other process has
  std::string environment;
  std::string attempt;

  std::string text() const {
    return host + " " + processes + " " + pid + " " + number + " " + environment + " " + attempt;
  }
  static Claimant from(const std::string& text) {
    Claimant one;
    std::istringstream words(text);
    words >> one.host >> one.processes >> one.pid >> one.number >> one.environment >> one.attempt;
    return one;
  }
  bool is_same(const Claimant& other) const {
    return number == other.number && environment == other.environment;
  }
};

std::string number_of_process() {
  std::random_device random;
  return std::to_string(random()) + "." + std::to_string(random());
}

Claimant this_one(const void* environment) {
  static const std::string number = number_of_process();
  static std::atomic<int> attempts{0};
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  struct stat processes {};
  stat("/proc/self/ns/pid", &processes);
  return {host.data(),
          std::to_string(processes.st_ino),
          std::to_string(getpid()),
          number,
          std::to_string(reinterpret_cast<uintptr_t>(environment)),
          std::to_string(++attempts)};
}

// Whether a process has certainly ended.
bool is_gone(const Claimant& one, const Claimant& own) {
  if (one.host != own.host || one.processes != own.processes) return false;
  if (one.pid == own.pid) return one.number != own.number;
  return kill(std::atoi(one.pid.c_str()), 0) != 0 && errno == ESRCH;
}

[[noreturn]] void refuse(const Store& store, int rank, const std::string& by) {
  throw Error("DISTRIBUTED_FAILED",
              "rank " + std::to_string(rank) + " has joined this group already" + by +
                  ": another process has the same RANK, or " + other_cause(store) + ".");
}

std::string sizes_differ(const Store& store, int rank, int size, const std::string& other,
                         const std::string& other_size) {
  return "rank " + std::to_string(rank) + " is one of " + std::to_string(size) +
         " ranks (WORLD_SIZE), and " + other + " says that there are " + other_size +
         ": give all ranks the same WORLD_SIZE, or " + other_cause(store) + ".";
}

void check_size(const Store& store, int rank, int size) {
  const std::string own = std::to_string(size);
  const std::string common = set_once(store, kSizeKey, own);
  if (common == own) return;
  // Those that wait for this rank are told, but not by another job's whose place here is taken.
  if (!store->check({claim_key(rank)})) {
    store->set(kOtherSizeKey, std::to_string(rank) + " " + own);
  }
  throw Error("DISTRIBUTED_FAILED",
              sizes_differ(store, rank, size, "another of this group's", common));
}

// Throws where a rank was refused since it counts another number of ranks.
void check_refused(const Store& store, int rank, int size) {
  if (!store->check({kOtherSizeKey})) return;
  const auto bytes = store->get(kOtherSizeKey);
  std::istringstream words(std::string(bytes.begin(), bytes.end()));
  std::string other;
  std::string other_size;
  words >> other >> other_size;
  throw Error("DISTRIBUTED_FAILED", sizes_differ(store, rank, size, "rank " + other, other_size));
}

}  // namespace

void claim_rank(const Store& store, int rank, int size, const void* environment) {
  // Nobody waits for a rank that is alone.
  if (size == 1) return;
  check_size(store, rank, size);
  const Claimant own = this_one(environment);
  const std::string text = set_once(store, claim_key(rank), own.text());
  if (text == own.text()) {
    if (store->check({gloo_key(rank)})) refuse(store, rank, "");
    return;
  }
  const Claimant before = Claimant::from(text);
  // One that joins again is no other.
  if (before.is_same(own)) return;
  const bool is_open = !is_file(*store) && is_gone(before, own) && !store->check({kFormedKey});
  if (!is_open) refuse(store, rank, " (process " + before.pid + " on " + before.host + ")");
  store->set(claim_key(rank), own.text());
}

void await_ranks(const Store& store, int rank, int size, milliseconds timeout) {
  if (size == 1) return;
  std::vector<std::string> claims;
  for (int each = 0; each < size; ++each) claims.push_back(claim_key(each));
  const auto until = std::chrono::steady_clock::now() + timeout;
  int missing = 0;
  for (milliseconds turn = kFirstTurn; std::chrono::steady_clock::now() < until;
       turn = std::min(2 * turn, kLongestTurn)) {
    try {
      store->wait(claims, turn);
      return;
    } catch (const c10::Error&) {
      check_refused(store, rank, size);
    }
    while (missing < size && store->check({claims[missing]})) ++missing;
    if (missing == size || store->check({gloo_key(missing)})) return;
  }
  throw Error("DISTRIBUTED_FAILED", late("Joining the process group", timeout));
}

void note_formed(const Store& store) {
  try {
    store->set(kFormedKey, "1");
  } catch (const std::exception&) {
    // The rank that serves the store has ended: nobody joins any more.
  }
}

}  // namespace aiforge
