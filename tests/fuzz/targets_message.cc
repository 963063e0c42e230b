#include "audit/evidence/check.h"
#include "proto/bundle.h"
#include "proto/export.h"
#include "tests/core/log/witnessed.h"
#include "tests/fuzz/targets.h"
#include "tests/proto/codings.h"

namespace valija::fuzz {
namespace {

void RunCoding(const test::Coding& coding, ByteView bytes) {
  auto again = coding.again(bytes);
  if (!again) return;
  if (coding.canonical) {
    Holds(*again == ToBytes(bytes), "what has one form is written as it was read");
    return;
  }
  auto twice = coding.again(*again);
  Holds(twice && *twice == *again, "what was written is read as it is");
}

// What a stranger posts: any envelope, with attachments, as a statement of any kind.
void RunStatement(ByteView bytes) {
  auto envelope = proto::DecodeEnvelope(bytes);
  if (!envelope) return;
  const auto digest = crypto::DigestOf(envelope->payload_type, envelope->payload);
  auto statement = proto::MakeStatement(*std::move(envelope));
  if (statement) Holds(statement->digest == digest, "a statement is named by its bytes");
}

// Parts of an entry that do not belong together are never taken for one.
void RunEntry(ByteView bytes) {
  auto entry = proto::DecodeLoggedEntry(bytes);
  if (!entry) return;
  if (!proto::CheckLoggedEntry(*entry)) return;
  auto again = proto::DecodeLoggedEntry(proto::EncodeLoggedEntry(*entry));
  Holds(again && proto::CheckLoggedEntry(*again), "an entry that holds is kept as one that holds");
}

void RunEntriesFile(ByteView bytes) {
  auto entries = proto::ParseEntriesFile(bytes);
  if (entries) Holds(!entries->empty() && entries->size() <= 256, "a file has 1 to 256 entries");
}

// What is shown to a court: whoever verifies it has nothing but the file.
void RunEvidence(ByteView bytes) {
  const auto file = proto::DecodeSignedBundle(bytes);
  if (!file) return;
  Holds(proto::EncodeSignedBundle(*file) == ToBytes(bytes), "a bundle's file has one form");
  const auto bundle = proto::DecodeBundle(file->bundle);
  if (bundle) Holds(proto::EncodeBundle(*bundle) == file->bundle, "a bundle has one form");
  static const auto policies =
      log::PolicyHistory::Parse("log " + std::string(log::test::kPublishedLog) + "\nquorum none\n").value();
  if (evidence::CheckBundle(bytes, {policies, {}})) Holds(false, "nothing proves what is in no log");
}

std::vector<Bytes> EvidenceFiles() {
  test::Sample sample(7);
  proto::Bundle bundle{log::test::PublishedNote(), {}, *MemberId::Parse("us.dea/ana"), {}, {}};
  bundle.time = FromMillis(1700000000000);
  bundle.entries.push_back({sample.Entry(), {Hash{}, Hash{}}, {}});
  return {proto::EncodeSignedBundle({proto::EncodeBundle(bundle), {}, {}})};
}

std::vector<Bytes> Statements() {
  test::Sample sample(7);
  std::vector<Bytes> out;
  for (const auto& [kind, payload] : test::EveryPayload(sample))
    out.push_back(proto::EncodeEnvelope(sample.Direct(kind, payload)));
  return out;
}
std::vector<Bytes> Entries() {
  test::Sample sample(7);
  return {proto::EncodeLoggedEntry(sample.Entry()),
          proto::EncodeLoggedEntry(test::Erase(sample, sample.Entry()).entry)};
}
std::vector<Bytes> Files() {
  Bytes file;
  for (const auto& entry : Entries()) {
    for (int shift = 24; shift >= 0; shift -= 8) file.push_back(static_cast<std::uint8_t>(entry.size() >> shift));
    Append(file, entry);
  }
  return {file};
}

}  // namespace

std::vector<Target> MessageTargets() {
  std::vector<Target> out = {{"statement", Shape::kMessage, RunStatement, Statements},
                             {"logged-entry", Shape::kMessage, RunEntry, Entries},
                             {"entries-file", Shape::kBytes, RunEntriesFile, Files},
                             {"evidence-bundle", Shape::kMessage, RunEvidence, EvidenceFiles}};
  for (const auto& coding : test::Codings()) {
    out.push_back({"message-" + coding.name, Shape::kMessage, [&coding](ByteView bytes) { RunCoding(coding, bytes); },
                   [&coding] {
                     test::Sample sample(7);
                     return std::vector<Bytes>{coding.sample(sample)};
                   },
                   coding.prefix});
  }
  return out;
}

}  // namespace valija::fuzz
