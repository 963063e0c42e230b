// What the tests of witnesses share: a charter in force with three of them, two in Mexico; the quorum is one of each country.
#pragma once

#include "core/log/witness_policy.h"
#include "tests/client/life.h"

namespace valija::client {

class WitnessedTest : public LifeTest {
 protected:
  const std::vector<std::string> kBoth = {"mx.fgr/admin", "us.dea/admin"};  // no country changes the witnesses alone
  static constexpr std::chrono::seconds kAge{3600}, kSkew{300};

  WitnessedTest() {
    for (const char* name : {"mx.fgr", "mx.fgr/2", "us.dea"})
      honest.witnesses.emplace(name, crypto::Ed25519SignKey::Generate(begun.random));
    honest.witnesses_answer = true;
    Amend([this](ledger::Charter& charter) { charter.witness_policy = PolicyText(); });
  }
  void Amend(const std::function<void(ledger::Charter&)>& change) {
    const auto bytes = Amended(
        [&](ledger::Charter& charter) {
          charter.max_checkpoint_age_seconds = kAge.count();
          change(charter);
        },
        kBoth);
    SessionOf("us.dea/admin")->SubmitCharterAmendment(bytes).value();
  }
  void LetOpeningsGoWithout() {
    Amend([](ledger::Charter& charter) { charter.degraded_after_seconds = 60; });
  }
  std::string PolicyText(const std::string& suffix = {}) const {
    std::string text;
    for (const auto& [name, key] : honest.witnesses)
      text += "witness " + name + suffix + " " +
              log::Cosigner::Make(FakeBroker::WitnessKeyName(name), key.verify_key()).value().Text() + "\n";
    text += "group mx any mx.fgr mx.fgr/2\ngroup us any us.dea\ngroup both all mx us\nquorum both\n";
    return log::WitnessPolicy::Parse(text).value().Text();
  }
  // From here on nothing more is cosigned than what is there now.
  void Silence() {
    honest.cosigned = honest.Cosigned();
    honest.witnesses_answer = false;
  }
  // Something comes to the log that concerns nobody here.
  void Grow() {
    const auto any = honest.entries[1];
    honest.Append(any);
  }
  static Time Ago(Duration past) { return FakeBroker::Now() - past; }
  // A session that waits for nobody long.
  std::unique_ptr<SessionCore> Hurried(const std::string& member) {
    auto session = SessionOf(member);
    session->set_pause(std::chrono::milliseconds(1));
    session->set_clock([this] { return FakeBroker::Now() + later; });
    return session;
  }
  Duration later{};  // by the clock of whoever judges how old the log is
};

}  // namespace valija::client
