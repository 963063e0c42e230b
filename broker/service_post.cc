// Post: statements are parsed and verified in parallel on the pool, handed to the sequencer, and answered together when
// the last of them is durable.
#include <algorithm>
#include <atomic>
#include <variant>

#include "broker/metrics.h"
#include "broker/oplog.h"
#include "broker/purge.h"
#include "broker/service.h"
#include "broker/status.h"
#include "core/record/batch.h"
#include "core/record/body.h"
#include "proto/exchange.h"
#include "proto/wire.h"

namespace valija::broker {
namespace {

constexpr auto kTimeToAnswer = std::chrono::milliseconds(250);

// One Post under way. Lives until its reactor was finished.
struct PostJob : std::enable_shared_from_this<PostJob> {
  Exchange& exchange;
  MemberId caller;
  grpc::CallbackServerContext* context;
  const v1::PostRequest* request;
  v1::PostResponse* response;
  UnaryReactor* reactor;
  std::vector<Result<Accepted>> results;
  std::vector<Digest> digests;
  std::atomic<std::size_t> open{0};
  std::vector<char> again;         // by submission: it was accepted before, its answer is given again
  std::vector<char> waited;        // by submission: an opening that the witnesses had not covered when it was decided
  std::optional<Error> uncovered;  // why the witnesses' quorum was waited for in vain

  PostJob(Exchange& on, MemberId by, grpc::CallbackServerContext* c, const v1::PostRequest* req, v1::PostResponse* res,
          UnaryReactor* r)
      : exchange(on), caller(std::move(by)), context(c), request(req), response(res), reactor(r) {}

  void Finish(const Status& status) { reactor->Finish(status ? grpc::Status::OK : ToStatus(context, status.error())); }

  // On the pool.
  void Start() {
    try {
      if (auto begun = Begin(); !begun) Finish(begun.error());
    } catch (const std::exception& error) {
      Log(Level::kAlarm, "exception", {{"call", "Post"}, {"what", error.what()}});
      Finish(Refuse(Reason::kInternal));
    }
  }

  Status Begin() {
    const auto count = static_cast<std::size_t>(request->submissions_size());
    if (count == 0 || count > proto::kMaxSubmissions) return Refuse(Reason::kMalformed, "1 to 256 submissions");
    if (!request->GetReflection()->GetUnknownFields(*request).empty()) return Refuse(Reason::kUnknownField);
    TRY_OK(exchange.space.CheckStatements());
    results.assign(count, Refuse(Reason::kInternal));
    digests.resize(count);
    again.assign(count, 0);
    waited.assign(count, 0);
    std::vector<std::optional<ledger::VerifiedStatement>> ready(count);
    std::optional<record::VerifiedBatch> batch;  // the last one: statements of one batch are verified once
    for (std::size_t i = 0; i < count; ++i) {
      auto verified = Verify(request->submissions(static_cast<int>(i)), digests[i], batch);
      if (verified)
        ready[i] = *std::move(verified);
      else
        results[i] = verified.error();
    }
    TRY_OK(CheckDeadline(*context));
    open = count + 1;  // one for this loop, so that nobody answers before it is over
    for (std::size_t i = 0; i < count; ++i) {
      if (!ready[i]) {
        Closed();
        continue;
      }
      auto self = shared_from_this();
      auto queued = exchange.sequencer.Submit(*std::move(ready[i]), [self, i](Result<Accepted> result) {
        self->results[i] = std::move(result);
        self->Closed();
      });
      if (!queued) {
        results[i] = queued.error();
        Closed();
      }
    }
    Closed();
    return Ok();
  }

