// A broker in memory behind client::Transport: honest, made of the same core as the real one, and with a place for every
// lie that a test wants to tell. No gRPC, no disk, one thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "client/transport.h"
#include "core/crypto/dsse.h"
#include "core/ledger/state.h"
#include "core/log/cosignature.h"
#include "core/log/note.h"
#include "core/log/tile.h"
#include "core/log/tree.h"
#include "core/record/body.h"
#include "core/record/release.h"
#include "core/record/seal.h"
#include "proto/convert.h"

namespace valija::test {

using client::WaitingAnswer;

using client::EntriesAnswer;
using client::FollowItem;
using client::PostAnswer;
using client::ProvedEntry;
using client::Submission;
using client::View;

// What a broker has that the charter names.
struct BrokerKeys {
  std::string origin;
  AuthorityId authority;
  crypto::Ed25519SignKey log_key;
  crypto::KemPrivateKey release_key;
};

// Each is called, if it is there, on what the honest broker would have said.
struct Lies {
  std::function<Status(ledger::Kind)> accept;       // before it is judged
  std::function<void(ledger::Decision&)> decision;  // before it is logged
  std::function<void(record::ReleaseBinding&, crypto::KemPublicKey& reply_key, std::vector<crypto::Secret>& shares)>
      release;
  std::function<void(View&)> view;  // in every answer
  std::function<void(PostAnswer&)> post;
  std::function<void(EntriesAnswer&)> directory, mailbox, record, custody;
  std::function<void(FollowItem&)> follow;
  std::function<void(WaitingAnswer&)> waiting;
  bool release_uncovered = false;  // before the witnesses have cosigned
  std::function<void(proto::Receipt&, View&)> receipt;
  std::function<Status()> download;                   // before anything is sent
  std::function<Status(std::uint64_t)> slice, entry;  // before each of a body, of an export
  std::function<Status()> stream_end;                 // instead of the end of a stream that is followed
  std::function<void(client::BodyStream&, std::vector<Bytes>& slices)> body;
};

class FakeBroker {
 public:
  explicit FakeBroker(const BrokerKeys& keys) : keys_(keys) {}
  // A log that has the first `count` of these entries; the last one, if told so, under another salt: a fork.
  FakeBroker(const BrokerKeys& keys, const std::vector<ledger::Entry>& from, std::size_t count, bool fork = false)
      : keys_(keys) {
    for (std::size_t i = 0; i < count; ++i) {
      auto entry = from.at(i);
      if (fork && i + 1 == count) entry.salt = random_.Make<Salt>();
      Append(std::move(entry));
    }
  }

