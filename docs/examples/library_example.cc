// An agency's own program: it sends one file, shows who can read it, opens everything new that was sent to it, approves what
// waits for it in the case that it is told of, and erases what was recalled.
//
//   library_example PROFILE PASSPHRASE_FILE POLICY FILE PURPOSE CASE
//
// With an installed Valija: find_package(valija) and link valija::valija.
#include <valija/valija.h>

#include <fstream>
#include <iostream>
#include <sstream>

int main(int argc, char** argv) {
  if (argc != 7) {
    std::cerr << "usage: library_example PROFILE PASSPHRASE_FILE POLICY FILE PURPOSE CASE\n";
    return 2;
  }
  auto fail = [](const valija::Failure& failure) {
    std::cerr << failure.message << " [" << failure.code << "]\n";
    return failure.exit_status;
  };
  auto session = valija::Session::Open({.profile = argv[1], .passphrase_file = argv[2]});
  if (!session) return fail(session.failure());
  auto& me = **session;

  std::stringstream policy;
  policy << std::ifstream(argv[3]).rdbuf();
  valija::Draft draft;
  draft.portions.push_back({.file = argv[4], .media_type = "text/plain", .policy_text = policy.str()});
  auto preview = me.Preview(draft);
  if (!preview) return fail(preview.failure());
  for (const auto& reader : preview->front().readers)
    std::cout << reader.agency << ": " << reader.members.size() << " members could open it\n";
  for (const auto& code : preview->front().waits_for) std::cout << "not at once: " << code << "\n";
  auto sent = me.Send(draft);
  if (!sent) return fail(sent.failure());
  std::cout << "sent " << sent->id << ", entry " << sent->entry << "\n";

  auto inbox = me.Inbox();
  if (!inbox) return fail(inbox.failure());
  for (const auto& item : *inbox) {
    if (item.opened_by_me || item.revoked) continue;
    for (const auto& portion : item.portions) {
      if (!portion.for_me) continue;
      auto opened = me.OpenRecord({item.id, portion.number, argv[5], argv[6], {}});
      if (opened)
        std::cout << "opened " << item.id.substr(0, 12) << " of " << item.from << ": " << opened->bytes << " bytes\n";
      else if (opened.failure().code == "approval-missing")  // the message names the request
        std::cout << "waits for approvals: " << opened.failure().message << "\n";
      else
        std::cout << "not opened: " << opened.failure().code << "\n";
    }
  }

  auto waiting = me.Waiting();
  if (!waiting) return fail(waiting.failure());
  for (const auto& item : *waiting) {
    if (item.kind == "approval" && item.case_reference == argv[6]) {
      auto said = me.Approve(item.id, "known case");
      if (!said) return fail(said.failure());
      std::cout << "approved the request of " << item.by << ", entry " << said->entry << "\n";
    } else if (item.kind == "approved") {  // one of ours has what it needs: the same opening, once more
      auto opened = me.OpenRecord({.record = item.record,
                                   .portion = item.portions.front().first,
                                   .purpose = item.purpose,
                                   .case_reference = item.case_reference,
                                   .output = {},
                                   .approved_request = item.id});
      std::cout << (opened ? "opened after approval\n" : opened.failure().code + "\n");
    } else if (item.kind == "erase") {  // recalled: erase what you have kept of it, and then say so
      auto said = me.Acknowledge(item.id, "erased");
      if (!said) return fail(said.failure());
      std::cout << "erased " << item.id.substr(0, 12) << "\n";
    }
  }
  // And to call back what one has sent: me.Recall(sent->id, "sent to the wrong agency"); every holder is asked to erase it.
  return 0;
}
