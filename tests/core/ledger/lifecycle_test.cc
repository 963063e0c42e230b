// docs/lifecycle.md against Decide: every (statement, state, role) of its tables.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/core/ledger/lifecycle_world.h"

namespace valija::ledger {
namespace {

using test::Agency;
using test::LifeWorld;
using test::Member;
using test::Person;
using test::Subject;
using Made = Result<VerifiedStatement>;

// ---- the document ----

std::string Trim(const std::string& text) {
  const auto from = text.find_first_not_of(' '), to = text.find_last_not_of(' ');
  return from == std::string::npos ? std::string() : text.substr(from, to - from + 1);
}
std::vector<std::string> Split(const std::string& text, char at) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) out.push_back(Trim(part));
  return out;
}

using Row = std::vector<std::string>;
// Table by name: the rows between its mark and the next empty line but one, without the two lines of its head.
std::map<std::string, std::vector<Row>> ReadTables() {
  std::ifstream file(std::string(VALIJA_SOURCE_DIR) + "/docs/lifecycle.md");
  EXPECT_TRUE(file) << "docs/lifecycle.md";
  std::map<std::string, std::vector<Row>> out;
  constexpr std::string_view kMark = "<!-- lifecycle: ";
  std::string line, table;
  int head = 0;
  while (std::getline(file, line)) {
    if (line.starts_with(kMark)) {
      table = line.substr(kMark.size(), line.find(" -->") - kMark.size());
      EXPECT_TRUE(out.try_emplace(table).second) << table << " stands there twice";
      head = 2;
    } else if (line.starts_with("|") && !table.empty()) {
      if (head-- > 0) continue;
      auto cells = Split(line.substr(1), '|');
      out[table].push_back(cells);
    } else if (!line.empty()) {
      table.clear();
    }
  }
  return out;
}

bool Names(const std::string& cell, const std::string& one) {
  for (const auto& part : Split(cell, ','))
    if (part == one || part == "any") return true;
  return false;
}

// What the table says of one cell; every cell has one answer.
std::string Expected(const std::vector<Row>& rows, const std::string& statement, const std::string& state,
                     const std::string& role) {
  std::vector<const Row*> named, others;
  for (const Row& row : rows) {
    if (!Names(row[0], statement) || !Names(row[1], state)) continue;
    if (row[2] == "others")
      others.push_back(&row);
    else if (Names(row[2], role))
      named.push_back(&row);
  }
  if (named.size() == 1) return (*named[0])[3];
  if (named.size() > 1) return "two rows of the table";
  if (others.size() == 1) return (*others[0])[3];
  return others.empty() ? "no row of the table" : "two rows of the table for others";
}

// ---- the subjects ----

template <class P>
Made Plain(LifeWorld& world, P payload, const Person& by) {
  return world.Signed(std::move(payload), by);
}
Made Outcome(LifeWorld& world, const Person& by, const char* outcome) {
  return Plain(world, Acknowledgement{world.By(by), world.record, outcome}, by);
}
Made Revoke(LifeWorld& world, const Person& by, const Digest& of, bool recall = false) {
  return Plain(world, Revocation{world.By(by), of, "why", recall}, by);
}
Made Emergency(LifeWorld& world, const Person& by, const Digest& of) {
  auto open = world.Open(by, {world.ItemFor(by, of)});
  open.emergency = "lives are at stake";
  return Plain(world, open, by);
}
Made RecordOf(LifeWorld& world, const Person& by, const std::function<void(test::Draft&)>& change,
              policy::Tlp marking = policy::Tlp::kAmber) {
  auto policy = world.PolicyFor({"us.dea"});
  policy.marking = marking;
  auto draft = world.NewRecord(by, {policy});
  change(draft);
  return world.Signed(draft.statement, by);
}
Made Say(LifeWorld& world, const Person& by, ApprovalVerdict verdict) {
  // The request is the last open of the log.
  for (auto entry = world.entries.rbegin(); entry != world.entries.rend(); ++entry)
    if (entry->statement->kind == Kind::kOpen && !std::get<Open>(entry->statement->payload).approved_request)
      return Plain(world, Approval{world.By(by), entry->head.statement, verdict, "why"}, by);
  throw std::logic_error("no request");
}
void Do(LifeWorld& world, Made made) { world.Accept(made.value()); }