  // ---- the log ----
  Result<std::uint64_t> Take(const ledger::VerifiedStatement& statement) {
    const bool unwitnessed =
        degraded && (statement->kind == ledger::Kind::kOpen || statement->kind == ledger::Kind::kStandingOpening);
    TRY(auto decision, ledger::Decide(state, statement, Now(), keys_.authority, random_.Make<Nonce>(), unwitnessed));
    if (lies.decision) lies.decision(decision);
    const auto index = Log(statement, std::move(decision));
    if (state.record(statement->digest) != nullptr && HasHeader(statement->kind)) OpenUnderOrders(statement->digest);
    return index;
  }
  static bool HasHeader(ledger::Kind kind) { return kind == ledger::Kind::kRecord || kind == ledger::Kind::kGrant; }
  // An opening that the broker makes. Nothing judges it here but Decide.
  static ledger::VerifiedStatement Opening(const ledger::StandingOpening& opening) {
    ledger::Envelope envelope{
        ledger::PayloadType(ledger::Kind::kStandingOpening), proto::EncodeStandingOpening(opening), {}, std::nullopt};
    return ledger::VerifyStandingOpening(proto::MakeStatement(std::move(envelope)).value()).value();
  }
  void OpenUnderOrders(const Digest& digest) {
    for (const auto& [order, one] : state.orders()) {
      std::vector<std::uint32_t> portions;
      for (const auto& portion : state.record(digest)->portions)
        if (std::any_of(portion.recipients.begin(), portion.recipients.end(),
                        [&, &one = one](const auto& to) { return to.first == one.order.agency; }))
          portions.push_back(portion.number);
      if (!portions.empty()) (void)Take(Opening({order, one.order.by.author, digest, portions}));
    }
  }
  std::uint64_t Log(const ledger::VerifiedStatement& statement, ledger::Decision decision) {
    Bytes bytes = proto::EncodeDecision(decision);
    ledger::EntryHead head{entries.size(), Now() - long_ago, statement->digest,
                           crypto::DigestOf(ledger::kDecisionType, bytes)};
    Append({head, random_.Make<Salt>(), statement, std::move(decision), std::move(bytes)});
    return entries.size() - 1;
  }
  // Into the log, and into the state if the fold takes it: what was decided against the rules may not.
  void Append(ledger::Entry entry) {
    const Digest charter = state.charter_statement();
    try {
      ledger::Apply(state, entry);
    } catch (const std::logic_error&) {
    }
    tree_.Append(ledger::EntryLeaf(ledger::CommitEntry(entry.salt, entry.head)));
    for (auto& [id, tile] : tree_.TakeChangedTiles()) tiles_[id] = std::move(tile);
    entries.push_back(std::move(entry));
    if (!witnesses_follow) return;
    if (state.charter_statement() != charter) cosigned.reset();
    Cosign();
  }
  // Those of the charter's witnesses that are there, as the log is now.
  void Cosign() {
    const auto* policy = state.witness_policy();
    if (policy == nullptr) return;
    auto note = Checkpoint();
    const auto body = log::Note::Parse(note).value().text;
    const auto seconds = static_cast<std::uint64_t>(ToMillis(Now()) / 1000);
    log::WitnessPolicy::Names names;
    for (const auto& one : policy->witnesses()) {
      const auto key = witnesses.find(one.name);
      if (key == witnesses.end()) continue;
      note += log::Cosign(body, one.key.name, key->second, seconds);
      names.insert(one.name);
    }
    if (policy->Satisfied(names)) cosigned = {std::move(note), tree_.size()};
  }
  // By the key that the charter names. Once it names another, by the former one too, unless that is given up.
  std::string Checkpoint() const {
    const log::Checkpoint now{keys_.origin, tree_.size(), tree_.Root()};
    auto note = log::SignedCheckpoint::Sign(now, keys_.log_key).note();
    if (!next_log_key || state.log_keys().size() < 2) return note;
    const auto next = log::SignedCheckpoint::Sign(now, *next_log_key).note();
    return former_key_given_up ? next : note + next.substr(next.find("\n\n") + 2);
  }
  // ---- the witnesses ----
  using CosignedNote = std::pair<std::string, std::uint64_t>;  // and its size
  // A checkpoint of this size, the present one if it is 0, cosigned by these at that time.
  CosignedNote Cosigned(const std::vector<std::string>& by, Time at, std::uint64_t size = 0) const {
    if (size == 0) size = tree_.size();
    const log::Checkpoint now{keys_.origin, size, log::RootAt(size, Tiles()).value()};
    auto note = log::SignedCheckpoint::Sign(now, keys_.log_key).note();
    for (const auto& name : by)
      note += log::Cosign(now.Body(), WitnessKeyName(name), witnesses.at(name),
                          static_cast<std::uint64_t>(ToMillis(at) / 1000));
    return {note, size};
  }
  CosignedNote Cosigned() const {
    std::vector<std::string> all;
    for (const auto& [name, key] : witnesses) all.push_back(name);
    return Cosigned(all, Now());
  }
  static std::string WitnessKeyName(const std::string& name) { return name + ".example/1"; }
  bool Covers(std::uint64_t index) const {
    return state.witness_policy() == nullptr || witnesses_answer || entries.at(index).decision.unwitnessed ||
           (cosigned && cosigned->second > index);
  }

