#include "audit/evidence/receipt.h"
#include "audit/witness/protocol.h"
#include "core/log/tlog_proof.h"
#include "core/log/tree.h"
#include "core/log/witness_policy.h"
#include "tests/core/log/witnessed.h"
#include "tests/fuzz/targets.h"

namespace valija::fuzz {
namespace {

using namespace log::test;  // NOLINT

Bytes Raw(std::string_view text) { return ToBytes(AsBytes(text)); }

void RunNote(ByteView bytes) {
  auto note = log::Note::Parse(AsText(bytes));
  if (!note) return;
  std::string again = note->text + "\n";
  for (const auto& signature : note->signatures) again += signature.Line();
  Holds(again == AsText(bytes), "a note is written as it was read");
}

void RunCheckpoint(ByteView bytes) {
  auto checkpoint = log::Checkpoint::ParseBody(AsText(bytes));
  if (!checkpoint) return;
  auto again = log::Checkpoint::ParseBody(checkpoint->Body());
  Holds(again && *again == *checkpoint, "a checkpoint's body is read as it was written");
}

// No bytes but those that the published keys signed are theirs.
void RunSigned(ByteView bytes) {
  const auto text = AsText(bytes);
  static const auto key = log::NoteVerifier::Parse(kPublishedLog).value();
  static const std::vector<log::Cosigner> witnesses = {log::Cosigner::Parse(kWitness1).value(),
                                                       log::Cosigner::Parse(kWitness2).value()};
  if (auto checkpoint = log::SignedCheckpoint::Verify(text, kPublishedOrigin, key))
    Holds(text.starts_with(kPublishedBody), "only what the log signed is a checkpoint of it");
  auto note = log::Note::Parse(text);
  if (!note) return;
  if (auto cosigned = log::VerifyCosignatures(*note, witnesses); cosigned && !cosigned->empty())
    Holds(note->text == kPublishedBody, "only what a witness cosigned bears its cosignature");
}

template <class Key>
void RunKey(ByteView bytes) {
  auto key = Key::Parse(AsText(bytes));
  if (key) Holds(key->Text() == AsText(bytes), "a key is written as it was read");
}

void RunTilePath(ByteView bytes) {
  auto path = log::ParseTilePath(AsText(bytes));
  if (!path) return;
  const auto again = path->bundle ? log::BundlePath(path->id.index, path->width) : log::TilePath(path->id, path->width);
  Holds(again == AsText(bytes), "a path has one spelling");
}

void RunBundle(ByteView bytes) {
  auto entries = log::ParseBundle(bytes);
  if (!entries) return;
  Bytes again;
  for (const auto& entry : *entries) log::AppendBundleEntry(again, entry);
  Holds(again == ToBytes(bytes), "a bundle is written as it was read");
}

void RunWitnessPolicy(ByteView bytes) {
  auto policy = log::WitnessPolicy::Parse(AsText(bytes));
  if (!policy) return;
  auto again = log::WitnessPolicy::Parse(policy->Text());
  Holds(again && again->Text() == policy->Text(), "a policy's own form is read as it was written");
}

void RunPolicyHistory(ByteView bytes) {
  auto policies = log::PolicyHistory::Parse(AsText(bytes));
  if (!policies) return;
  auto again = log::PolicyHistory::Parse(policies->Text());
  Holds(again && again->Text() == policies->Text(), "policies of all times are read as they were written");
  (void)policies->Verify(PublishedNote());
}

void RunReceipt(ByteView bytes) {
  auto receipt = evidence::ParseReceipt(AsText(bytes));
  if (!receipt) return;
  Holds(evidence::ReceiptText(*receipt) == AsText(bytes), "a receipt is written as it was read");
  static const auto policies =
      log::PolicyHistory::Parse("log " + std::string(kPublishedLog) + "\nquorum none\n").value();
  if (evidence::VerifyReceipt(*receipt, policies)) Holds(false, "nothing proves an entry that is in no log");
}

void RunTlogProof(ByteView bytes) {
  auto proof = log::TlogProof::Parse(AsText(bytes));
  if (!proof) return;
  Holds(proof->Text() == AsText(bytes), "a proof is written as it was read");
  static const auto policy = log::WitnessPolicy::Parse("log " + std::string(kPublishedLog) + "\nwitness w1 " +
                                                       std::string(kWitness1) + "\nquorum w1\n")
                                 .value();
  if (log::VerifyTlogProof(*proof, Hash{}, policy)) Holds(false, "nothing proves a leaf that is in no tree");
}

// index || size || leaf || hashes: whatever it gives, it ends.
void RunProofs(ByteView bytes) {
  if (bytes.size() < 48) return;
  std::uint64_t numbers[2] = {};
  for (int i = 0; i < 16; ++i) numbers[i / 8] = numbers[i / 8] << 8 | bytes[static_cast<std::size_t>(i)];
  const auto leaf = *Hash::From(bytes.subspan(16, 32));
  std::vector<Hash> path;
  for (std::size_t at = 48; at + 32 <= bytes.size(); at += 32) path.push_back(*Hash::From(bytes.subspan(at, 32)));
  auto root = log::RootFromInclusion(numbers[0], numbers[1], leaf, path);
  if (root) {
    Holds(numbers[0] < numbers[1], "an index is below the size");
    Holds(static_cast<bool>(log::VerifyInclusion(numbers[0], numbers[1], leaf, path, *root)),
          "the root that a path gives is its root");
  }
  (void)log::VerifyConsistency(numbers[0], leaf, numbers[1], leaf, path);
}

void RunWitnessRequest(ByteView bytes) {
  auto request = witness::ParseRequest(AsText(bytes));
  if (!request) return;
  Holds(request->proof.size() <= witness::kMaxProof, "a proof has 63 hashes at most");
  static const witness::Log log{kPublishedOrigin, {log::NoteVerifier::Parse(kPublishedLog).value()}, {}, ""};
  static const witness::Signer signer{"w.example", KeyNamed("w.example")};
  static const witness::Record seen{*log::Checkpoint::ParseBody(kPublishedBody), PublishedNote()};
  for (const auto& record : {std::optional<witness::Record>(), std::optional(seen)}) {
    const auto decision = witness::Decide(*request, log, record, signer, kPublishedTime);
    if (decision.next)
      Holds(decision.next->checkpoint == seen.checkpoint, "a witness cosigns what the log signed and nothing else");
    Holds((decision.answer.status == 200) == decision.next.has_value(), "what is cosigned is recorded");
  }
}

void RunWitnessLogs(ByteView bytes) { (void)witness::ParseLogs(AsText(bytes)); }

std::vector<Bytes> Notes() {
  return {Raw(PublishedNote()), Raw(std::string(kPublishedBody) + "\n" + std::string(kPublishedLogLine)),
          Raw(CosignedNote({"a.example/log", 1, Hash{}}, {"w1", "w2"}))};
}
std::vector<Bytes> Bundles() {
  Bytes one, many;
  log::AppendBundleEntry(one, Bytes(32, 7));
  for (int i = 0; i < 5; ++i) log::AppendBundleEntry(many, Bytes(static_cast<std::size_t>(i), 'x'));
  return {one, many};
}
std::vector<Bytes> Policies() {
  const std::string witnesses =
      "witness w1 " + std::string(kWitness1) + " https://w1.example/\nwitness w2 " + std::string(kWitness2) + "\n";
  return {Raw("log " + std::string(kPublishedLog) + "\n" + witnesses + "group all all w1 w2\nquorum all\n"),
          Raw("# a comment\n\n" + witnesses + "group g 1 w1 w2\ngroup h any g w1\nquorum h\n"), Raw("quorum none\n")};
}
std::vector<Bytes> Proofs() {
  log::TlogProof small{std::nullopt, 0, {}, PublishedNote()};
  log::TlogProof large{Bytes{1, 2, 3}, 699, {Hash{}, Hash{}}, PublishedNote()};
  return {Raw(small.Text()), Raw(large.Text())};
}
std::vector<Bytes> Histories() {
  const auto policies = Policies();
  std::string now(AsText(policies[0])), former;
  for (std::string_view rest = now; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1))
    former += "#: " + std::string(rest.substr(0, rest.find('\n') + 1));
  return {policies[0], Raw(now + "#: until 700\n" + former + "#: until 5\n#: quorum none\n")};
}
std::vector<Bytes> Receipts() {
  ledger::EntryHead head;
  head.index = 3;
  return {Raw(evidence::ReceiptText({head, Salt{}, {Hash{}, Hash{}}, PublishedNote()}))};
}
std::vector<Bytes> Requests() {
  const std::string zero = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
  return {Raw("old 0\n\n" + PublishedNote()), Raw("old 700\n\n" + PublishedNote()),
          Raw("old 10\n" + zero + zero + "\n" + PublishedNote())};
}

}  // namespace

