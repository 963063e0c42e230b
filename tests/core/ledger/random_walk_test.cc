// Tens of thousands of statements, most of them wrong in some way, as a seeded generator makes them: after each entry an
// independent model says whether it may be there, and in the end the entries are decided and folded again from scratch.
// A failure prints its seed; VALIJA_SEED=<seed> walks that one alone.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "tests/core/ledger/state_dump.h"
#include "tests/core/ledger/walk_model.h"
#include "tests/support/memory_rows.h"

namespace valija::ledger {
namespace {

using test::Agency;
using test::Member;
using test::Person;

constexpr int kStatements = 6000;  // of one walk

// What a purge leaves of a statement.
struct Redact {
  static void Erase(std::string& text) {
    if (text.find_first_not_of(' ') != std::string::npos) text = kErasedText;
  }
  void operator()(Record& record) const {
    for (auto& seal : record.payload.portions) seal.wraps.clear();
  }
  void operator()(Grant& grant) const {
    for (auto& wraps : grant.wraps) wraps.clear();
  }
  void operator()(Open& open) const { Erase(open.case_reference), Erase(open.emergency); }
  void operator()(AccessRequest& request) const { Erase(request.case_reference), Erase(request.why); }
  void operator()(StandingOrder& order) const { Erase(order.case_reference); }
  template <class Other>
  void operator()(Other& other) const {
    if constexpr (requires { other.why; }) Erase(other.why);
  }
};

class Walk : public test::World {
 public:
  explicit Walk(std::uint64_t seed) : dice_(seed) {
    quick = true;
    Populate();
    auto& gt_admin = people.at("gt.mp/admin");
    Accept(Epoch("gt.mp", gt_admin), gt_admin);
    for (const char* agency : {"us.dea", "us.fbi", "mx.fgr", "gt.mp"}) {
      Enrol(std::string(agency) + "/eve", "ana");  // a second member id of ana
      Enrol(std::string(agency) + "/audit", "audit", [](MemberRecord& m) { m.auditor = true; });
    }
    for (const auto& entry : entries) model.Take(entry);
    joining_ = NewAgency("co.pnc");
    NewPerson("co.pnc/ana");
    NewPerson("co.pnc/eve");
    for (const auto& [id, person] : people) names_.push_back(id);
  }

  void Run() {
    for (int i = 0; i < kStatements && !::testing::Test::HasFailure(); ++i) {
      Tick();
      Step(Next());
      if (i % 100 == 0) CheckIndexes();
    }
    CheckIndexes();
  }

  // What is kept of what is open is what is open of all that there ever was.
  void CheckIndexes() const {
    std::set<Digest> emergencies, requests, asking;
    for (const auto& entry : entries) {
      const Digest& digest = entry.head.statement;
      if (const auto* one = state.emergency(digest); one != nullptr && !one->reviewed) emergencies.insert(digest);
      if (const auto* one = state.access_request(digest);
          one != nullptr && !one->answered && one->request.by.time + kSilence > state.latest())
        requests.insert(digest);
      if (const auto* one = state.record(digest); one != nullptr && one->due) asking.insert(digest);
    }
    EXPECT_EQ(KeysOf(state.emergencies()), emergencies);
    EXPECT_EQ(KeysOf(state.access_requests()), requests);
    for (const auto& [agency, known] : state.agencies()) {
      std::map<std::uint64_t, Digest> access;
      for (const Digest& digest : requests) {
        const auto& one = *state.access_request(digest);
        const auto* about = state.record(one.request.record);
        if (about != nullptr && state.original(*about).originator.agency() == agency) access.emplace(one.index, digest);
      }
      const std::vector<std::pair<std::uint64_t, Digest>> in_order(access.begin(), access.end());
      EXPECT_EQ(state.open_access_requests(agency), in_order) << agency.str();
      std::set<Digest> asked;
      for (const Digest& digest : asking)
        if (Asks(*state.record(digest), agency)) asked.insert(digest);
      EXPECT_EQ(SetOf(state.asking(agency)), asked) << agency.str();
    }
    for (const auto& [member, known] : state.members()) {
      std::set<Digest> live;
      for (const Digest& digest : state.to_erase(member))
        if (!Purged(*state.record(digest))) live.insert(digest);
      std::set<Digest> to_erase;
      for (const Digest& digest : records_)
        if (IsToErase(*state.record(digest), member)) to_erase.insert(digest);
      EXPECT_EQ(live, to_erase) << member.str();
    }
    for (const auto& [digest, one] : state.orders()) EXPECT_FALSE(one.ended);
  }