  log::TileReader Tiles() const {
    return [this](log::TileId id, unsigned width) -> std::optional<Bytes> {
      auto at = tiles_.find(id);
      if (at == tiles_.end() || at->second.size() < width * Hash::kSize) return std::nullopt;
      return Bytes(at->second.begin(), at->second.begin() + static_cast<std::ptrdiff_t>(width * Hash::kSize));
    };
  }
  View MakeView(std::uint64_t verified) const {
    View view{Checkpoint(), {}};
    const auto latest = witnesses_answer ? Cosigned() : cosigned;
    if (latest && latest->second == tree_.size()) {
      view.checkpoint = latest->first;
    } else if (latest && latest->second < tree_.size()) {
      view.witnessed = latest->first;
      view.growth = log::ProveConsistency(latest->second, tree_.size(), Tiles()).value();
    }
    if (verified > 0 && verified <= tree_.size())
      view.consistency = log::ProveConsistency(verified, tree_.size(), Tiles()).value();
    if (lies.view) lies.view(view);
    return view;
  }
  std::vector<Hash> Path(std::uint64_t index, std::uint64_t size = 0) const {
    return log::ProveInclusion(index, size != 0 ? size : tree_.size(), Tiles()).value();
  }
  std::vector<Hash> Between(std::uint64_t one, std::uint64_t other) const {
    return log::ProveConsistency(std::min(one, other), std::max(one, other), Tiles()).value();
  }
  proto::LoggedEntry Logged(const ledger::Entry& entry) const {
    proto::LoggedEntry logged{ledger::CommitEntry(entry.salt, entry.head),
                              entry.salt,
                              entry.head,
                              entry.statement->envelope,
                              entry.decision_bytes,
                              entry.statement->attachments};
    const auto* known = state.statement(entry.head.statement);
    if (known == nullptr || !known->erased_by) return logged;
    logged.envelope->payload = proto::RedactPayload(known->kind, logged.envelope->payload).value();
    logged.envelope->signatures.clear();
    logged.envelope->batch.reset();
    logged.erased_by = known->erased_by;
    return logged;
  }
  ProvedEntry Proved(std::uint64_t index) const { return {Logged(entries.at(index)), Path(index), {}}; }
  proto::Receipt Receipt(std::uint64_t index) const {
    const auto& entry = entries.at(index);
    return {entry.head, entry.salt, entry.decision_bytes, Path(index)};
  }

  // What a member may see of an entry.
  std::optional<ProvedEntry> Seen(std::uint64_t index, const MemberId& caller) const {
    auto proved = Proved(index);
    const auto& statement = *entries.at(index).statement;
    if (statement.kind == ledger::Kind::kAmendment) {
      const auto* amended = state.record(std::get<ledger::Amendment>(statement.payload).record);
      if (state.original(*amended).originator.agency() != caller.agency()) proved.entry.attachments = {};
    }
    if (!HasHeader(statement.kind)) return proved;
    const auto* record = state.record(statement.digest);
    if (record == nullptr || !state.visible_to(*record, caller)) return std::nullopt;
    if (record->originator.agency() == caller.agency()) return proved;
    auto& attachments = proved.entry.attachments;
    attachments.policies.clear();
    std::erase_if(attachments.slips, [&](const auto& slip) { return slip.agency != caller.agency(); });
    return proved;
  }

  // ---- what is handed in ----
  Result<std::uint64_t> Accept(const Submission& submission, const MemberId& caller) {
    TRY(auto statement, proto::MakeStatement(submission.envelope, submission.attachments));
    if (lies.accept) TRY_OK(lies.accept(statement.kind));
    if (const auto* amendment = std::get_if<ledger::CharterAmendment>(&statement.payload)) {
      const auto signer = ledger::CharterSigner(state, *amendment);
      TRY(auto verified, ledger::VerifyCharterAmendment(ledger::Statement(statement), signer));
      return Take(verified);
    }
    auto by = ledger::AuthorshipOf(statement);
    if (!by || by->author != caller) return Refuse(Reason::kWrongAuthor);
    const auto* member = state.active_member(caller);
    if (member == nullptr) return Refuse(Reason::kNotEnrolled);
    TRY(auto verified, ledger::VerifyStatement(std::move(statement), member->signing_key));
    for (const auto& body : submission.bodies) bodies[record::SummariseBody(body).root] = body;
    if (const auto* record = std::get_if<ledger::Record>(&verified->payload))
      for (const auto& portion : record->payload.portions)
        if (!bodies.contains(portion.body_root)) return Refuse(Reason::kBodyMissing);
    auto index = Take(verified);
    if (!index && index.error().reason == Reason::kExists)
      if (auto before = state.statement_index(verified->digest)) return *before;
    return index;
  }