Subject TheRecord() {
  auto open = [](LifeWorld& w) { w.Ask(w.opener(), {w.ItemFor(w.opener(), w.record)}); };
  auto after = [open](auto then) {
    return [open, then](LifeWorld& w) {
      open(w);
      then(w);
    };
  };
  auto revoke = [](LifeWorld& w) { Do(w, Revoke(w, w.originator(), w.record)); };
  return {
      "record",
      {{"live", open},
       {"not-yet", after([](LifeWorld& w) {
          auto policy = w.Base();
          policy.not_before = w.now + std::chrono::hours(1);
          w.Rule(policy);
        })},
       {"expired", after([](LifeWorld& w) {
          auto policy = w.Base();
          policy.expires = w.now + std::chrono::hours(1);
          w.Rule(policy);
          w.Pass(std::chrono::hours(1));
        })},
       {"limit-used", after([](LifeWorld& w) {
          auto policy = w.Base();
          policy.openings_in_all = 1;
          w.Rule(policy);
        })},
       {"approvals-wanted", after([](LifeWorld& w) {
          auto policy = w.Dual();
          policy.releasable_to = w.Base().releasable_to;
          w.Rule(policy);
        })},
       {"revoked", after(revoke)},
       {"recalled", after([](LifeWorld& w) { Do(w, Revoke(w, w.originator(), w.record, true)); })},
       {"purged", after([revoke](LifeWorld& w) {
          revoke(w);
          w.Accept(w.Purge(w.originator(), {w.record}), w.originator());
        })}},
      {{"open", [](auto& w, auto& by) { return Plain(w, w.Open(by, {w.ItemFor(by, w.record)}), by); }},
       {"emergency", [](auto& w, auto& by) { return Emergency(w, by, w.record); }},
       {"received", [](auto& w, auto& by) { return Outcome(w, by, "received"); }},
       {"useful", [](auto& w, auto& by) { return Outcome(w, by, "useful"); }},
       {"erased", [](auto& w, auto& by) { return Outcome(w, by, "erased"); }},
       {"revocation", [](auto& w, auto& by) { return Revoke(w, by, w.record); }},
       {"recall", [](auto& w, auto& by) { return Revoke(w, by, w.record, true); }},
       {"grant",
        [](auto& w, auto& by) -> Made {
          return w.Signed(w.NewGrant(by, w.record, {{0, w.PolicyFor({"gt.mp"})}}).statement, by);
        }},
       {"amendment", [](auto& w, auto& by) -> Made { return w.Signed(w.Amend(by, w.record, w.Base()), by); }},
       {"access-request", [](auto& w, auto& by) { return Plain(w, w.Access(by, w.record), by); }},
       {"reply",
        [](auto& w, auto& by) { return RecordOf(w, by, [&](test::Draft& d) { d.header().in_reply_to = w.record; }); }},
       {"derived",
        [](auto& w, auto& by) { return RecordOf(w, by, [&](test::Draft& d) { d.header().sources = {w.record}; }); }},
       {"laxer-derived",
        [](auto& w, auto& by) {
          return RecordOf(
              w, by, [&](test::Draft& d) { d.header().sources = {w.record}; }, policy::Tlp::kGreen);
        }},
       {"purge", [](auto& w, auto& by) { return Plain(w, w.Purge(by, {w.record}), by); }},
       {"repost", [](auto& w, auto& by) {
          return RecordOf(w, by, [&](test::Draft& d) {
            d.record().payload.portions[0].body_root = w.sent->record().payload.portions[0].body_root;
          });
        }}}};
}

Subject TheRequest() {
  auto ask = [](LifeWorld& w) {
    const Digest dual = w.Accept(w.NewRecord(w.originator(), {w.Dual()}).statement, w.originator());
    w.Ask(w.opener(), {w.ItemFor(w.opener(), dual)});
  };
  auto says = [](LifeWorld& w, std::string_view role, ApprovalVerdict verdict) { Do(w, Say(w, w.Of(role), verdict)); };
  auto half = [ask, says](LifeWorld& w) {
    ask(w);
    says(w, "approver", ApprovalVerdict::kApprove);
  };
  auto approved = [half, says](LifeWorld& w) {
    half(w);
    says(w, "their-approver", ApprovalVerdict::kApprove);
  };
  auto second = [](LifeWorld& w, const Person& by) -> Made {
    const auto& approval = std::find_if(w.entries.rbegin(), w.entries.rend(), [](const Entry& entry) {
      return entry.statement->kind == Kind::kOpen && !std::get<Open>(entry.statement->payload).approved_request;
    });
    auto open = w.Open(by, std::get<Open>(approval->statement->payload).items);
    open.approved_request = approval->head.statement;
    return w.Signed(open, by);
  };
  return {"request",
          {{"waiting", ask},
           {"half", half},
           {"approved", approved},
           {"rejected",
            [ask, says](LifeWorld& w) {
              ask(w);
              says(w, "their-approver", ApprovalVerdict::kReject);
            }},
           {"used",
            [approved, second](LifeWorld& w) {
              approved(w);
              Do(w, second(w, w.opener()));
            }},
           {"over",
            [half](LifeWorld& w) {
              half(w);
              w.now += std::chrono::hours(24);  // and nothing happened since
            }}},
          {{"approve", [](auto& w, auto& by) { return Say(w, by, ApprovalVerdict::kApprove); }},
           {"reject", [](auto& w, auto& by) { return Say(w, by, ApprovalVerdict::kReject); }},
           {"withdraw", [](auto& w, auto& by) { return Say(w, by, ApprovalVerdict::kWithdraw); }},
           {"second-open", second}}};
}

