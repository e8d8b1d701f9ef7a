#include "object_exchange.h"

namespace aiforge {

namespace {

// The length is a message of its own; that of the bytes then has the length in its tag.
constexpr uint64_t kLength = ~uint64_t{0};

at::Tensor as_tensor(const void* data, size_t size) {
  return at::from_blob(const_cast<void*>(data), {static_cast<int64_t>(size)}, at::kByte);
}

}  // namespace

ObjectExchange::ObjectExchange(Gloo gloo, GroupWatch::Record record,
                               std::vector<std::shared_ptr<const Bytes>> outgoing,
                               std::vector<int> sources)
    : gloo_(std::move(gloo)),
      record_(std::move(record)),
      outgoing_(std::move(outgoing)),
      sources_(std::move(sources)) {}

uint64_t ObjectExchange::print(int sender, int receiver, uint64_t part) const {
  uint64_t print = mixed(0x6f626a65, part);
  // What differs, such as bytes on one rank and a value on the other, never meets.
  if (!record_->is_point_to_point()) {
    return mixed(mixed(print, record_->number), record_->fingerprint());
  }
  // Of messages each pair of ranks has its own count.
  print = mixed(mixed(print, record_->ordinal), static_cast<uint64_t>(record_->tag));
  return mixed(mixed(print, sender + 1), receiver + 1);
}

void ObjectExchange::send_all() {
  const int own = gloo_->getRank();
  for (int rank = 0; rank < gloo_->getSize(); ++rank) {
    const auto& bytes = outgoing_[rank];
    if (!bytes || rank == own) continue;
    const uint64_t size = bytes->size();
    const at::Tensor length = at::full({1}, static_cast<int64_t>(size), at::kLong);
    sends_.push_back(gloo_->send_part(length, rank, print(own, rank, kLength)));
    if (size == 0) continue;
    sends_.push_back(
        gloo_->send_part(as_tensor(bytes->data(), size), rank, print(own, rank, size)));
  }
}

void ObjectExchange::wait(std::vector<CheckedGloo::Begun>& works) {
  // Longer than the watch does, which can say more.
  for (const auto& work : works) work->wait(record_->timeout + std::chrono::seconds(5));
  works.clear();
}

void ObjectExchange::receive_all(std::vector<Incoming>& incoming) {
  const int own = gloo_->getRank();
  std::vector<CheckedGloo::Begun> works;
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i] == own) {
      incoming[i].bytes = *outgoing_[own];
      continue;
    }
    incoming[i].length = at::zeros({1}, at::kLong);
    works.push_back(
        gloo_->receive_part(incoming[i].length, sources_[i], print(sources_[i], own, kLength)));
  }
  wait(works);
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i] == own) continue;
    const auto size = static_cast<size_t>(incoming[i].length.item<int64_t>());
    incoming[i].bytes.resize(size);
    if (size == 0) continue;
    works.push_back(gloo_->receive_part(as_tensor(incoming[i].bytes.data(), size), sources_[i],
                                        print(sources_[i], own, size)));
  }
  wait(works);
}

std::vector<ObjectExchange::Bytes> ObjectExchange::run() {
  std::vector<Incoming> incoming(sources_.size());
  try {
    send_all();
    receive_all(incoming);
    wait(sends_);
  } catch (...) {
    const std::exception_ptr error = std::current_exception();
    record_->is_done = true;
    std::rethrow_exception(gloo_->explain(*record_, error));
  }
  record_->is_done = true;
  std::vector<Bytes> received;
  for (Incoming& each : incoming) received.push_back(std::move(each.bytes));
  return received;
}

}  // namespace aiforge
