#include "tests/bench/big_log.h"

#include <cstring>
#include <stdexcept>

#include "core/io/file.h"

namespace valija::bench {
namespace {

constexpr auto kBetween = std::chrono::milliseconds(40);  // two entries
constexpr std::size_t kBatch = 256;                       // entries of one append; statements of one signature, about

template <class T>
T Need(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().Message());
  return *std::move(result);
}
void Need(const Status& status) {
  if (!status) throw std::runtime_error(status.error().Message());
}

}  // namespace

// splitmix64.
void QuickRandom::Fill(std::span<std::uint8_t> out) {
  for (std::size_t at = 0; at < out.size(); at += 8) {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    std::memcpy(out.data() + at, &z, std::min<std::size_t>(8, out.size() - at));
  }
}

BigLog::BigLog(const std::filesystem::path& folder) : folder_(folder) {
  std::filesystem::create_directories(folder);
  Need(io::WriteNewFile(folder / "log.key", world_.log_key.Seed().view(), 0600));
  store_ = Need(broker::RocksDbStore::Open({.folder = folder / "db", .create = true}));
  kept_.emplace(store_->rows(), world_.log_key, world_.random);
  Need(kept_->Clear());  // nothing was there
  state_.KeepIn(*kept_);
  glances_.KeepIn(*kept_, 0);
  auto charter = world_.Charter();
  charter_ = charter->digest;
  Log(std::move(charter));
  Log(world_.Epoch("us.dea"));
  Log(world_.Epoch("mx.fgr"));
  Log(world_.EnrolNew("us.dea/ana"));
  Log(world_.EnrolNew("mx.fgr/luis"));
  Append();
}

void BigLog::Log(ledger::VerifiedStatement statement) {
  world_.now += kBetween;
  auto decision = Need(ledger::Decide(state_, statement, world_.now, world_.authority, quick_.Make<Nonce>()));
  Bytes bytes = proto::EncodeDecision(decision);
  const ledger::EntryHead head{state_.size(), world_.now, statement->digest,
                               crypto::DigestOf(ledger::kDecisionType, bytes)};
  ledger::Entry entry{head, quick_.Make<Salt>(), std::move(statement), std::move(decision), std::move(bytes)};
  ledger::Apply(state_, entry);
  glances_.push_back(broker::GlanceOf(*entry.statement));
  const proto::LoggedEntry logged{ledger::CommitEntry(entry.salt, entry.head),
                                  entry.salt,
                                  entry.head,
                                  entry.statement->envelope,
                                  entry.decision_bytes,
                                  entry.statement->attachments};
  write_.entries.push_back(proto::EncodeLoggedEntry(logged));
  tree_.Append(ledger::EntryLeaf(logged.commitment));
}

void BigLog::Append() {
  write_.tiles = tree_.TakeChangedTiles();
  Need(store_->journal().Append(write_));
  write_ = {};
  write_.first = tree_.size();
  if (tree_.size() - kept_at_ >= kKeepEvery) Keep();
}

void BigLog::Keep() {
  Need(broker::Keep(*kept_, state_, glances_, {state_.charter()->origin, tree_.size(), tree_.Root(), {}}));
  kept_at_ = tree_.size();
  constexpr std::size_t kMost = std::size_t{64} << 20;
  if (state_.cached() + glances_.cached() > kMost) state_.Trim(kMost / 2), glances_.Trim(kMost / 4);
}

void BigLog::BeginWindow() {
  auto sent = world_.Record("us.dea/ana", {world_.PolicyFor("mx.fgr")});
  const auto& payload = std::get<ledger::Record>(sent.statement->payload).payload;
  header_ = payload.header;
  attachments_ = sent.statement->attachments;
  wraps_ = payload.portions.at(0).wraps;
  window_until_ = world_.now + record::Window::kLifetime - std::chrono::minutes(1);
}

std::vector<ledger::Statement> BigLog::Signed(ledger::Kind kind, std::vector<Bytes> payloads,
                                              const test::BrokerPerson& by, const record::Attachments& attachments) {
  const std::string type = ledger::PayloadType(kind);
  std::vector<Hash> leaves;
  for (const Bytes& payload : payloads) leaves.push_back(record::StatementLeaf(type, payload));
  const auto batch = record::SignBatch(by.sign, leaves);
  std::vector<ledger::Statement> out;
  for (std::size_t i = 0; i < payloads.size(); ++i) {
    ledger::Envelope envelope{type, std::move(payloads[i]), {}, std::nullopt};
    envelope.batch = ledger::BatchProof{batch.payload, batch.signature, i, batch.paths[i]};
    out.push_back(Need(proto::MakeStatement(std::move(envelope), attachments)));
  }
  return out;
}

