// The broker is killed at random moments under load, again and again, and started again on what was left.
#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>

#include "audit/verify.h"
#include "client/session.h"
#include "core/crypto/dsse.h"
#include "tests/e2e/live_world.h"

namespace valija::test {
namespace {

constexpr std::uint64_t kOpeningsAllowed = 40;
constexpr char kPolicy[] =
    "marking TLP:GREEN\nreleasable-to agency us.dea\npurpose analysis\ncase optional\nexpires 2036-01-01\n";
const std::string kLimited = std::string(kPolicy) + "openings " + std::to_string(kOpeningsAllowed) + " in all\n";

struct Acknowledged {
  Digest digest;
  ledger::EntryHead head;
};

// Posts sealed records until told to stop; what was not answered is posted again, as it is. Each answer is verified.
void SendUntil(Peer peer, const std::atomic<bool>& stop, std::atomic<int>& answers, std::vector<Acknowledged>& out) {
  auto sealer = peer.Sealer(kPolicy, {"us.dea"});
  std::size_t batch = 1;
  while (!stop) {
    const auto submissions = sealer.Seal(batch, 100, true);
    batch = batch % 7 + 1;
    for (;;) {
      auto answer = peer.transport->Post(submissions, peer.verifier->verified_size());
      if (!answer) {
        const auto reason = answer.error().reason;
        ASSERT_TRUE(reason == Reason::kUnavailable || reason == Reason::kDeadline) << answer.error().Message();
        if (stop) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        continue;
      }
      auto checkpoint = peer.verifier->Advance(answer->view);
      ASSERT_TRUE(checkpoint) << checkpoint.error().Message();  // a lost entry would be a fork
      for (std::size_t i = 0; i < submissions.size(); ++i) {
        auto& outcome = answer->outcomes[i];
        ASSERT_TRUE(outcome) << outcome.error().Message();
        const auto& envelope = submissions[i].envelope;
        const auto digest = crypto::DigestOf(envelope.payload_type, envelope.payload);
        auto accepted = peer.verifier->CheckAccepted(outcome->receipt, digest, *checkpoint);
        ASSERT_TRUE(accepted) << accepted.error().Message();
        out.push_back({digest, outcome->receipt.head});
      }
      ++answers;
      break;
    }
  }
}

// Some two minutes for the usual hundred. The sanitizers make a round several times as long.
int Rounds() {
  const bool longer = std::getenv("VALIJA_LONG") != nullptr;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return longer ? 100 : 20;
#else
  return longer ? 300 : 100;
#endif
}

TEST(KillNine, NothingAcknowledgedIsLostAndNothingIsThereTwice) {
  const int rounds = Rounds();
  LiveWorld world;
  world.Start();

  std::string limited;
  {
    auto sender = world.Connect("mx.fgr/omar");
    auto submissions = sender.Sealer(kLimited, {"us.dea"}).Seal(1, 100, true);
    limited = crypto::DigestOf(submissions[0].envelope.payload_type, submissions[0].envelope.payload).Hex();
    auto answer = sender.transport->Post(submissions, 0).value();
    ASSERT_TRUE(answer.outcomes[0]) << answer.outcomes[0].error().Message();
  }

  std::atomic<bool> stop{false};
  std::atomic<int> answers{0};
  constexpr int kSenders = 3;
  std::vector<std::vector<Acknowledged>> acknowledged(kSenders);
  std::vector<std::thread> threads;
  for (int i = 0; i < kSenders; ++i)
    threads.emplace_back([&, i, peer = world.Connect("sender-" + std::to_string(i))]() mutable {
      SendUntil(std::move(peer), stop, answers, acknowledged[static_cast<std::size_t>(i)]);
    });
  std::uint64_t opened = 0;
  threads.emplace_back([&] {  // opens a record that may be opened so and so often
    auto session = Session::Open({world.root() / "profiles/us.dea/jrivera", world.Passphrase()});
    ASSERT_TRUE(session) << session.failure().message;
    while (!stop) {
      auto content = (*session)->OpenRecord({limited, 0, "analysis", "", {}});
      if (content) {
        ++opened;
      } else if (content.failure().code == "limit-reached") {
        return;
      } else {
        ASSERT_EQ(content.failure().exit_status, 4) << content.failure().message;  // not now; anything else is a fault
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(60));
    }
  });

  std::mt19937 dice(std::random_device{}());
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    const int before = answers;  // under load means that somebody came through since the last start
    for (int i = 0; i < 3000 && answers == before && !HasFailure(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution<int>(0, 400)(dice)));
    world.Kill();
    EXPECT_NO_THROW(world.Start()) << "round " << round;
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  ASSERT_FALSE(HasFailure());

  // Every record is in the log once, and those that were acknowledged where their receipt says.
  std::map<Digest, std::vector<std::uint64_t>> places;
  std::uint64_t granted = 0, size = 0;
  auto auditor = world.Connect("mx.fgr/contralora");
  const ledger::Authorship by{
      auditor.profile->member(), auditor.keys->signature.id(), auditor.verifier->directory().charter()->origin,
      std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()), crypto::SystemRandom().Make<Nonce>()};
  client::Submission said;
  said.envelope = {ledger::PayloadType(ledger::Kind::kLookup),
                   proto::EncodeLookup({by, 0, 0, by.time + std::chrono::hours(1), "after the kills"}),
                   {},
                   std::nullopt};
  said.envelope.signatures.push_back(
      {by.key_id, auditor.keys->signature.Sign(crypto::Pae(said.envelope.payload_type, said.envelope.payload))});
  ASSERT_TRUE(auditor.transport->Post({said}, 0).value().outcomes[0]);
  const auto lookup = crypto::DigestOf(said.envelope.payload_type, said.envelope.payload);
  auto read = auditor.transport->Entries(0, 0, lookup, [&](proto::LoggedEntry entry) {
    auto statement = proto::MakeStatement(*entry.envelope, entry.attachments).value();
    places[statement.digest].push_back(size++);
    if (statement.kind == ledger::Kind::kOpen) {
      const auto decision = proto::DecodeDecision(entry.decision_bytes).value();
      for (const auto& verdict : decision.verdicts) granted += verdict.reasons.empty() ? 1 : 0;
    }
    return true;
  });
  ASSERT_TRUE(read) << read.error().Message();
  for (const auto& [digest, indexes] : places) EXPECT_EQ(indexes.size(), 1u) << digest.Hex() << " is there twice";
  std::size_t count = 0;
  for (const auto& list : acknowledged) {
    for (const auto& one : list) {
      ++count;
      ASSERT_EQ(places[one.digest], std::vector<std::uint64_t>{one.head.index}) << one.digest.Hex();
    }
  }
  EXPECT_GT(count, static_cast<std::size_t>(rounds));
  // An opening whose answer was lost counts too; none beyond the limit was granted.
  EXPECT_GE(granted, opened);
  EXPECT_LE(granted, kOpeningsAllowed);
  EXPECT_GT(opened, 0u);

