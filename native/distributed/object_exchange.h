// Bytes of any length from some ranks to others, as broadcasts and gathers of objects send them.
#pragma once

#include <memory>
#include <vector>

#include "checked_gloo.h"

namespace aiforge {

class ObjectExchange {
 public:
  using Bytes = std::vector<uint8_t>;
  using Gloo = c10::intrusive_ptr<CheckedGloo>;

  // To each rank what `outgoing` has for it, if anything; something from each of `sources`. Takes
  // its place among the group's collectives now, on the thread that orders them.
  ObjectExchange(Gloo gloo, GroupWatch::Record record,
                 std::vector<std::shared_ptr<const Bytes>> outgoing, std::vector<int> sources);

  // What has come from each of the sources, in their order. Waits for them, on any thread.
  std::vector<Bytes> run();

 private:
  struct Incoming {
    at::Tensor length;
    Bytes bytes;
  };

  void send_all();
  void receive_all(std::vector<Incoming>& incoming);
  void wait(std::vector<CheckedGloo::Begun>& works);
  uint64_t print(int sender, int receiver, uint64_t part) const;

  const Gloo gloo_;
  const GroupWatch::Record record_;
  const std::vector<std::shared_ptr<const Bytes>> outgoing_;
  const std::vector<int> sources_;
  std::vector<CheckedGloo::Begun> sends_;
};

}  // namespace aiforge
