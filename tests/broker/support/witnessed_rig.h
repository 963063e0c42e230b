// A sequencer whose charter names a witness in each country, with doubles of them.
#pragma once

#include "broker/public_note.h"
#include "tests/broker/support/broker_rig.h"
#include "tests/broker/witness_double.h"

namespace valija::test {

struct WitnessedRig : BrokerRig {
  WitnessDouble mx{"mx.fgr"}, us{"us.dea"};

  static Time SystemNow() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }
  std::string PolicyText() const {
    return log::WitnessPolicy::Parse(mx.PolicyLine() + us.PolicyLine() + "group both all mx.fgr us.dea\nquorum both\n")
        .value()
        .Text();
  }
  log::WitnessPolicy Policy() const { return log::WitnessPolicy::Parse(PolicyText()).value(); }
  static void Name(ledger::Charter& charter, const std::string& policy) {
    charter.witness_policy = policy;
    charter.max_checkpoint_age_seconds = policy.empty() ? 0 : 3600;
  }

  WitnessedRig() {
    world.now = SystemNow();
    options.now = SystemNow;
    world.found_with = [this](ledger::Charter& charter) { Name(charter, PolicyText()); };
    witnessing = broker::Witnesses::Options{.now = SystemNow};
    witnessing->timeout = std::chrono::seconds(5);
    witnessing->start_wait = std::chrono::seconds(20);
    witnessing->start_others = std::chrono::milliseconds(300);
    witnessing->round = std::chrono::milliseconds(100);
  }
  ~WitnessedRig() { Stop(); }  // before the doubles go

  // Signed by the log, and by a quorum?
  bool Holds(const std::string& note, std::uint64_t size) const {
    const auto key = world.verifier();
    const auto witnessed = Policy().Verify(note, {&key, 1});
    return witnessed && witnessed->checkpoint.size == size;
  }
  Status Covered(std::uint64_t size, std::chrono::milliseconds at_most = std::chrono::seconds(30)) const {
    std::promise<Status> promise;
    auto done = promise.get_future();
    sequencer->WaitCovered(size - 1, std::chrono::system_clock::now() + at_most,
                           [&](Status status) { promise.set_value(std::move(status)); });
    return done.get();
  }
  std::unique_ptr<broker::PublicNote> Public() {
    auto& log = *sequencer;
    return std::make_unique<broker::PublicNote>(
        *journal,
        broker::PublicNote::Source{[&log] { return log.witnessed(); },
                                   [&log] { return log.cosigned(log.checkpoint()->size()); },
                                   [&log] { return log.checkpoint()->note(); }},
        std::chrono::milliseconds(1));
  }
};

}  // namespace valija::test