Subject TheEmergency() {
  auto record = std::make_shared<Digest>();
  auto request = std::make_shared<Digest>();
  auto breaks = [record, request](LifeWorld& w) {
    *record = w.Accept(w.NewRecord(w.originator(), {w.Dual()}).statement, w.originator());
    Do(w, Emergency(w, w.opener(), *record));
    *request = w.last();
  };
  auto review = [request](LifeWorld& w, const Person& by) {
    return Plain(w, Review{w.By(by), *request, Finding::kJustified, "why"}, by);
  };
  return {"emergency",
          {{"open", breaks},
           {"reviewed",
            [breaks, review](LifeWorld& w) {
              breaks(w);
              Do(w, review(w, w.Of("auditor")));
            }}},
          {{"review", review}, {"emergency", [record](auto& w, auto& by) { return Emergency(w, by, *record); }}}};
}

Subject TheAccessRequest() {
  auto request = std::make_shared<Digest>();
  auto about = std::make_shared<Digest>();
  auto ask = [request, about](LifeWorld& w, const Digest& of) {
    *about = of;
    *request = w.Accept(w.Access(w.Of("outsider"), of), w.Of("outsider"));
  };
  auto decline = [request](LifeWorld& w, const Person& by) {
    return Plain(w, Answer{w.By(by), *request, std::nullopt, ""}, by);
  };
  auto grant = [request, about](LifeWorld& w, const Person& by) -> Made {
    auto draft = w.NewGrant(by, *about, {{0, w.PolicyFor({"gt.mp"})}});
    draft.grant().request = *request;
    return w.Signed(draft.statement, by);
  };
  return {"access-request",
          {{"waiting", [ask](LifeWorld& w) { ask(w, w.record); }},
           {"declined",
            [=](LifeWorld& w) {
              ask(w, w.record);
              Do(w, decline(w, w.originator()));
            }},
           {"granted",
            [=](LifeWorld& w) {
              ask(w, w.record);
              Do(w, grant(w, w.originator()));
            }},
           {"absent", [ask](LifeWorld& w) { ask(w, Digest{{7}}); }}},
          {{"answer", decline}, {"answer-grant", grant}}};
}

Subject TheOrder() {
  auto order = std::make_shared<Digest>();
  auto later = std::make_shared<Digest>();
  auto make = [order, later](LifeWorld& w) {
    *order = w.Accept(w.Order(w.opener()), w.opener());
    *later = w.Accept(w.NewRecord(w.originator(), {w.Base()}).statement, w.originator());
  };
  auto opening = [order, later](LifeWorld& w, const Person&) -> Made {
    return w.Signed(StandingOpening{*order, w.opener().id(), *later, {0}});
  };
  auto end = [order](LifeWorld& w, const Person& by) { return Revoke(w, by, *order); };
  return {"standing-order",
          {{"standing", make},
           {"used",
            [=](LifeWorld& w) {
              make(w);
              Do(w, opening(w, w.opener()));
            }},
           {"expired",
            [=](LifeWorld& w) {
              make(w);
              w.Pass(std::chrono::hours(24));
            }},
           {"ended",
            [=](LifeWorld& w) {
              make(w);
              Do(w, end(w, w.opener()));
            }},
           {"author-suspended",
            [=](LifeWorld& w) {
              make(w);
              auto& admin = w.Of("their-administrator");
              w.Accept(w.Suspension("mx.fgr/ana", admin), admin);
            }}},
          {{"standing-order", [](auto& w, auto& by) { return Plain(w, w.Order(by), by); }},
           {"end", end},
           {"standing-opening", opening}},
          {"standing-opening"}};
}