  // The receipts are the same ones now.
  {
    auto sender = world.Connect("mx.fgr/omar");
    for (const auto& list : acknowledged) {
      ASSERT_FALSE(list.empty());
      for (const auto* one : {&list.front(), &list.back()}) {
        auto receipt = sender.transport->Receipt(one->digest, sender.verifier->verified_size());
        ASSERT_TRUE(receipt) << receipt.error().Message();
        EXPECT_TRUE(receipt->first.head == one->head);
        auto checkpoint = sender.verifier->Advance(receipt->second).value();
        EXPECT_TRUE(sender.verifier->CheckAccepted(receipt->first, one->digest, checkpoint));
      }
    }
  }

  // And without the broker's program: every tile, signature and decision of the log that was left.
  EXPECT_EQ(world.Stop(), 0);
  const auto copy = world.root() / "copy";
  int status = 0;
  ::waitpid(world.Spawn({"export", copy.string()}, (world.root() / "export-out").string()), &status, 0);
  ASSERT_EQ(status, 0);
  audit::Options options;
  options.folder = copy;
  options.charter = world.charter();
  auto report = audit::Verify(options);
  ASSERT_TRUE(report) << report.error().Message();
  EXPECT_TRUE(report->proved()) << report->findings.at(0).what;
  EXPECT_EQ(report->entries, size);
  std::cout << rounds << " kills, " << count << " records acknowledged, " << opened << " of " << granted
            << " openings acknowledged, " << size << " entries\n";
}

}  // namespace
}  // namespace valija::test