  Result<ledger::VerifiedStatement> Verify(const v1::Submission& message, Digest& digest,
                                           std::optional<record::VerifiedBatch>& batch) {
    TRY(auto submission, proto::FromMessage(message));
    TRY(auto statement, proto::MakeStatement(std::move(submission.envelope), std::move(submission.attachments)));
    digest = statement.digest;
    if (!std::holds_alternative<ledger::Record>(statement.payload) && !submission.bodies.empty())
      return Refuse(Reason::kMalformed, "bodies with a statement that has none");
    auto by = ledger::AuthorshipOf(statement);
    if (!by) return VerifyUnauthored(std::move(statement));
    if (by->author != caller) {
      Log(Level::kWarning, "refused-author", {{"caller", caller.str()}, {"author", by->author.str()}});
      return Refuse(Reason::kWrongAuthor);
    }
    auto key = exchange.sequencer.Read([&](const ledger::State& state) -> std::optional<crypto::VerifyKey> {
      const auto* member = state.active_member(caller);
      return member != nullptr ? std::optional(member->signing_key) : std::nullopt;
    });
    if (!key) return Refuse(Reason::kNotEnrolled);
    TRY(auto verified, ledger::VerifyStatement(std::move(statement), *key, &batch));
    if (const auto* record = std::get_if<ledger::Record>(&verified->payload))
      TRY_OK(CheckBodies(*record, submission.bodies));
    if (const auto* amendment = std::get_if<ledger::Amendment>(&verified->payload))
      TRY_OK(CheckPolicyOf(*amendment, verified->attachments));
    if (const auto* purge = std::get_if<ledger::Purge>(&verified->payload))
      TRY_OK(CheckErasures(exchange.sequencer, *purge));
    return verified;
  }

  // The kinds without an author. The charter is there; standing openings are the broker's own; an amendment of the charter
  // is handed in by an administrator, who need not be among those that signed.
  Result<ledger::VerifiedStatement> VerifyUnauthored(ledger::Statement statement) {
    if (statement.kind == ledger::Kind::kCharter) return Refuse(Reason::kExists, "the log has its charter");
    if (statement.kind != ledger::Kind::kCharterAmendment) {
      Log(Level::kWarning, "refused-author", {{"caller", caller.str()}, {"author", "none"}});
      return Refuse(Reason::kWrongAuthor, "the broker alone makes such a statement");
    }
    const auto amendment = std::get<ledger::CharterAmendment>(statement.payload);
    for (const auto& authority : amendment.charter.authorities)
      if (authority.id == exchange.authority && !exchange.releaser.Has(crypto::KeyIdOf(authority.release_key)))
        return Refuse(Reason::kNotReady, "the broker has not the release key that the amendment names");
    return exchange.sequencer.Read([&](const ledger::State& state) -> Result<ledger::VerifiedStatement> {
      const auto* member = state.active_member(caller);
      if (member == nullptr) return Refuse(Reason::kNotEnrolled);
      if (!member->record.administrator) return Refuse(Reason::kNotAuthorised);
      return ledger::VerifyCharterAmendment(std::move(statement), ledger::CharterSigner(state, amendment));
    });
  }

  static Status CheckPolicyOf(const ledger::Amendment& amendment, const record::Attachments& attachments) {
    if (attachments.policies.size() != 1 || proto::PolicyDigest(attachments.policies[0]) != amendment.policy_digest)
      return Refuse(Reason::kBadPolicy, "the policy is not the one that the amendment names");
    return Ok();
  }