  // The shares of what an entry allows, sealed to its reply key.
  std::optional<proto::Release> MakeRelease(std::uint64_t index) {
    const auto& entry = entries.at(index);
    const auto* open = std::get_if<ledger::Open>(&entry.statement->payload);
    const auto* opening = std::get_if<ledger::StandingOpening>(&entry.statement->payload);
    if (open == nullptr && opening == nullptr) return std::nullopt;
    if (!Covers(index) && !lies.release_uncovered) return std::nullopt;
    const auto* order = opening != nullptr ? state.order(opening->order) : nullptr;
    if (opening != nullptr && order == nullptr) return std::nullopt;
    const AgencyId agency = open != nullptr ? open->agency : order->order.agency;
    std::vector<crypto::Secret> shares;
    for (const auto& verdict : entry.decision.verdicts)
      if (verdict.allowed()) shares.push_back(Share(verdict.record, verdict.portion, agency));
    record::ReleaseBinding binding{entry.head.statement, entry.head.decision, keys_.authority, agency,
                                   open != nullptr ? open->by.key_id : order->order.by.key_id};
    auto reply_key =
        crypto::KemPublicKey::FromPoint(open != nullptr ? open->reply_key : order->order.reply_key).value();
    if (lies.release) lies.release(binding, reply_key, shares);
    if (shares.empty()) return std::nullopt;
    auto sealed = record::SealRelease(binding, reply_key, shares, random_);
    return proto::Release{keys_.authority, sealed.enc, std::move(sealed.ciphertext)};
  }
  crypto::Secret Share(const Digest& digest, std::uint32_t portion, const AgencyId& agency) {
    const auto* known = state.record(digest);
    if (known == nullptr || known->portion(portion) == nullptr) return crypto::Secret(32);  // a lie about another
    const auto& entry = entries.at(state.record(digest)->index);
    const auto* grant = std::get_if<ledger::Grant>(&entry.statement->payload);
    const auto* whole = std::get_if<ledger::Record>(&entry.statement->payload);
    const auto& header = grant != nullptr ? grant->header : whole->payload.header;
    const auto& ctx = grant != nullptr ? grant->ctx : whole->payload.ctx;
    return record::MakeReleaseShare(header, ctx, portion, agency, keys_.authority, keys_.release_key,
                                    entry.statement->attachments.authority_encs.at(0), contexts_)
        .value();
  }
  WaitingAnswer WaitingFor(const MemberId& member) const {
    WaitingAnswer out;
    for (const auto& [digest, request] : state.all_pending()) {
      const auto& first = request.items.front();
      const auto& record = *state.record(first.record);
      const auto& policy = *record.portion(first.portion)->policy;
      if (request.author == member && ledger::JudgeApprovals(state, record, policy, request).empty())
        out.items.push_back({"approved", digest, first.record, request.index, request.expires});
      if (request.author != member && !request.said.contains(member) && ledger::MayApprove(state, request, member))
        out.items.push_back({"approval", digest, first.record, request.index, request.expires});
    }
    for (const auto& [digest, emergency] : state.emergencies())
      if (!emergency.reviewed && emergency.author != member &&
          (state.is_joint_auditor(member) || state.member(member)->record.auditor))
        out.items.push_back({"review", digest, {}, emergency.index, std::nullopt});
    for (const auto& [digest, asked] : state.access_requests())
      if (const auto* record = state.record(asked.request.record);
          !asked.answered && record != nullptr && state.original(*record).originator == member)
        out.items.push_back({"access", digest, asked.request.record, asked.index, std::nullopt});
    for (const auto& digest : state.asking(member.agency()))
      if (const auto& record = *state.record(digest); state.visible_to(record, member))
        out.items.push_back({"answer", digest, digest, record.index, record.due});
    for (const auto& digest : state.to_erase(member))
      out.items.push_back({"erase", digest, digest, state.record(digest)->index, std::nullopt});
    return out;
  }

