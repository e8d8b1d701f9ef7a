#include "rank_claim.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <random>
#include <sstream>
#include <vector>

#include "../errors.h"
#include "store_reads.h"

namespace aiforge {

namespace {

using Store = c10::intrusive_ptr<c10d::Store>;

// lib/distributed/nodeRanks.ts and joinError.ts read the first two.
std::string claim_key(int rank) { return "aiforge/rank/" + std::to_string(rank); }
std::string gloo_key(int rank) { return "cpu//0/" + std::to_string(rank); }
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

void check_size(const Store& store, int rank, int size) {
  const std::string own = std::to_string(size);
  const std::string common = set_once(store, kSizeKey, own);
  if (common == own) return;
  throw Error("DISTRIBUTED_FAILED",
              "rank " + std::to_string(rank) + " is one of " + own +
                  " ranks (WORLD_SIZE), and another of this group's says that there are " + common +
                  ": give all ranks the same WORLD_SIZE, or " + other_cause(store) + ".");
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

void note_formed(const Store& store) {
  try {
    store->set(kFormedKey, "1");
  } catch (const std::exception&) {
    // The rank that serves the store has ended: nobody joins any more.
  }
}

}  // namespace aiforge
