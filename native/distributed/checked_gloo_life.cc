// How a group over Gloo begins and ends.
#include "checked_gloo.h"
#include "gloo_connections.h"

namespace aiforge {

namespace {

std::string node_key(int rank) { return "aiforge/node/" + std::to_string(rank); }

}  // namespace

CheckedGloo::CheckedGloo(const Store& store, const GlooOptions& given)
    : ProcessGroupGloo(
          // Read by every rank once all are connected, and so once all have said it.
          (store->set(node_key(given.rank), std::vector<uint8_t>{1}), store), given.rank,
          given.size,
          [&] {
            const bool is_told = !given.address.empty();
            auto options = is_told ? Options::create(given.join_timeout)
                                   : Options::create_default(given.join_timeout);
            if (is_told) options->devices = {createDeviceForHostname(given.address)};
            options->group_name = given.group;
            return options;
          }()),
      timeout_(given.timeout) {
  setTimeout(timeout_);
}

CheckedGloo::~CheckedGloo() {
  if (watch_) watch_->close();
}

void CheckedGloo::check(const GroupWatch::Clients& clients, GroupWatch::AskLine ask_line) {
  std::vector<std::string> keys;
  for (int rank = 0; rank < getSize(); ++rank) keys.push_back(node_key(rank));
  try {
    is_checked_ = clients.talks->check(keys);
  } catch (const c10::Error&) {
    // The rank that serves the store has ended: there is nobody to disagree with.
    is_checked_ = true;
  }
  if (!is_checked_ || getSize() == 1) return;
  setTimeout(timeout_ + kGlooGrace);
  GroupWatch::Connections connections;
  const auto of_connections = [&](auto body) {
    return [body, contexts = contexts_, rank = getRank(), size = getSize()] {
      return body(contexts, rank, size);
    };
  };
  connections.end = of_connections(end_connections);
  connections.lost = of_connections(lost_ranks);
  watch_ =
      GroupWatch::open(clients, getRank(), getSize(), std::move(connections), std::move(ask_line));
}

void CheckedGloo::drain() {
  if (watch_) watch_->drain();
}

void CheckedGloo::abort() {
  if (watch_) watch_->abort();
  end_connections(contexts_, getRank(), getSize());
}

void CheckedGloo::cut() {
  if (watch_) watch_->close();
  end_connections(contexts_, getRank(), getSize());
}

std::vector<GroupWatch::Remembered> CheckedGloo::history(
    const std::function<std::string(uint32_t call)>& line) {
  if (!watch_) return {};
  return watch_->history(line);
}

std::exception_ptr CheckedGloo::explain(const CollectiveRecord& record,
                                        const std::exception_ptr& error) {
  return watch_ ? watch_->explain(record, error) : error;
}

}  // namespace aiforge