  static Time Now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

  ledger::State state;
  std::vector<ledger::Entry> entries;
  std::map<Hash, Bytes> bodies;
  Lies lies;
  std::size_t page = 256;                                        // entries looked at for one answer
  Duration long_ago{};                                           // what is logged next was logged so long ago
  std::size_t posts = 0, downloads = 0, uploads = 0, looks = 0;  // looks: at directory or mailbox
  std::size_t answers_to_lose = 0;                          // of posts that come next: done, and the connection breaks
  std::map<std::string, crypto::Ed25519SignKey> witnesses;  // by their names in the charter
  bool witnesses_answer = false;                            // at once, for whatever is shown
  bool witnesses_follow = false;         // those that are there cosign each entry, if they are enough
  std::optional<CosignedNote> cosigned;  // else this is shown
  bool degraded = false;
  std::function<void()> on_uncovered;  // whoever opens waits: called each time
  std::optional<crypto::Ed25519SignKey> next_log_key;
  bool former_key_given_up = false;
  bool false_tiles = false;
  std::optional<Digest> hidden;  // GetRecord says that it is not there
  Reason lost_as = Reason::kUnavailable;
  std::mutex downloading;  // sessions fetch several bodies at once

 private:
  const BrokerKeys& keys_;
  crypto::SystemRandom random_;
  record::ContextCache contexts_;
  log::Tree tree_;
  std::map<log::TileId, Bytes> tiles_;
};

// One member's way to it. The broker may be changed under way for another one.
class FakeTransport : public client::Transport {
 public:
  FakeTransport(FakeBroker*& broker, MemberId caller) : broker_(broker), caller_(std::move(caller)) {}

