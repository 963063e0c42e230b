// A log whose operator has the log key and every entry, and lies: what the auditor must find has to be signed, consistent
// and well-formed, and still be wrong.
#pragma once

#include <fstream>

#include "audit/verify.h"
#include "core/io/file.h"
#include "proto/export.h"
#include "tests/broker/support/broker_world.h"
#include "tests/broker/support/temp_folder.h"

namespace valija::test {

class LyingLog {
 public:
  BrokerWorld world;
  ledger::State state;
  std::vector<proto::LoggedEntry> entries;
  Digest charter;
  bool without_quorum = false;  // openings are released without the quorum of witnesses from here on

  explicit LyingLog(std::function<void(ledger::Charter&)> found_with = {}) {
    world.found_with = std::move(found_with);
    auto founding = world.Charter();
    charter = founding->digest;
    Log(founding);
    for (const char* agency : {"mx.fgr", "us.dea"}) Log(world.Epoch(agency));
  }

  // Decided by the rules, then as `lie` has it.
  using Lie = std::function<void(ledger::Decision&)>;
  void Log(const ledger::VerifiedStatement& statement, const Lie& lie = {}) {
    world.now += std::chrono::seconds(1);
    const bool opening = statement->kind == ledger::Kind::kOpen || statement->kind == ledger::Kind::kStandingOpening;
    auto decided = ledger::Decide(state, statement, world.now, world.authority, world.random.Make<Nonce>(),
                                  opening && without_quorum);
    auto decision = decided ? *decided : ledger::Decision{statement->digest, world.authority, {}, {ledger::Verdict{}}};
    if (lie) lie(decision);
    Bytes decision_bytes = proto::EncodeDecision(decision);
    ledger::EntryHead head{entries.size(), world.now, statement->digest,
                           crypto::DigestOf(ledger::kDecisionType, decision_bytes)};
    Salt salt = world.random.Make<Salt>();
    entries.push_back(
        {ledger::CommitEntry(salt, head), salt, head, statement->envelope, decision_bytes, statement->attachments});
    if (decided) ledger::Apply(state, {head, salt, statement, decision, decision_bytes});
  }

  // As the log's key would sign them.
  void Export(const std::filesystem::path& folder, const std::string& witnessed = {}) const {
    proto::ExportBuilder builder;
    for (const auto& entry : entries) builder.Add(entry);
    Write(folder, builder.TakeReady());
    Write(folder, builder.Finish(CheckpointAt(entries.size()), witnessed).value());
  }
  log::SignedCheckpoint CheckpointAt(std::size_t size) const {
    log::Tree tree;
    for (std::size_t i = 0; i < size; ++i) tree.Append(ledger::EntryLeaf(entries.at(i).commitment));
    return log::SignedCheckpoint::Sign({BrokerWorld::kOrigin, tree.size(), tree.Root()}, world.log_key);
  }

  Result<audit::Report> Verify(const std::filesystem::path& folder,
                               const std::filesystem::path& state_file = {}) const {
    audit::Options options;
    options.folder = folder;
    options.charter = charter;
    options.state = state_file;
    return audit::Verify(options);
  }

  // Exports into a fresh folder and says what the auditor finds: codes with entries, as "3:wrong-decision".
  std::vector<std::string> Findings() const {
    TempFolder folder;
    Export(folder.path());
    return Codes(Verify(folder.path()).value());
  }
  static std::vector<std::string> Codes(const audit::Report& report) {
    std::vector<std::string> out;
    for (const auto& finding : report.findings)
      out.push_back((finding.entry ? std::to_string(*finding.entry) : std::string("log")) + ":" + finding.code);
    return out;
  }

 private:
  static void Write(const std::filesystem::path& folder, const std::vector<proto::ExportFile>& files) {
    for (const auto& file : files) {
      std::filesystem::create_directories((folder / file.path).parent_path());
      std::ofstream(folder / file.path, std::ios::binary)
          .write(reinterpret_cast<const char*>(file.content.data()), static_cast<std::streamsize>(file.content.size()));
    }
  }
};

}  // namespace valija::test