  // Inline bodies are stored (durable with the entry, by the store's one write-ahead log); every body that the record
  // names must be there, whole, and uploaded by the originator's agency: what another one uploaded is as if it were not.
  Status CheckBodies(const ledger::Record& record, const std::vector<Bytes>& bodies) {
    if (!bodies.empty()) {
      TRY_OK(exchange.space.CheckBodies());
      for (const auto& body : bodies) {
        if (body.empty()) return Refuse(Reason::kMalformed, "an empty inline body");
        const Hash root = record::SummariseBody(body).root;
        bool named = false;
        for (const auto& portion : record.payload.portions) named = named || portion.body_root == root;
        if (!named) return Refuse(Reason::kBadBody, "an inline body that the record does not name");
      }
      std::vector<ByteView> views(bodies.begin(), bodies.end());
      TRY(auto roots, exchange.content.PutSmall(views, caller, exchange.now()));
      (void)roots;
    }
    for (const auto& portion : record.payload.portions) {
      if (exchange.sequencer.Read([&](const ledger::State& state) { return state.body_purged(portion.body_root); }))
        return Refuse(Reason::kPurged, "a body of the record");
      auto info = exchange.content.FindWanted({caller.agency(), portion.body_root}, exchange.now());
      if (!info || !info->complete()) return Refuse(Reason::kBodyMissing);
      if (info->length != portion.body_length) return Refuse(Reason::kBadBody, "the body has another length");
    }
    return Ok();
  }

  void Closed() {
    if (open.fetch_sub(1) != 1) return;
    std::optional<Last> last;
    try {
      last = LastToCover();
    } catch (const std::exception& error) {  // it reads the log
      Log(Level::kAlarm, "exception", {{"call", "Post"}, {"what", error.what()}});
      return Finish(Refuse(Reason::kInternal));
    }
    if (!last) return AnswerNow(Ok());
    // Until then, or until nothing could be released any more, or shortly before the caller stops listening.
    const auto useful = std::chrono::system_clock::now() + (last->expires - exchange.now());
    exchange.sequencer.WaitCovered(last->index, std::min(useful, context->deadline() - kTimeToAnswer),
                                   [self = shared_from_this()](Status covered) { self->AnswerNow(covered); });
  }

  // The last of the openings whose release waits for the witnesses, and when the last of them expires; nullopt: none does.
  struct Last {
    std::uint64_t index = 0;
    Time expires{};
  };
  std::optional<Last> LastToCover() {
    std::optional<Last> last;
    for (std::size_t i = 0; i < results.size(); ++i) {
      auto& result = results[i];
      if (!result)
        if (auto before = TakenBefore(i)) result = *std::move(before);
      if (!result || !IsGranted(result->decision)) continue;
      const auto* request = std::get_if<ledger::Open>(&result->statement->payload);
      if (request == nullptr || exchange.sequencer.Covers(result->head.index, result->decision)) continue;
      waited[i] = 1;
      const Last before = last.value_or(Last{});
      last = Last{std::max(before.index, result->head.index), std::max(before.expires, request->expires)};
    }
    return last;
  }
  static bool IsGranted(const ledger::Decision& decision) {
    return std::any_of(decision.verdicts.begin(), decision.verdicts.end(),
                       [](const auto& one) { return one.allowed(); });
  }

  void AnswerNow(const Status& covered) {
    uncovered = covered ? std::nullopt : std::optional(covered.error());
    Status done = Refuse(Reason::kInternal);
    try {
      done = Answer();
    } catch (const std::exception& error) {
      Log(Level::kAlarm, "exception", {{"call", "Post"}, {"what", error.what()}});
    }
    Finish(done);
  }

  Status Answer() {
    TRY(auto view, ViewFrom(exchange.sequencer, request->verified_size()));
    proto::ToMessage(view.view, response->mutable_view());
    for (std::size_t i = 0; i < results.size(); ++i) {
      auto outcome = OutcomeOf(i, view.checkpoint);
      if (!outcome) {
        Metrics::Of().Refused(outcome.error().reason);
        Log(Level::kInfo, "refused",
            {{"member", caller.str()},
             {"statement", digests[i].Hex()},
             {"reason", std::string(CodeOf(outcome.error().reason))}});
      }
      proto::ToMessage(outcome, response->add_outcomes());
    }
    return Ok();
  }

