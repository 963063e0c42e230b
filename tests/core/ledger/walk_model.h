// What must hold of every opening, kept a second time from the accepted statements alone and in other words than the
// ledger's: an independent judge for the random walk.
#pragma once

#include <gtest/gtest.h>

#include "tests/support/ledger_fixture.h"

namespace valija::test {

class WalkModel {
 public:
  std::size_t granted = 0, granted_under_approvals = 0, emergencies = 0, under_orders = 0, passed_on = 0;

  // Call it with each entry, in order; says whatever does not hold.
  void Take(const ledger::Entry& entry) {
    time_ = entry.head.time;
    latest_ = std::max(latest_, time_);
    digest_ = entry.head.statement;
    std::visit([&](const auto& payload) { Note(payload, entry); }, entry.statement->payload);
  }

 private:
  struct Portion {
    policy::Policy policy;
    std::set<AgencyId> sealed_to;
    std::map<AgencyId, std::uint32_t> opened;
    std::uint32_t in_all = 0;
  };
  struct Record {
    MemberId by;
    std::optional<Digest> of;
    std::map<std::uint32_t, Portion> portions;
    bool ended = false;
  };
  struct Request {
    ledger::Open open;
    Time until;
    std::map<MemberId, ledger::ApprovalVerdict> said;
    bool granted = false;
  };

  std::string Person(const MemberId& id) const {
    const auto& record = members_.at(id);
    return record.person.empty() ? id.str() : id.agency().str() + " " + record.person;
  }
  bool Active(const MemberId& id) const {
    const auto at = members_.find(id);
    return at != members_.end() && at->second.status == ledger::MemberStatus::kActive &&
           agencies_.count(id.agency()) != 0;
  }

  // ---- what is noted ----
  void Join(const ledger::Charter& charter) {
    std::set<AgencyId> now;
    for (const auto& agency : charter.agencies) {
      now.insert(agency.id);
      if (!agencies_.count(agency.id))
        for (const auto& member : agency.administrators) members_.insert_or_assign(member.id, member);
    }
    for (auto& [id, member] : members_)
      if (!now.count(id.agency())) member.status = ledger::MemberStatus::kRemoved;
    agencies_ = std::move(now);
  }
  void Note(const ledger::Charter& charter, const ledger::Entry&) { Join(charter); }
  void Note(const ledger::CharterAmendment& amendment, const ledger::Entry&) { Join(amendment.charter); }
  void Note(const ledger::Enrolment& enrolment, const ledger::Entry&) {
    members_.insert_or_assign(enrolment.member.id, enrolment.member);
  }
  void Note(const ledger::Epoch& epoch, const ledger::Entry&) {
    for (const auto& wrap : epoch.wraps) EXPECT_TRUE(Active(wrap.member)) << wrap.member.str();
  }