  // Everything again, from nothing.
  // As an auditor does at the end: what was purged by then is there in its redacted form alone.
  void Replay() {
    State again;
    for (const auto& entry : entries) {
      auto statement = entry.statement;
      if (state.statement(entry.head.statement)->erased_by) statement = TrustLogged(Redacted(*statement));
      auto decision = ledger::Decide(again, statement, entry.head.time, entry.decision.authority, entry.decision.nonce);
      ASSERT_TRUE(decision) << entry.head.index << ": " << decision.error().Message();
      ASSERT_EQ(*decision, entry.decision) << entry.head.index;
      Apply(again, {entry.head, entry.salt, statement, entry.decision, entry.decision_bytes});
    }
    EXPECT_EQ(test::StateDump::Of(again, entries), test::StateDump::Of(state, entries));
  }
  // The same over rows: forgotten as often as may be, and read again from nothing else now and then.
  void ReplayInRows() {
    test::MemoryRows kept, at_once;
    State again, once;
    again.KeepIn(kept);
    once.KeepIn(at_once);
    for (const auto& entry : entries) {
      auto decision =
          ledger::Decide(again, entry.statement, entry.head.time, entry.decision.authority, entry.decision.nonce);
      ASSERT_TRUE(decision) << entry.head.index << ": " << decision.error().Message();
      ASSERT_EQ(*decision, entry.decision) << entry.head.index;
      Apply(again, entry);
      Apply(once, entry);
      if (!OneIn(4)) continue;
      kept.Write(again.TakeRows());
      again.Trim(0);
      ASSERT_EQ(again.cached(), 0U);
      if (OneIn(20)) again = State::From(kept);
    }
    EXPECT_GT(kept.reads, entries.size());
    kept.Write(again.TakeRows());
    at_once.Write(once.TakeRows());
    EXPECT_TRUE(kept.rows == at_once.rows) << "rows say the state, however it came about";
    again = State::From(kept);
    EXPECT_EQ(test::StateDump::Of(again, entries), test::StateDump::Of(state, entries));
  }

  static Statement Redacted(Statement statement) {
    std::visit(Redact{}, statement.payload);
    statement.erased = true;
    return statement;
  }

  test::WalkModel model;
  std::map<Kind, std::pair<int, int>> tally;  // accepted, refused

 private:
  template <class Map>
  static std::set<Digest> KeysOf(const Map& map) {
    std::set<Digest> out;
    for (const auto& [digest, one] : map) out.insert(digest);
    return out;
  }
  static std::set<Digest> SetOf(const std::vector<Digest>& list) { return {list.begin(), list.end()}; }

  bool Purged(const RecordState& record) const { return record.purged_at || state.original(record).purged_at; }
  bool IsToErase(const RecordState& record, const MemberId& member) const {
    const auto holder = record.holders.find(member);
    return (record.recalled_at || state.original(record).recalled_at) && !Purged(record) &&
           holder != record.holders.end() && !holder->second.erased;
  }
  static bool Reaches(const RecordState& record, const AgencyId& agency) {
    for (const auto& portion : record.portions)
      for (const auto& [to, key] : portion.recipients)
        if (to == agency) return true;
    return false;
  }
  bool Asks(const RecordState& record, const AgencyId& agency) const {
    bool reaches = Reaches(record, agency);
    for (const Digest& digest : record.grants)
      reaches = reaches || (!state.ended(*state.record(digest)) && Reaches(*state.record(digest), agency));
    return reaches && record.due && !state.ended(record) && agency != record.originator.agency() &&
           !record.replies.contains(agency);
  }

  using Made = std::optional<VerifiedStatement>;