Subject TheMember() {
  const std::string id = "mx.fgr/new";
  auto enrol = [id](LifeWorld& w) { w.Enrol(id, "new"); };
  auto set = [id](LifeWorld& w, MemberStatus status) {
    auto& admin = w.Of("their-administrator");
    w.Accept(w.Removal(id, admin, status), admin);
  };
  auto with = [id](MemberStatus status) {
    return [id, status](LifeWorld& w, const Person& by) {
      if (!w.people.count(id)) w.NewPerson(id);
      return Plain(w, w.Removal(id, by, status), by);
    };
  };
  return {"member",
          {{"unknown", [](LifeWorld&) {}},
           {"active", enrol},
           {"suspended",
            [=](LifeWorld& w) {
              enrol(w);
              set(w, MemberStatus::kSuspended);
            }},
           {"removed",
            [=](LifeWorld& w) {
              enrol(w);
              set(w, MemberStatus::kRemoved);
            }}},
          {{"enrol", with(MemberStatus::kActive)},
           {"suspend", with(MemberStatus::kSuspended)},
           {"remove", with(MemberStatus::kRemoved)}}};
}

Subject TheEpoch() {
  auto next = [](LifeWorld& w) {
    w.Accept(w.Epoch("mx.fgr", w.Of("their-administrator")), w.Of("their-administrator"));
  };
  return {"epoch",
          {{"present", [](LifeWorld&) {}},
           {"grace", next},
           {"replaced",
            [next](LifeWorld& w) {
              next(w);
              w.now += std::chrono::hours(1);
            }},
           {"over", [](LifeWorld& w) { w.now += std::chrono::days(365); }}},
          {{"record",
            [](auto& w, auto& by) -> Made {
              return w.Signed(w.NewRecord(by, {w.PolicyFor({"mx.fgr"})}, test::Sealing{{}, 0, 1}).statement, by);
            }},
           {"epoch", [](auto& w, auto& by) { return Plain(w, w.Epoch("mx.fgr", by), by); }},
           {"skipping", [](auto& w, auto& by) {
              auto epoch = w.Epoch("mx.fgr", by);
              ++epoch.epoch;
              return Plain(w, epoch, by);
            }}}};
}

Subject TheCharter() {
  auto amendment = std::make_shared<std::optional<CharterAmendment>>();
  auto made = [amendment](LifeWorld& w) { *amendment = w.Amended(*w.state.charter()); };
  return {"charter",
          {{"in-force", made},
           {"amended",
            [=](LifeWorld& w) {
              made(w);
              auto other = *w.state.charter();
              other.title = "Second";
              w.Accept(w.SignedBy(w.Amended(other), {"us.dea/admin"}).value());
            }}},
          {{"charter-amendment",
            [amendment](LifeWorld& w, const Person& by) { return w.SignedBy(**amendment, {by.id().str()}); }},
           {"charter", [](LifeWorld& w, const Person&) { return VerifyCharter(w.SignedCharter(w.charter)); }}}};
}

Subject TheLookup() {
  auto look = [](LifeWorld& w, const Person& by, Duration lasts = std::chrono::hours(1)) {
    return Lookup{w.By(by), 0, 0, w.now + lasts, "the yearly review"};
  };
  auto make = [look](LifeWorld& w, std::size_t count) {
    for (const char* role : {"auditor", "joint-auditor"})
      for (std::size_t i = 0; i < count; ++i) Do(w, Plain(w, look(w, w.Of(role)), w.Of(role)));
  };
  return {"lookup",
          {{"none", [](LifeWorld&) {}},
           {"standing", [make](LifeWorld& w) { make(w, 1); }},
           {"full", [make](LifeWorld& w) { make(w, kMostLookups); }},
           {"expired",
            [make](LifeWorld& w) {
              make(w, kMostLookups);
              w.Pass(std::chrono::hours(1));
            }}},
          {{"lookup", [look](LifeWorld& w, const Person& by) { return Plain(w, look(w, by), by); }},
           {"for-ever",
            [look](LifeWorld& w, const Person& by) { return Plain(w, look(w, by, std::chrono::days(31)), by); }},
           {"beyond", [look](LifeWorld& w, const Person& by) {
              auto beyond = look(w, by);
              beyond.from_index = w.state.size() + 1;
              return Plain(w, beyond, by);
            }}}};
}

