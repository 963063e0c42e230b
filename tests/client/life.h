// What the tests of a record's life share: who sends, who opens, who approves.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/crypto/dsse.h"
#include "tests/client/world.h"

namespace valija::client {

namespace fs = std::filesystem;
using test::FakeBroker;

class LifeTest : public ::testing::Test, public test::ClientWorld {
 protected:
  std::string Sent(const Draft& draft, const std::string& by = "us.dea/ana") {
    return SessionOf(by)->Send({draft}, {}).value().front().value().id;
  }
  static Result<OpenedPortion> OpenAs(SessionCore& session, const OpenRequest& request) {
    auto opened = session.Open({request}, {});
    if (!opened) return opened.error();
    return std::move(opened->front());
  }
  Result<OpenedPortion> OpenAs(const std::string& member, const OpenRequest& request) {
    auto session = SessionOf(member);
    return OpenAs(*session, request);
  }
  // Refused for want of approvals: the id of the request that waits.
  std::string Asks(const std::string& member, const std::string& record) {
    const auto refused = OpenAs(member, Asking(record));
    EXPECT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, Reason::kApprovalMissing);
    return honest.entries.back().head.statement.Hex();
  }
  // Enrols who is a member already, with its own card, as something more.
  void Enrol(const std::string& member, const Session::EnrolOptions& options) {
    const auto agency = test::Member(member).agency().str();
    const std::string admin = agency == "us.fbi" ? "us.fbi/kim" : agency + "/admin";
    const auto card = test::Beginning::Folder(begun.folder.path(), member) / "member.card";
    SessionOf(admin)->Enrol(card, options).value();
  }
  // The charter in force, changed, signed by these administrators.
  std::string Amended(const std::function<void(ledger::Charter&)>& change,
                      const std::vector<std::string>& signers = {"us.dea/admin"}) {
    ledger::CharterAmendment amendment{*honest.state.charter(), honest.state.charter_statement()};
    amendment.charter.time = FakeBroker::Now();
    change(amendment.charter);
    ledger::Envelope envelope{ledger::PayloadType(ledger::Kind::kCharterAmendment),
                              proto::EncodeCharterAmendment(amendment),
                              {},
                              std::nullopt};
    for (const auto& signer : signers) {
      const auto key = begun.Keys(signer).signature;
      envelope.signatures.push_back({key.id(), key.Sign(crypto::Pae(envelope.payload_type, envelope.payload))});
    }
    return std::string(AsText(proto::EncodeEnvelope(envelope)));
  }
  static std::vector<std::string> KindsOf(const std::vector<NewsItem>& news) {
    std::vector<std::string> kinds;
    for (const auto& one : news) kinds.push_back(one.kind + (one.by.empty() ? "" : " " + one.by));
    return kinds;
  }
  // The charter in force, changed, signed by these administrators.
  std::string Amended(const std::function<void(ledger::Charter&)>& change,
                      const std::vector<std::string>& signers = {"us.dea/admin"}) {
    ledger::CharterAmendment amendment{*honest.state.charter(), honest.state.charter_statement()};
    amendment.charter.time = FakeBroker::Now();
    change(amendment.charter);
    ledger::Envelope envelope{ledger::PayloadType(ledger::Kind::kCharterAmendment),
                              proto::EncodeCharterAmendment(amendment),
                              {},
                              std::nullopt};
    for (const auto& signer : signers) {
      const auto key = begun.Keys(signer).signature;
      envelope.signatures.push_back({key.id(), key.Sign(crypto::Pae(envelope.payload_type, envelope.payload))});
    }
    return std::string(AsText(proto::EncodeEnvelope(envelope)));
  }
  static Digest Id(const std::string& hex) { return *Digest::FromHexText(hex); }

  static constexpr const char* kTwoEyes = "approval 1 of us.dea/admin, mx.fgr/admin\napproval-hours 24\n";
  test::Lies& lies = honest.lies;
};

}  // namespace valija::client