  // ---- dice ----
  std::size_t Below(std::size_t end) { return end == 0 ? 0 : dice_() % end; }
  bool OneIn(std::size_t n) { return Below(n) == 0; }
  template <class List>
  const auto& Any(const List& list) {
    return list[Below(list.size())];
  }
  // Mostly of late, as what is old has ended.
  Digest Recent(const std::vector<Digest>& list) {
    if (list.empty() || OneIn(50)) return Digest{{static_cast<std::uint8_t>(Below(256))}};
    const std::size_t window = std::min<std::size_t>(list.size(), OneIn(8) ? list.size() : 12);
    return list[list.size() - 1 - Below(window)];
  }
  const Person& Somebody() { return people.at(Any(names_)); }
  // Somebody whom it may concern, or anybody.
  const Person& Author(const std::optional<MemberId>& likely) {
    return likely && !OneIn(4) ? people.at(likely->str()) : Somebody();
  }
  std::string Why() { return OneIn(40) ? std::string() : "for a reason"; }

  void Tick() {
    now += Duration(Below(180'000));
    if (OneIn(200)) now += std::chrono::hours(Below(12));
    if (OneIn(300)) now -= std::chrono::minutes(2);  // a clock that goes back
  }

  // ---- policies ----
  policy::Policy SomePolicy(const Person& by) {
    auto out = PolicyFor({});
    out.marking = static_cast<policy::Tlp>(2 + Below(4));
    for (const char* agency : {"co.pnc", "gt.mp", "mx.fgr", "us.dea", "us.fbi"})
      if (OneIn(2) && (OneIn(30) || (state.agency(Agency(agency)) && !state.agency(Agency(agency))->left)))
        out.releasable_to.agencies.push_back(Agency(agency));
    if (OneIn(6)) out.releasable_to.countries = {"us"};
    if (OneIn(5)) out.purposes = {"analysis"};
    if (OneIn(6)) out.not_before = now + std::chrono::minutes(Below(90));
    if (!OneIn(3)) out.expires = now + std::chrono::minutes(91 + Below(600));
    if (OneIn(3)) out.openings_per_agency = static_cast<std::uint32_t>(1 + Below(2));
    if (OneIn(3)) out.openings_in_all = static_cast<std::uint32_t>(1 + Below(4));
    if (OneIn(2)) {
      // Mostly of the originator's side, as others seldom count.
      std::set<MemberId> approvers;
      for (int tries = 0; approvers.size() < 4; ++tries) {
        const MemberId one = Member(Any(names_));
        if (one.agency() == by.id().agency() || OneIn(12) || tries > 60) approvers.insert(one);
      }
      std::vector<MemberId> list(approvers.begin(), approvers.end());
      out.approvals = {{static_cast<std::uint32_t>(OneIn(4) ? 2 : 1), {list[0], list[1]}}};
      if (OneIn(3)) out.approvals.push_back({1, {list[2], list[3]}});
      out.approval_hours = static_cast<std::uint32_t>(1 + Below(8));
      out.emergency = OneIn(2);
    }
    out.onward = static_cast<policy::Onward>(Below(3));
    return out;
  }

  // ---- statements ----
  Made Next() {
    switch (Below(24)) {
      case 0:
        return MakeEnrolment();
      case 1:
        return OneIn(4) ? MakeCharter() : OneIn(2) ? MakeEpoch() : MakeEnrolment();
      case 2:
      case 3:
      case 4:
        return MakeRecord();
      case 5:
      case 6:
      case 7:
      case 8:
      case 9:
      case 10:
        return MakeOpen();
      case 11:
        return MakeAcknowledgement();
      case 12:
        return OneIn(2) ? MakeRevocation() : MakeAcknowledgement();
      case 13:
        return MakeGrant();
      case 14:
        return MakeAmendment();
      case 15:
      case 16:
      case 17:
        return OneIn(3) ? MakeSecondOpen() : MakeApproval();
      case 18:
        return MakeReview();
      case 19:
        return MakeAccessRequest();
      case 20:
        return MakeAnswer();
      case 21:
        return MakeOrder();
      case 22:
        return MakeStandingOpening();
      default:
        return OneIn(3) ? Again() : OneIn(2) ? MakePurge() : MakeLookup();
    }
  }

  template <class P>
  Made By1(P payload, const Person& by) {
    if (OneIn(60)) payload.by.time = now - std::chrono::hours(2);
    if (OneIn(90)) payload.by.origin = "example.org/other";
    return Signed(std::move(payload), by);
  }

  Made MakeEnrolment() {
    const std::string id = Any(names_);
    if (id.ends_with("/admin")) return std::nullopt;
    const Person& by = Author(Member(Member(id).agency().str() + "/admin"));
    if (OneIn(6)) return By1(Removal(id, by, OneIn(2) ? MemberStatus::kSuspended : MemberStatus::kRemoved), by);
    auto enrolment = Enrolment(people.at(id), by);
    // Another label for the same member, as an agency that cheats would give it.
    enrolment.member.person = OneIn(5) ? "somebody" : OneIn(10) ? "" : people.at(id).record.person;
    if (OneIn(20)) enrolment.previous = Digest{};
    return By1(std::move(enrolment), by);
  }
  Made MakeEpoch() {
    const std::string agency = Any(names_).substr(0, 6);
    const std::string id = agency.substr(0, agency.find('/'));
    if (state.agency(Agency(id)) == nullptr) return std::nullopt;
    const Person& by = Author(Member(id + "/admin"));
    auto epoch = Epoch(id, by);
    if (OneIn(10)) ++epoch.epoch;
    return By1(std::move(epoch), by);
  }
  Made MakeCharter() {
    auto next = *state.charter();
    const auto* known = state.agency(Agency("co.pnc"));
    std::vector<std::string> signers = {OneIn(4) ? "us.dea/ana" : "us.dea/admin"};
    if (known != nullptr && !known->left) {
      std::erase_if(next.agencies, [](const auto& one) { return one.id == Agency("co.pnc"); });
    } else {
      next.agencies.insert(next.agencies.begin(), joining_);
      if (!OneIn(4)) signers.push_back("co.pnc/admin");
    }
    auto amendment = Amended(std::move(next));
    if (OneIn(6)) amendment.previous = Digest{};
    auto made = SignedBy(amendment, signers);
    return made ? Made(*made) : std::nullopt;
  }
  // Of agencies that have a key to seal to, as any sender finds out first.
  Made MakeRecord() {
    const Person& by = Somebody();
    std::vector<policy::Policy> policies = {SomePolicy(by)};
    if (OneIn(4)) policies.push_back(SomePolicy(by));
    auto draft = NewRecord(by, policies, test::Sealing{std::nullopt, 1 + Below(2)});
    if (OneIn(6)) draft.header().in_reply_to = Recent(records_);
    if (OneIn(6)) draft.header().urgency = static_cast<record::Urgency>(Below(5));
    if (OneIn(5)) draft.header().sources = {Recent(records_)};
    if (OneIn(40)) draft.header().portions[0].amend_key_id = Somebody().sign.id();
    if (OneIn(40)) draft.statement.attachments.slips.pop_back();
    if (OneIn(25) && last_body_) draft.record().payload.portions[0].body_root = *last_body_;
    last_body_ = draft.record().payload.portions[0].body_root;
    return Signed(draft.statement, by);
  }
  std::optional<MemberId> LikelyRecipient(const Digest& of) {
    const auto* record = state.record(of);
    if (record == nullptr) return std::nullopt;
    const auto& to = Any(record->portions).recipients;
    if (to.empty()) return std::nullopt;
    for (int i = 0; i < 8; ++i) {
      const std::string id = Any(names_);
      if (Member(id).agency() == Any(to).first) return Member(id);
    }
    return std::nullopt;
  }
  OpenItem ItemOf(const Digest& of, const AgencyId& agency) {
    const auto* record = state.record(of);
    OpenItem out{
        of, record != nullptr ? static_cast<std::uint32_t>(Below(record->portions.size() + (OneIn(20) ? 1 : 0))) : 0,
        KeyId{}};
    const auto* portion = record != nullptr ? record->portion(out.portion) : nullptr;
    if (portion != nullptr && !OneIn(30))
      for (const auto& [to, key] : portion->recipients)
        if (to == agency) out.epoch_key_id = key;
    return out;
  }
  Made MakeOpen() {
    const Digest first = Recent(records_);
    const Person& by = Author(LikelyRecipient(first));
    auto open = Open(by, {ItemOf(first, by.id().agency())}, OneIn(5) ? "analysis" : "investigation");
    if (OneIn(5)) open.items.push_back(ItemOf(Recent(records_), by.id().agency()));
    if (OneIn(12)) open.emergency = "now";
    if (OneIn(40)) open.expires = now;
    if (OneIn(60) && last_nonce_) open.by.nonce = *last_nonce_;
    last_nonce_ = open.by.nonce;
    return By1(std::move(open), by);
  }
  // A request that can still be opened, if a few tries find one; `said`: with a word of somebody.
  Digest Waiting(bool said) {
    Digest of = Recent(requests_);
    for (int tries = 0; tries < 20; ++tries) {
      const auto* waits = state.pending(of);
      if (waits != nullptr && !waits->used && waits->expires > now && (!said || !waits->said.empty())) break;
      of = Recent(requests_);
    }
    return of;
  }
  Made MakeSecondOpen() {
    const Digest of = Waiting(true);
    const auto* waits = state.pending(of);
    if (waits == nullptr) return std::nullopt;
    const Person& by = Author(waits->author);
    auto open = Open(by, waits->items, waits->purpose);
    open.approved_request = of;
    if (OneIn(20)) open.purpose = "analysis";
    if (OneIn(20)) open.items = {ItemOf(Recent(records_), by.id().agency())};
    return By1(std::move(open), by);
  }
  Made MakeAcknowledgement() {
    const Digest of = Recent(records_);
    const Person& by = Author(LikelyRecipient(of));
    return By1(Acknowledgement{By(by), of, std::string(kOutcomes[Below(5)])}, by);
  }
  std::optional<MemberId> Originator(const Digest& of) {
    const auto* record = state.record(of);
    return record != nullptr ? std::optional(record->originator) : std::nullopt;
  }
  Made MakeRevocation() {
    if (OneIn(4)) {
      const Digest order = Recent(orders_);
      const auto* known = state.order(order);
      const Person& by = Author(known != nullptr ? std::optional(known->order.by.author) : std::nullopt);
      return By1(Revocation{By(by), order, Why(), false}, by);
    }
    const Digest of = Recent(records_);
    const Person& by = Author(Originator(of));
    return By1(Revocation{By(by), of, Why(), OneIn(2)}, by);
  }
  // Passed on by somebody of an agency that has it, under what the originator said.
  Made PassOn() {
    for (std::size_t back = 0; back < std::min<std::size_t>(records_.size(), 60); ++back) {
      const Digest& of = records_[records_.size() - 1 - back];
      const auto& record = *state.record(of);
      const auto& portion = record.portions[0];
      if (record.grant_of || state.ended(record) || portion.policy->onward != policy::Onward::kWithinCountry) continue;
      for (const char* agency : {"us.dea", "us.fbi"}) {
        if (portion.openings.count(Agency(agency)) == 0 || OneIn(3)) continue;
        const Person& by = Author(Member(std::string(agency) + (OneIn(2) ? "/bob" : "/admin")));
        auto policy = *portion.policy;
        policy.releasable_to = PolicyFor({"us.dea", "us.fbi"}).releasable_to;
        if (OneIn(4)) policy.releasable_to = PolicyFor({"mx.fgr"}).releasable_to;
        if (OneIn(6)) policy.openings_in_all = 0;
        return Signed(NewGrant(by, of, {{0, policy}}, test::Sealing{std::nullopt, 1}).statement, by);
      }
    }
    return std::nullopt;
  }
  Made MakeGrant() {
    if (OneIn(2)) return PassOn();
    const Digest of = Recent(records_);
    const Person& by = Author(Originator(of));
    auto draft =
        NewGrant(by, of, {{static_cast<std::uint32_t>(OneIn(8)), SomePolicy(by)}}, test::Sealing{std::nullopt, 1});
    if (OneIn(3)) draft.grant().request = Recent(asked_);
    return Signed(draft.statement, by);
  }
  Made MakeAmendment() {
    const Digest of = Recent(records_);
    const Person& by = Author(Originator(of));
    const auto* record = state.record(of);
    auto policy = SomePolicy(by);
    if (record != nullptr && !OneIn(4)) policy.releasable_to = record->portions[0].policy->releasable_to;
    auto statement = Amend(by, of, policy, static_cast<std::uint32_t>(OneIn(6)));
    if (OneIn(10)) ++std::get<Amendment>(statement.payload).sequence;
    if (OneIn(20)) statement.attachments.policies[0].back() ^= 1;
    return Signed(std::move(statement), by);
  }
  Made MakeApproval() {
    const Digest of = Waiting(false);
    const auto* waits = state.pending(of);
    std::optional<MemberId> likely;
    if (waits != nullptr) {
      const auto* record = state.record(waits->items[0].record);
      const auto* portion = record != nullptr ? record->portion(waits->items[0].portion) : nullptr;
      if (portion != nullptr && !portion->policy->approvals.empty())
        likely = Any(Any(portion->policy->approvals).approvers);
    }
    const Person& by = Author(likely);
    const auto verdict = OneIn(8) ? static_cast<ApprovalVerdict>(1 + Below(3)) : ApprovalVerdict::kApprove;
    return By1(Approval{By(by), of, verdict, Why()}, by);
  }
  Made MakeReview() {
    const Digest of = Recent(emergencies_);
    const auto* known = state.emergency(of);
    std::optional<MemberId> likely;
    if (known != nullptr) likely = Member(known->originators[0].str() + "/audit");
    if (likely && !people.count(likely->str())) likely.reset();
    const Person& by = Author(likely);
    return By1(Review{By(by), of, Finding::kJustified, Why()}, by);
  }
  Made MakeAccessRequest() {
    const Person& by = Somebody();
    const Wish wish = static_cast<Wish>(1 + Below(3));
    auto access = Access(by, Recent(records_), wish);
    if (wish == Wish::kOnward) access.agency = Agency("us.fbi");
    return By1(std::move(access), by);
  }
  Made MakeAnswer() {
    const Digest of = Recent(asked_);
    const auto* asked = state.access_request(of);
    const Person& by = Author(asked != nullptr ? Originator(asked->request.record) : std::nullopt);
    Answer answer{By(by), of, std::nullopt, ""};
    if (OneIn(2)) answer.marking = policy::Tlp::kGreen;
    return By1(std::move(answer), by);
  }
  Made MakeOrder() {
    const Person& by = Somebody();
    auto order = Order(by);
    order.expires = now + std::chrono::minutes(Below(600));
    return By1(std::move(order), by);
  }
  Made MakeStandingOpening() {
    auto some = [&] {
      const Digest order = Recent(orders_);
      const auto* known = state.order(order);
      const bool its = known != nullptr && !OneIn(20);
      return StandingOpening{order, its ? known->order.by.author : Somebody().id(), Recent(records_), {0}};
    };
    StandingOpening opening = some();
    // One that its author's agency received, if there is one.
    for (int tries = 0; tries < 30 && !OneIn(20); ++tries) {
      const auto* order = state.order(opening.order);
      const auto* record = state.record(opening.record);
      if (order != nullptr && record != nullptr && record->index > order->index &&
          !state.opened_under(opening.order, opening.record))
        for (const auto& [to, key] : record->portions[0].recipients)
          if (to == order->order.agency) tries = 30;
      if (tries < 30) opening = some();
    }
    if (OneIn(5)) opening.portions.push_back(1);
    return Signed(std::move(opening));
  }
  Made MakeLookup() {
    const Person& by = Author(OneIn(2) ? std::optional(Member("mx.fgr/audit")) : std::nullopt);
    Lookup lookup{By(by), Below(entries.size() + 2), 0, now + std::chrono::hours(Below(24 * 31)), Why()};
    if (OneIn(2)) lookup.end_index = lookup.from_index + Below(20);
    return By1(std::move(lookup), by);
  }
  Made MakePurge() {
    const Digest of = OneIn(2) ? Recent(records_) : entries[Below(entries.size())].head.statement;
    const auto* known = state.statement(of);
    std::optional<MemberId> likely;
    if (known != nullptr && known->author != nullptr) likely = Member(known->author->agency().str() + "/admin");
    const Person& by = Author(likely);
    Digest first = of;
    if (const auto* record = state.record(of); record != nullptr && !OneIn(8))
      for (const Digest& grant : record->grants)
        if (!state.record(grant)->purged_at) first = grant;
    return By1(Purge(by, {first}), by);
  }
  Made Again() { return entries[Below(entries.size())].statement; }

  // ---- one step ----
  void Step(const Made& made) {
    if (!made) return;
    const Statement& statement = **made;
    auto decision = Decide(*made);
    auto& counts = tally[statement.kind];
    if (!decision) {
      ++counts.second;
      return;
    }
    ++counts.first;
    Accept(*made);
    const Entry& entry = entries.back();
    EXPECT_EQ(entry.decision, *decision);  // decided twice, decided the same
    model.Take(entry);
    const Digest& digest = statement.digest;
    if (state.record(digest) != nullptr) records_.push_back(digest);
    if (state.pending(digest) != nullptr) requests_.push_back(digest);
    if (state.emergency(digest) != nullptr) emergencies_.push_back(digest);
    if (state.access_request(digest) != nullptr) asked_.push_back(digest);
    if (state.order(digest) != nullptr) orders_.push_back(digest);
  }

  std::mt19937_64 dice_;
  std::vector<std::string> names_;
  CharterAgency joining_{Agency("co.pnc"), {}, {}, {}};
  std::vector<Digest> records_, requests_, emergencies_, asked_, orders_;
  std::optional<Hash> last_body_;
  std::optional<Nonce> last_nonce_;
};

TEST(RandomWalk, HoldsWhatMustHoldAndReplaysAsItWas) {
  std::vector<std::uint64_t> seeds = {1, 2, 3, 4, 5, 6, 7, 8};
  if (const char* chosen = std::getenv("VALIJA_SEED")) seeds = {std::strtoull(chosen, nullptr, 10)};
  std::map<Kind, std::pair<int, int>> tally;
  std::size_t granted = 0, approved = 0, emergencies = 0, under_orders = 0, passed_on = 0;
  for (const auto seed : seeds) {
    SCOPED_TRACE("VALIJA_SEED=" + std::to_string(seed) + " replays this walk");
    Walk walk(seed);
    walk.Run();
    if (HasFailure()) return;
    walk.Replay();
    walk.ReplayInRows();
    for (const auto& [kind, counts] : walk.tally)
      tally[kind].first += counts.first, tally[kind].second += counts.second;
    granted += walk.model.granted;
    approved += walk.model.granted_under_approvals;
    emergencies += walk.model.emergencies;
    under_orders += walk.model.under_orders;
    passed_on += walk.model.passed_on;
  }
  std::ostringstream seen;
  for (const auto& [kind, counts] : tally)
    seen << NameOf(kind) << ' ' << counts.first << " accepted, " << counts.second << " refused\n";
  seen << granted << " granted, " << approved << " under approvals, " << emergencies << " emergencies, " << under_orders
       << " under orders, " << passed_on << " of what was passed on\n";
  RecordProperty("seen", seen.str());
  if (seeds.size() < 2) return;
  // A walk that gets nowhere proves nothing.
  for (int kind = static_cast<int>(Kind::kEnrolment); kind <= static_cast<int>(Kind::kLookup); ++kind) {
    EXPECT_GT(tally[static_cast<Kind>(kind)].first, 10) << seen.str();
    EXPECT_GT(tally[static_cast<Kind>(kind)].second, 10) << seen.str();
  }
  EXPECT_GT(granted, 300U) << seen.str();
  EXPECT_GT(approved, 10U) << seen.str();
  EXPECT_GT(emergencies, 10U) << seen.str();
  EXPECT_GT(under_orders, 10U) << seen.str();
  EXPECT_GT(passed_on, 10U) << seen.str();
}

}  // namespace
}  // namespace valija::ledger