std::vector<Subject> AllSubjects() {
  return {TheRecord(), TheRequest(), TheEmergency(), TheAccessRequest(), TheOrder(),
          TheMember(), TheEpoch(),   TheCharter(),   TheLookup()};
}

// ---- the walk ----

std::string AnswerTo(LifeWorld& world, const Made& made) {
  if (!made) return std::string(CodeOf(made.error().reason));
  auto decision = world.Decide(*made);
  if (!decision) return std::string(CodeOf(decision.error().reason));
  std::string out;
  for (const Reason reason : decision->verdicts.at(0).reasons)
    out += (out.empty() ? "" : "+") + std::string(CodeOf(reason));
  return out.empty() ? "accepted" : out;
}

TEST(Lifecycle, TablesNameWhatThereIs) {
  const auto tables = ReadTables();
  std::set<std::string> roles = {"broker"}, documented;
  for (const auto& [role, member] : test::kRoles) roles.insert(role);
  for (const Row& row : tables.at("roles")) documented.insert(row.at(0));
  EXPECT_EQ(documented, roles);
  std::size_t subjects = 0;
  for (const Subject& subject : AllSubjects()) {
    ++subjects;
    ASSERT_TRUE(tables.count(subject.name)) << subject.name;
    std::set<std::string> statements = {"any"}, states = {"any"};
    for (const auto& [name, make] : subject.statements) statements.insert(name);
    for (const auto& [name, make] : subject.states) states.insert(name);
    for (const Row& row : tables.at(subject.name)) {
      ASSERT_EQ(row.size(), 4U) << subject.name << ": " << row.at(0);
      for (const auto& one : Split(row[0], ',')) EXPECT_TRUE(statements.count(one)) << subject.name << ": " << one;
      for (const auto& one : Split(row[1], ',')) EXPECT_TRUE(states.count(one)) << subject.name << ": " << one;
      for (const auto& one : Split(row[2], ','))
        EXPECT_TRUE(roles.count(one) || one == "others") << subject.name << ": " << one;
      for (const auto& one : Split(row[3], '+'))
        EXPECT_TRUE(ReasonFromCode(one) || one == "accepted") << subject.name << ": " << one;
    }
  }
  EXPECT_EQ(tables.size(), subjects + 1);
}

TEST(Lifecycle, IsWhatTheDocumentSaysForEveryRoleStatementAndState) {
  const auto tables = ReadTables();
  std::size_t cells = 0;
  std::set<Kind> kinds;
  for (const Subject& subject : AllSubjects()) {
    for (const auto& [state, enter] : subject.states) {
      LifeWorld world;
      enter(world);
      const auto size = world.state.size();
      for (const auto& [statement, make] : subject.statements) {
        const bool by_broker = std::count(subject.by_broker.begin(), subject.by_broker.end(), statement) != 0;
        std::vector<std::pair<std::string, std::string>> roles = test::kRoles;
        if (by_broker) roles = {{"broker", "us.dea/ana"}};
        for (const auto& [role, member] : roles) {
          const auto made = make(world, world.people.at(member));
          if (made) kinds.insert((*made)->kind);
          EXPECT_EQ(AnswerTo(world, made), Expected(tables.at(subject.name), statement, state, role))
              << subject.name << ": " << statement << " by " << role << " when " << state;
          ++cells;
        }
      }
      EXPECT_EQ(world.state.size(), size);
    }
  }
  EXPECT_GT(cells, 2000U);
  EXPECT_EQ(kinds.size(), 18U);  // every kind of statement
}

// A row that no cell needs says nothing, and may be wrong.
TEST(Lifecycle, HasNoRowThatIsNeverReached) {
  const auto tables = ReadTables();
  for (const Subject& subject : AllSubjects()) {
    for (const Row& row : tables.at(subject.name)) {
      bool reached = false;
      for (const auto& [state, enter] : subject.states)
        for (const auto& [statement, make] : subject.statements)
          for (const auto& [role, member] : test::kRoles) {
            if (!Names(row[0], statement) || !Names(row[1], state)) continue;
            const bool named = row[2] != "others" && (Names(row[2], role) || Names(row[2], "broker"));
            reached = reached || named ||
                      (row[2] == "others" && Expected(tables.at(subject.name), statement, state, role) == row[3]);
          }
      EXPECT_TRUE(reached) << subject.name << ": " << row[0] << " | " << row[1] << " | " << row[2];
    }
  }
}

}  // namespace
}  // namespace valija::ledger