std::vector<ledger::Statement> BigLog::Records(std::size_t count) {
  if (!header_ || world_.now >= window_until_) BeginWindow();
  const auto& ana = world_.people.at("us.dea/ana");
  std::vector<Hash> bodies(count);
  for (Hash& body : bodies) body = quick_.Make<Hash>();
  const auto roots = Need(store_->content().PutSmall({bodies.begin(), bodies.end()}, ana.record.id, world_.now));
  std::vector<Bytes> payloads;
  for (const Hash& root : roots) {
    header_->record_id = quick_.Make<RecordNonce>();
    header_->time = world_.now;
    payloads.push_back(proto::EncodeRecord(proto::EncodeHeader(*header_), {{wraps_, record::kMinBodyLength, root}}));
    write_.claims.push_back({ana.record.id.agency(), root});
  }
  return Signed(ledger::Kind::kRecord, std::move(payloads), ana, attachments_);
}

std::vector<ledger::Statement> BigLog::Openings(std::size_t count) {
  static const auto reply = crypto::KemPrivateKey::Generate(world_.random).public_key().point();
  const auto& luis = world_.people.at("mx.fgr/luis");
  const KeyId epoch = world_.epoch_keys.at("mx.fgr").id();
  std::vector<Bytes> payloads;
  for (std::size_t i = 0; i < count && !to_open_.empty(); ++i) {
    const ledger::Open open{
        {luis.record.id, luis.sign.id(), test::BrokerWorld::kOrigin, world_.now, quick_.Make<Nonce>()},
        {{to_open_.back(), 0, epoch}},
        luis.record.id.agency(),
        "investigation",
        "",
        reply,
        tree_.size(),
        tree_.Root(),
        world_.now + std::chrono::minutes(10)};
    payloads.push_back(proto::EncodeOpen(open));
    to_open_.pop_back();
  }
  return Signed(ledger::Kind::kOpen, std::move(payloads), luis, {});
}

void BigLog::GrowTo(std::uint64_t size) {
  if (size > tree_.size() + kKeepEvery) {
    Grow(size - kKeepEvery + kBatch);
    Keep();
  }
  Grow(size);
}

// Of 256 entries 150 records, 98 openings, 8 acknowledgements.
void BigLog::Grow(std::uint64_t size) {
  while (tree_.size() < size) {
    const std::size_t count = std::min<std::uint64_t>(kBatch, size - tree_.size());
    const std::size_t openings = count * 98 / kBatch, acknowledgements = count * 8 / kBatch;
    to_open_.clear();
    for (auto& statement : Records(count - openings - acknowledgements)) {
      to_open_.push_back(statement.digest);
      Log(ledger::TrustLogged(std::move(statement)));
    }
    const Digest acknowledged = to_open_.back();
    for (auto& statement : Openings(openings)) Log(ledger::TrustLogged(std::move(statement)));
    for (std::size_t i = 0; i < acknowledgements; ++i) Log(world_.Acknowledge("mx.fgr/luis", acknowledged, "useful"));
    Append();
    if (tree_.size() / 100'000 != (tree_.size() - count) / 100'000) std::fprintf(stderr, "\r%lu entries", tree_.size());
  }
  std::fprintf(stderr, "\n");
}

void BigLog::Open() {
  store_ = Need(broker::RocksDbStore::Open({.folder = folder_ / "db"}));
  kept_.emplace(store_->rows(), world_.log_key, world_.random);
  broker::FoldOptions how;
  how.kept = &*kept_;
  how.keep_every = kKeepEvery;
  auto folded = Need(broker::FoldJournal(store_->journal(), std::nullopt, how));
  state_ = std::move(*folded.state);
  glances_ = std::move(folded.glances);
  tree_ = std::move(folded.tree);
  kept_at_ = folded.kept;
}

void BigLog::Close() {
  const auto checkpoint =
      log::SignedCheckpoint::Sign({test::BrokerWorld::kOrigin, tree_.size(), tree_.Root()}, world_.log_key);
  auto mark = Need(broker::HighWater::Open(folder_ / "mark"));
  if (mark->note())
    Need(mark->Write(checkpoint.note()));
  else
    Need(mark->Initialise(checkpoint.note()));
  Need(mark->Sync());
  state_ = ledger::State();
  glances_ = broker::Glances();
  kept_.reset();
  store_.reset();
}

}  // namespace valija::bench
