// What the files of commands share. For commands*.cc alone.
#pragma once

#include <iosfwd>
#include <memory>
#include <optional>
#include <string>

#include "client/commands.h"
#include "client/print.h"
#include "core/text/catalogue.h"

namespace valija::cli {

// The command's words do not fit; the detail is English where a program reads it.
int Misused(const Common& common, text::Id what);
// any_age: for what only looks, stops or takes back (SessionOptions::any_age).
std::unique_ptr<Session> Start(const Common& common, int& status, bool any_age = false);
// On standard error, if the witnesses have not vouched for what was just relied on as lately as the charter asks.
void WarnIfBehind(const Session& session);
// "yes", in the reader's language, on the terminal. Without a terminal the answer is no: programs say --yes. If it is no
// that has been said, with --json as an error "not-confirmed".
bool Confirmed(const Common& common, const std::string& question);
// The news of what was done as JSON, or what is said of it with its entry.
int Answer(const Common& common, const Outcome<NewsItem>& done, const std::string& said);
std::string Joined(const std::vector<std::string>& list);  // "a, b"

// ---- commands_show.cc ----

void PrintRecord(std::ostream& out, const InboxItem& item);
// Received or sent; none: it is neither.
Outcome<std::optional<InboxItem>> FindItem(Session& session, const std::string& id);
// Shows on standard error what an act is about: id, sender, date, each portion's marking and type. Its whole id.
Outcome<std::string> ShowRecord(Session& session, const std::string& id);
// Shows the record, whose whole id it then is, and asks. False: that was answered, and `status` is the exit status.
bool AskAbout(const Common& common, Session& session, std::string& id, text::Checked<false, std::string> question,
              int& status);
// Shows what waits under this id on standard error (commands_control.cc). False: nothing does.
bool ShowWaiting(Session& session, const std::string& request);
// Who could open what is about to be sent, and who not.
Outcome<std::vector<Ahead>> LookAhead(Session& session, const Draft& draft);
// granted: the numbers of a grant's portions, which are under one policy.
void PrintPreview(std::ostream& out, const std::vector<Ahead>& portions,
                  const std::vector<std::uint32_t>& granted = {});

}  // namespace valija::cli