  Result<PostAnswer> Post(const std::vector<Submission>& submissions, std::uint64_t verified, std::chrono::milliseconds,
                          const std::function<void()>& meanwhile) override {
    auto& broker = *broker_;
    ++broker.posts;
    if (meanwhile) meanwhile();
    std::vector<Result<std::uint64_t>> taken;
    for (const auto& one : submissions) taken.push_back(broker.Accept(one, caller_));
    PostAnswer answer;
    for (const auto& one : taken) {
      if (!one) {
        answer.outcomes.push_back(one.error());
        continue;
      }
      const auto& verdicts = broker.entries.at(*one).decision.verdicts;
      if (IsOpen(*one) && !broker.Covers(*one) && !broker.lies.release_uncovered &&
          std::any_of(verdicts.begin(), verdicts.end(), [](const auto& verdict) { return verdict.allowed(); })) {
        answer.outcomes.push_back(Refuse(Reason::kNoQuorum, "mx: 1 of mx.fgr"));
        if (broker.on_uncovered) broker.on_uncovered();
        continue;
      }
      client::Accepted accepted{broker.Receipt(*one), {}};
      if (auto release = broker.MakeRelease(*one)) accepted.releases.push_back(*std::move(release));
      answer.outcomes.push_back(std::move(accepted));
    }
    answer.view = broker.MakeView(verified);
    if (broker.lies.post) broker.lies.post(answer);
    if (broker.answers_to_lose > 0) {
      --broker.answers_to_lose;
      return Refuse(broker.lost_as, "the connection broke");
    }
    return answer;
  }
  Result<EntriesAnswer> Directory(std::uint64_t from, std::uint64_t verified) override {
    ++broker_->looks;
    return Say(Page(broker_->state.directory_entries(), from, false), verified, broker_->lies.directory);
  }
  Result<EntriesAnswer> Mailbox(std::uint64_t cursor, std::uint64_t verified) override {
    ++broker_->looks;
    return Say(Page(broker_->state.entries_for(caller_.agency()).All(), cursor, true), verified, broker_->lies.mailbox);
  }
  Status Follow(std::uint64_t cursor, std::uint64_t verified, const std::function<bool(FollowItem)>& item,
                std::chrono::milliseconds) override {
    for (std::uint64_t index = cursor; index < broker_->entries.size(); ++index) {
      const auto mail = broker_->state.entries_for(caller_.agency()).All();
      if (IsDirectory(index) || !std::count(mail.begin(), mail.end(), index)) continue;
      auto seen = WithRelease(broker_->Seen(index, caller_));
      if (!seen) continue;
      FollowItem out{index + 1, std::move(seen), broker_->MakeView(verified)};
      verified = broker_->entries.size();
      if (broker_->lies.follow) broker_->lies.follow(out);
      if (!item(std::move(out))) return Ok();
    }
    if (broker_->lies.stream_end) return broker_->lies.stream_end();
    return Refuse(Reason::kShuttingDown);
  }
  Result<EntriesAnswer> GetRecord(const Digest& digest, std::uint64_t verified) override {
    EntriesAnswer answer;
    const auto* record = broker_->state.record(digest);
    const auto* order = broker_->state.order(digest);
    if ((record == nullptr && order == nullptr) || broker_->hidden == digest) return Refuse(Reason::kNotFound);
    auto seen = broker_->Seen(record != nullptr ? record->index : order->index, caller_);
    if (!seen) return Refuse(Reason::kNotFound);
    answer.entries.push_back(*std::move(seen));
    return Say(std::move(answer), verified, broker_->lies.record);
  }
  Result<EntriesAnswer> Custody(const Digest& digest, std::uint64_t from, std::uint64_t verified) override {
    const auto* record = broker_->state.record(digest);
    if (record == nullptr || !broker_->state.visible_to(*record, caller_)) return Refuse(Reason::kNotFound);
    return Say(Page(broker_->state.entries_of(*record).All(), from, false), verified, broker_->lies.custody);
  }
  Result<WaitingAnswer> Waiting(std::uint64_t verified) override {
    auto answer = broker_->WaitingFor(caller_);
    answer.view = broker_->MakeView(verified);
    if (broker_->lies.waiting) broker_->lies.waiting(answer);
    return answer;
  }
  Result<View> Checkpoint(std::uint64_t verified) override { return broker_->MakeView(verified); }
  Result<std::pair<proto::Receipt, View>> Receipt(const Digest& statement, std::uint64_t verified,
                                                  bool witnessed) override {
    const auto* known = broker_->state.statement(statement);
    if (known == nullptr || (known->author != nullptr && *known->author != caller_)) return Refuse(Reason::kNotFound);
    std::pair out(broker_->Receipt(known->index), broker_->MakeView(verified));
    if (witnessed) {
      const auto cosigned = broker_->witnesses_answer ? broker_->Cosigned() : broker_->cosigned;
      if (!cosigned || cosigned->second <= known->index) return Refuse(Reason::kNoQuorum, "somebody");
      out.first.path = broker_->Path(known->index, cosigned->second);
      out.second = {cosigned->first, {}};
      if (verified != 0) out.second.consistency = broker_->Between(cosigned->second, verified);
    }
    if (broker_->lies.receipt) broker_->lies.receipt(out.first, out.second);
    return out;
  }
  Result<Bytes> Tile(const std::string& path) override {
    const auto parsed = log::ParseTilePath(path);
    auto bytes = parsed ? broker_->Tiles()(parsed->id, parsed->width) : std::nullopt;
    if (!bytes) return Refuse(Reason::kNotFound);
    if (broker_->false_tiles) bytes->front() ^= 1;
    return *std::move(bytes);
  }
  Status Entries(std::uint64_t from, std::uint64_t end, const Digest& lookup,
                 const std::function<bool(proto::LoggedEntry)>& entry) override {
    const auto* said = broker_->state.lookup(lookup);
    if (said == nullptr || said->author != caller_ || said->from_index > from) return Refuse(Reason::kNotReady);
    if (broker_->state.is_joint_auditor(caller_) && !said->joint) return Refuse(Reason::kNotReady);
    for (; from < end; ++from) {
      if (broker_->lies.entry) TRY_OK(broker_->lies.entry(from));
      auto logged = broker_->Logged(broker_->entries.at(from));
      if (logged.erased_by && *logged.erased_by >= end) return Refuse(Reason::kUnavailable);
      if (!entry(std::move(logged))) break;
    }
    return Ok();
  }
  Status Upload(const Hash& root, std::uint64_t length, const std::vector<Hash>& slice_hashes,
                const std::function<Result<Bytes>(std::uint64_t)>& slice) override {
    ++broker_->uploads;
    TRY(auto slices, record::SliceList::Check(length, root, slice_hashes));
    Bytes whole;
    for (std::uint64_t i = 0; i < slices.size(); ++i) {
      TRY(auto bytes, slice(i));
      TRY_OK(slices.CheckSlice(i, bytes));
      Append(whole, bytes);
    }
    broker_->bodies[root] = std::move(whole);
    return Ok();
  }
  Status Download(const Digest& digest, std::uint32_t portion, std::uint64_t,
                  const std::function<Status(const client::BodyStream&)>& begin,
                  const std::function<Status(std::uint64_t, ByteView)>& slice) override {
    client::BodyStream stream;
    std::vector<Bytes> slices;
    std::unique_lock alone(broker_->downloading);
    ++broker_->downloads;
    if (broker_->lies.download) TRY_OK(broker_->lies.download());
    const auto& record = broker_->state.original(*broker_->state.record(digest));
    if (record.purged_at) return Refuse(Reason::kPurged);
    const auto& entry = broker_->entries.at(record.index);
    const auto& seal = std::get<ledger::Record>(entry.statement->payload).payload.portions.at(portion);
    const auto& body = broker_->bodies.at(seal.body_root);
    stream = {body.size(), record::SummariseBody(body).slice_hashes};
    for (std::size_t at = 0; at < body.size(); at += record::kSliceSize)
      slices.push_back(ToBytes(ByteView(body).subspan(at, std::min(record::kSliceSize, body.size() - at))));
    if (broker_->lies.body) broker_->lies.body(stream, slices);
    alone.unlock();
    TRY_OK(begin(stream));
    for (std::size_t i = 0; i < slices.size(); ++i) {
      if (broker_->lies.slice) TRY_OK(broker_->lies.slice(i));
      TRY_OK(slice(i, slices[i]));
    }
    return Ok();
  }