  Record Sealed(const record::Header& header, const std::vector<policy::Policy>& policies,
                const ledger::Statement& statement) {
    EXPECT_TRUE(Active(header.originator));
    Record out{header.originator, std::nullopt, {}, false};
    for (std::size_t p = 0; p < policies.size(); ++p) out.portions[header.portions[p].number].policy = policies[p];
    for (const auto& slip : statement.attachments.slips) {
      if (slip.agency.str() == record::kDecoyAgency) continue;
      EXPECT_TRUE(agencies_.count(slip.agency)) << "sealed to an agency that left: " << slip.agency.str();
      out.portions[slip.portion].sealed_to.insert(slip.agency);
    }
    return out;
  }
  void Note(const ledger::Record& record, const ledger::Entry& entry) {
    for (const auto& seal : record.payload.portions)
      EXPECT_TRUE(bodies_.insert(seal.body_root).second) << "a body for the second time";
    records_.emplace(digest_, Sealed(record.payload.header, record.policies, *entry.statement));
  }
  void Note(const ledger::Grant& grant, const ledger::Entry& entry) {
    Record made = Sealed(grant.header, grant.policies, *entry.statement);
    const Record& original = records_.at(grant.record);
    EXPECT_FALSE(original.ended) << "a grant of a record that has ended";
    made.of = grant.record;
    if (made.by.agency() != original.by.agency())
      for (const auto& [number, portion] : made.portions) {
        const Portion& first = original.portions.at(number);
        EXPECT_EQ(first.policy.onward, policy::Onward::kWithinCountry) << "passed on without consent";
        EXPECT_TRUE(first.opened.count(made.by.agency()) && first.sealed_to.count(made.by.agency()));
        for (const auto& agency : portion.sealed_to) EXPECT_EQ(agency.country(), made.by.country());
      }
    records_.emplace(digest_, std::move(made));
  }
  void Note(const ledger::Amendment& amendment, const ledger::Entry&) {
    Record& record = records_.at(amendment.record);
    EXPECT_FALSE(Ended(record)) << "an amendment of what has ended";
    EXPECT_EQ(record.by.agency(), amendment.by.author.agency()) << "an amendment by a recipient";
    record.portions.at(amendment.portion).policy = *amendment.policy;
  }
  void Note(const ledger::Revocation& revocation, const ledger::Entry&) {
    if (orders_.count(revocation.record)) {
      ended_orders_.insert(revocation.record);
      return;
    }
    records_.at(revocation.record).ended = true;
  }
  void Note(const ledger::Purge& purge, const ledger::Entry&) {
    for (const auto& erasure : purge.erasures) {
      EXPECT_TRUE(erased_.insert(erasure.statement).second) << "erased twice";
      if (auto at = records_.find(erasure.statement); at != records_.end()) at->second.ended = true;
    }
  }
  void Note(const ledger::Approval& approval, const ledger::Entry&) {
    Request& request = requests_.at(approval.request);
    EXPECT_FALSE(request.granted);
    EXPECT_LT(time_, request.until);
    EXPECT_NE(Person(approval.by.author), Person(request.open.by.author)) << "approved by the requester";
    for (const auto& [other, said] : request.said)
      EXPECT_TRUE(other == approval.by.author || Person(other) != Person(approval.by.author)) << "one person twice";
    if (approval.verdict == ledger::ApprovalVerdict::kWithdraw)
      EXPECT_EQ(request.said.erase(approval.by.author), 1U);
    else
      request.said.insert_or_assign(approval.by.author, approval.verdict);
  }
  void Note(const ledger::Review& review, const ledger::Entry&) {
    const MemberId& by = broke_glass_.at(review.request);
    EXPECT_NE(Person(by), Person(review.by.author));
    EXPECT_TRUE(locked_.erase(by)) << "a review of nothing";
  }
  void Note(const ledger::StandingOrder& order, const ledger::Entry&) { orders_.emplace(digest_, order); }
  template <class Other>
  void Note(const Other&, const ledger::Entry&) {}

  // ---- what must hold of an opening ----
  bool Ended(const Record& record) const { return record.ended || (record.of && records_.at(*record.of).ended); }

  void Open(const MemberId& by, const ledger::Verdict& verdict, const std::string& purpose) {
    ++granted;
    ASSERT_TRUE(records_.count(verdict.record)) << "an opening of nothing";
    Record& record = records_.at(verdict.record);
    ASSERT_TRUE(record.portions.count(verdict.portion));
    Portion& portion = record.portions.at(verdict.portion);
    const AgencyId agency = by.agency();
    EXPECT_TRUE(Active(by)) << "an opening by somebody who is gone";
    EXPECT_FALSE(Ended(record)) << "an opening after revocation or purge";
    EXPECT_TRUE(portion.sealed_to.count(agency) && policy::InAudience(portion.policy.releasable_to, by))
        << "an opening outside the audience";
    EXPECT_TRUE(!portion.policy.expires || time_ < *portion.policy.expires) << "an opening after expiry";
    EXPECT_TRUE(!portion.policy.not_before || time_ >= *portion.policy.not_before) << "an opening before its time";
    EXPECT_EQ(std::count(portion.policy.purposes.begin(), portion.policy.purposes.end(), purpose), 1);
    Count(portion, agency);
    if (record.of && records_.at(*record.of).by.agency() != record.by.agency()) {
      ++passed_on;
      Count(records_.at(*record.of).portions.at(verdict.portion), agency);
    }
  }
  static void Count(Portion& portion, const AgencyId& agency) {
    const auto& policy = portion.policy;
    const auto by_agency = ++portion.opened[agency];
    EXPECT_TRUE(policy.openings_per_agency == 0 || by_agency <= policy.openings_per_agency)
        << "over the agency's limit";
    EXPECT_TRUE(policy.openings_in_all == 0 || ++portion.in_all <= policy.openings_in_all) << "over the limit in all";
    if (policy.openings_in_all == 0) ++portion.in_all;
  }