std::vector<Target> LogTargets() {
  return {
      {"note", Shape::kText, RunNote, Notes},
      {"checkpoint", Shape::kText, RunCheckpoint,
       [] {
         return std::vector<Bytes>{Raw(kPublishedBody), Raw(std::string(kPublishedBody) + "extension line\n")};
       }},
      {"signed-checkpoint", Shape::kText, RunSigned, Notes},
      {"log-key", Shape::kText, RunKey<log::NoteVerifier>, [] { return std::vector<Bytes>{Raw(kPublishedLog)}; }},
      {"witness-key", Shape::kText, RunKey<log::Cosigner>,
       [] {
         return std::vector<Bytes>{Raw(kWitness1), Raw(kWitness2)};
       }},
      {"tile-path", Shape::kText, RunTilePath,
       [] {
         return std::vector<Bytes>{Raw("tile/0/000"), Raw("tile/7/x001/x234/067.p/112"), Raw("tile/entries/x999/000"),
                                   Raw("tile/63/001.p/1")};
       }},
      {"bundle", Shape::kBytes, RunBundle, Bundles},
      {"witness-policy", Shape::kText, RunWitnessPolicy, Policies},
      {"policy-history", Shape::kText, RunPolicyHistory, Histories},
      {"tlog-proof", Shape::kText, RunTlogProof, Proofs},
      {"receipt", Shape::kText, RunReceipt, Receipts},
      {"merkle-proof", Shape::kBytes, RunProofs,
       [] {
         Bytes one(48 + 64, 0);
         one[7] = 2, one[15] = 3;
         return std::vector<Bytes>{one};
       }},
      {"witness-request", Shape::kText, RunWitnessRequest, Requests},
      {"witness-logs", Shape::kText, RunWitnessLogs,
       [] {
         return std::vector<Bytes>{
             Raw("logs/v0\n\nvkey " + std::string(kPublishedLog) + "\nqpd 86400\ncontact noc@example.org\n")};
       }},
  };
}

}  // namespace valija::fuzz