  // What this caller had accepted before under this digest.
  std::optional<Accepted> AcceptedBefore(const Digest& digest) {
    auto index = exchange.sequencer.Read([&](const ledger::State& state) -> std::optional<std::uint64_t> {
      const auto* known = state.statement(digest);
      if (known == nullptr) return std::nullopt;
      // A charter amendment is whoever's administrator's that hands it in.
      const bool own =
          known->author != nullptr ? *known->author == caller : known->kind == ledger::Kind::kCharterAmendment;
      return own ? std::optional(known->index) : std::nullopt;
    });
    if (!index) return std::nullopt;
    auto before = exchange.sequencer.AcceptedAt(*index);
    if (!before) return std::nullopt;
    return *std::move(before);
  }

  // Handed in again, it may be turned away before anybody sees that it is in the log.
  std::optional<Accepted> TakenBefore(std::size_t i) {
    const Reason reason = results[i].error().reason;
    if (reason != Reason::kExists && reason != Reason::kPoolFull && reason != Reason::kStorage &&
        reason != Reason::kShuttingDown)
      return std::nullopt;
    auto before = AcceptedBefore(digests[i]);
    if (before) again[i] = 1;
    return before;
  }

  // An opening whose answer was lost, or which waited: the same decision is released, unless something came in between.
  bool MayRelease(const Accepted& before, const ledger::Open& asked) {
    auto may = exchange.sequencer.Read([&](const ledger::State& state) {
      return ledger::CheckReleaseAgain(state, asked, before.decision, exchange.now());
    });
    Log(Level::kInfo, may ? "released-again" : "not-released-again",
        {{"member", caller.str()},
         {"statement", before.head.statement.Hex()},
         {"entry", std::to_string(before.head.index)},
         {"reason", may ? "" : std::string(CodeOf(may.error().reason))}});
    return may.has_value();
  }

  proto::Outcome OutcomeOf(std::size_t i, const PublishedCheckpoint& checkpoint) {
    auto& result = results[i];
    if (!result) {
      // What the store or a fault of ours said is for the operations log; the author gets the sentence.
      const auto klass = ClassOf(result.error().reason);
      if (klass == Class::kInternal || klass == Class::kUnavailable || klass == Class::kTampered) {
        Log(Level::kWarning, "refusal-detail",
            {{"reason", std::string(CodeOf(result.error().reason))}, {"detail", result.error().detail}});
        return Refuse(result.error().reason);
      }
      return result.error();
    }
    TRY(auto receipt, MakeReceipt(exchange.sequencer, *result, checkpoint));
    proto::Accepted accepted{std::move(receipt), {}};
    const auto* asked = std::get_if<ledger::Open>(&result->statement->payload);
    if (asked == nullptr || !IsGranted(result->decision)) return accepted;
    const auto covered = exchange.sequencer.Covers(result->head.index, result->decision);
    if (!covered) return uncovered ? *uncovered : Refuse(Reason::kNoQuorum);
    if ((again[i] != 0 || waited[i] != 0) && !MayRelease(*result, *asked)) return accepted;
    TRY(auto release,
        exchange.releaser.Release(
            *result, *covered, [&](const Digest& record) { return exchange.sequencer.RecordEntry(record); },
            exchange.random));
    if (release) accepted.releases.push_back(*std::move(release));
    return accepted;
  }
};

}  // namespace

grpc::ServerUnaryReactor* ExchangeService::Post(grpc::CallbackServerContext* context, const v1::PostRequest* request,
                                                v1::PostResponse* response) {
  auto admitted = Admit(exchange_, context, CallKind::kUnary, "Post", MemoryOfRequest(*request));
  if (!admitted) {
    auto* refused = new UnaryReactor();
    refused->Finish(ToStatus(context, admitted.error()));
    return refused;
  }
  auto [caller, call] = *std::move(admitted);
  auto* reactor = new UnaryReactor(std::move(call), *response);
  auto job = std::make_shared<PostJob>(exchange_, caller, context, request, response, reactor);
  if (auto queued = exchange_.workers.Submit([job] { job->Start(); }); !queued) job->Finish(queued.error());
  return reactor;
}

}  // namespace valija::broker
