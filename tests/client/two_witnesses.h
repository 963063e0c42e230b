// A log whose charter has a witness in each of two countries, from an amendment on; and how their keys and the log's are changed.
#pragma once

#include "core/log/policy_history.h"
#include "tests/client/life.h"

namespace valija::client {

class TwoWitnessesTest : public LifeTest {
 protected:
  TwoWitnessesTest() {
    honest.witnesses_follow = true;
    honest.witnesses.emplace("mx.fgr", crypto::Ed25519SignKey::Generate(random_));
    honest.witnesses.emplace("us.dea", crypto::Ed25519SignKey::Generate(random_));
    Amend([&](ledger::Charter& charter) {
      charter.witness_policy = Policy();
      charter.max_checkpoint_age_seconds = 3600;
    });
  }
  void Amend(const std::function<void(ledger::Charter&)>& change) {
    SessionOf("us.dea/admin")->SubmitCharterAmendment(Amended(change, {"us.dea/admin", "mx.fgr/admin"})).value();
  }
  std::string Policy() const {
    std::string out;
    for (const auto& [name, key] : honest.witnesses)
      out += "witness " + name + " " + log::Cosigner::Make("witness." + name, key.verify_key()).value().Text() + "\n";
    return out + "group both all mx.fgr us.dea\nquorum both\n";
  }
  // Another key of the log, and of the witness of mx.fgr; the former ones are given up.
  void Rotate() {
    honest.next_log_key = crypto::Ed25519SignKey::Generate(random_);
    honest.witnesses.insert_or_assign("mx.fgr", crypto::Ed25519SignKey::Generate(random_));
    const auto key = log::NoteVerifier::Make(begun.broker.origin, honest.next_log_key->verify_key()).value().Text();
    Amend([&](ledger::Charter& charter) {
      charter.log_key = key;
      charter.witness_policy = Policy();
    });
    honest.former_key_given_up = true;
  }
  // A note, or a file that ends with one, without the lines of this name.
  static std::string Without(const std::string& text, const std::string& name) {
    std::string out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
      if (!line.starts_with("\u2014 " + name + " ")) out += line + "\n";
    return out;
  }

  crypto::SystemRandom random_;
};

}  // namespace valija::client