  void Note(const ledger::Open& open, const ledger::Entry& entry) {
    EXPECT_TRUE(Active(open.by.author));
    EXPECT_TRUE(opens_.insert(digest_).second) << "a request for the second time";
    // An id may come again in another request, once the first is too old to be repeated.
    auto& until = until_[{open.by.author, open.by.nonce}];
    EXPECT_LE(until, latest_) << "the id of another request";
    until = open.expires;
    bool any = false;
    for (const auto& verdict : entry.decision.verdicts) {
      if (!verdict.allowed()) continue;
      any = true;
      Open(open.by.author, verdict, open.purpose);
      if (::testing::Test::HasFatalFailure()) return;
      const auto& policy = records_.at(verdict.record).portions.at(verdict.portion).policy;
      if (policy.approvals.empty()) continue;
      if (!open.emergency.empty())
        EXPECT_TRUE(policy.emergency) << "an emergency against the policy";
      else
        Approved(open, policy, verdict.record);
    }
    if (!open.approved_request && open.emergency.empty()) Wait(open, entry);
    if (!any) return;
    if (open.approved_request) requests_.at(*open.approved_request).granted = true;
    if (open.emergency.empty()) return;
    ++emergencies;
    for (const auto& other : locked_) EXPECT_NE(Person(other), Person(open.by.author)) << "break-glass twice";
    EXPECT_TRUE(locked_.insert(open.by.author).second);
    broke_glass_.emplace(digest_, open.by.author);
  }
  void Wait(const ledger::Open& open, const ledger::Entry& entry) {
    constexpr std::uint32_t kNever = 1000;
    std::uint32_t hours = kNever;
    for (const auto& verdict : entry.decision.verdicts)
      if (verdict.reasons == std::vector{Reason::kApprovalMissing})
        hours = std::min(hours, records_.at(verdict.record).portions.at(verdict.portion).policy.approval_hours);
    if (hours != kNever) requests_.emplace(digest_, Request{open, time_ + std::chrono::hours(hours), {}, false});
  }
  void Approved(const ledger::Open& open, const policy::Policy& policy, const Digest& of) {
    ++granted_under_approvals;
    ASSERT_TRUE(open.approved_request && requests_.count(*open.approved_request)) << "without a request";
    const Request& request = requests_.at(*open.approved_request);
    EXPECT_EQ(request.open.by.author, open.by.author) << "the request of another";
    EXPECT_FALSE(request.granted) << "approvals used twice";
    EXPECT_LT(time_, request.until) << "approvals that are over";
    EXPECT_TRUE(std::any_of(request.open.items.begin(), request.open.items.end(), [&](const auto& item) {
      return item.record == of;
    })) << "approvals for something else";
    std::set<std::string> persons = {Person(open.by.author)};
    for (const auto& group : policy.approvals) {
      std::uint32_t met = 0;
      for (const auto& [member, verdict] : request.said) {
        if (!std::count(group.approvers.begin(), group.approvers.end(), member) || !Active(member)) continue;
        EXPECT_NE(verdict, ledger::ApprovalVerdict::kReject) << "granted against a rejection";
        met += persons.insert(Person(member)).second ? 1 : 0;
      }
      EXPECT_GE(met, group.needed) << "granted with too few approvals";
    }
  }
  void Note(const ledger::StandingOpening& opening, const ledger::Entry& entry) {
    const auto& order = orders_.at(opening.order);
    EXPECT_FALSE(ended_orders_.count(opening.order)) << "an opening under an order that was ended";
    EXPECT_EQ(opening.member, order.by.author) << "an opening for somebody who did not order it";
    EXPECT_LT(time_, order.expires);
    EXPECT_TRUE(under_.emplace(opening.order, opening.record).second) << "a record twice under one order";
    for (const auto& verdict : entry.decision.verdicts) {
      if (!verdict.allowed()) continue;
      ++under_orders;
      Open(order.by.author, verdict, order.purpose);
      if (::testing::Test::HasFatalFailure()) return;
      EXPECT_TRUE(records_.at(verdict.record).portions.at(verdict.portion).policy.approvals.empty());
    }
  }

  Time time_, latest_;
  Digest digest_;
  std::set<AgencyId> agencies_;
  std::map<MemberId, ledger::MemberRecord> members_;
  std::map<Digest, Record> records_;
  std::set<Hash> bodies_;
  std::set<Digest> erased_;
  std::map<Digest, Request> requests_;
  std::map<Digest, MemberId> broke_glass_;
  std::set<MemberId> locked_;
  std::map<Digest, ledger::StandingOrder> orders_;
  std::set<Digest> ended_orders_;
  std::set<std::pair<Digest, Digest>> under_;
  std::set<Digest> opens_;
  std::map<std::pair<MemberId, Nonce>, Time> until_;
};

}  // namespace valija::test
