// An agency's own program: it sends one file, shows who can read it, and opens everything new that was sent to it.
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
      else
        std::cout << "not opened: " << opened.failure().code << "\n";
    }
  }
  return 0;
}