 private:
  EntriesAnswer Page(const std::vector<std::uint64_t>& all, std::uint64_t from, bool mail) const {
    EntriesAnswer page;
    page.next_cursor = std::max<std::uint64_t>(from, broker_->entries.size());
    std::size_t looked_at = 0;
    for (auto index : all) {
      if (index < from || (mail && IsDirectory(index))) continue;
      if (looked_at++ == broker_->page) {
        page.more = true;
        page.next_cursor = index;
        break;
      }
      auto seen = broker_->Seen(index, caller_);
      if (mail) seen = WithRelease(std::move(seen));
      if (seen) page.entries.push_back(*std::move(seen));
    }
    return page;
  }
  // What was opened under the caller's own order comes with its release.
  std::optional<ProvedEntry> WithRelease(std::optional<ProvedEntry> seen) const {
    if (!seen || !seen->entry.head || seen->entry.erased_by) return seen;
    const auto& statement = *broker_->entries.at(seen->entry.head->index).statement;
    const auto* opening = std::get_if<ledger::StandingOpening>(&statement.payload);
    const auto* order = opening != nullptr ? broker_->state.order(opening->order) : nullptr;
    if (order == nullptr || order->order.by.author != caller_) return seen;
    if (auto release = broker_->MakeRelease(seen->entry.head->index)) seen->releases.push_back(*std::move(release));
    return seen;
  }
  bool IsOpen(std::uint64_t index) const { return broker_->entries.at(index).statement->kind == ledger::Kind::kOpen; }
  bool IsDirectory(std::uint64_t index) const {
    const auto& all = broker_->state.directory_entries();
    return std::binary_search(all.begin(), all.end(), index);
  }
  EntriesAnswer Say(EntriesAnswer answer, std::uint64_t verified, const std::function<void(EntriesAnswer&)>& lie) {
    answer.view = broker_->MakeView(verified);
    if (lie) lie(answer);
    return answer;
  }

  FakeBroker*& broker_;
  const MemberId caller_;
};

}  // namespace valija::test
