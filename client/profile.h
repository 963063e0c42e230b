// A profile: one member's folder on disk, 0700. Whoever opens it holds its lock.
//
//   profile.json              member, broker address, charter digest        (0600)
//   charter.envelope          the charter that was checked out of band
//   keys/{authentication,signature,key-management}.pem   encrypted PKCS#8   (0600)
//   certificate.pem           the agency's certificate for the authentication key
//   request.csr, member.card  what the agency's CA and its administrator need
//   keys-2/, keys-3/, ..      the same six files of renewed keys; profile.json says which are used
//   in-force                  of the charter as it was amended: the carrier's CA, the agency's CA
//   sent.log, orders.log      content keys of what was sent and keys of standing orders, sealed to the member itself
//   pin                       the log key (vkey) and the last checkpoint that it verified (signed note)
//   witnessed                 what a quorum of witnesses vouched for, and since when more than that was relied on
//   directory.log, mail.log   verified entries, u32 length || LoggedEntry each: a cache, rebuilt if lost
//   cursor                    of the mailbox
//   lookups                   what this auditor has said in the log that it reads, while that is in force
//   followed                  the entry from which on openings under standing orders were not yet reported
//   FORK                      if there: evidence of a fork, and nothing is done until a person removed it
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/kept_file.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/crypto/keys.h"
#include "core/io/file.h"
#include "core/ledger/statement.h"
#include "core/log/note.h"
#include "proto/convert.h"

namespace valija::client {

struct Keyring {
  crypto::SignKey authentication;  // TLS
  crypto::SignKey signature;
  crypto::KemPrivateKey key_management;
  std::vector<crypto::KemPrivateKey> former{};  // of key management, before renewals: for what the profile keeps
  ledger::MemberKeys Public() const;
};

// A look-up that this member has posted: what is read, and until when.
struct KeptLookup {
  Digest statement{};
  std::uint64_t from = 0, end = 0;  // end 0: and whatever comes
  Time expires{};
  std::string why;
};

// What this profile knows of the witnesses. Times of `beyond` are by this machine's clock.
struct Vouched {
  Hash witnesses{};                                      // SHA-256 of the policy that names them
  std::uint64_t size = 0;                                // the largest that a quorum cosigned; 0: none
  Time since{};                                          // the latest time by which a quorum had cosigned
  std::vector<std::pair<std::uint64_t, Time>> beyond{};  // sizes that were relied on before, ascending, and since when
  bool operator==(const Vouched&) const = default;
};

// What a member gives its administrator: its id and public keys, signed with its signature key (proof of possession);
// JSON, canonical in ToText.
struct MemberCard {
  MemberId member;
  ledger::MemberKeys keys;
  static Result<MemberCard> Parse(std::string_view text);  // verifies the signature; kBadSignature, kMalformed
  static std::string Make(const MemberId& member, const Keyring& keys);
};

class Profile {
 public:
  // Makes the folder, the keys, the certificate request and the card. kExists if there is one.
  static Status Create(const std::filesystem::path& folder, const MemberId& member, const crypto::Secret& passphrase,
                       crypto::Random& random);
  // Locks it. kFork if a fork was found before.
  static Result<Profile> Open(const std::filesystem::path& folder);
  Profile(Profile&&) noexcept = default;
  ~Profile();

  const std::filesystem::path& folder() const { return folder_; }
  const MemberId& member() const { return member_; }
  bool joined() const { return charter_.has_value(); }
  const std::string& broker() const { return broker_; }
  const ledger::VerifiedStatement& charter() const { return *charter_; }  // joined only
  const ledger::Charter& charter_terms() const { return std::get<ledger::Charter>((*charter_)->payload); }
  Result<Keyring> Unlock(const crypto::Secret& passphrase) const;
  Result<std::string> CertificatePem() const;

  // The charter must verify and have this digest (checked out of band); the certificate must be by the agency's CA of
  // the charter, for this profile's authentication key and member. Sets the pin to nothing.
  Status Join(const Bytes& charter_envelope, const Digest& digest, const std::string& broker,
              std::string_view certificate_pem, Time now);

  // New keys, their certificate request and card, in a folder of their own; those in use stay so. The passphrase must open
  // the present keys. kExists: a renewal has begun before and is not finished; one that a crash broke off is begun anew.
  Status BeginRenewal(const crypto::Secret& passphrase, crypto::Random& random);
  // Where its request and card are, and keys and card of those in use.
  std::filesystem::path renewal_folder() const { return folder_ / KeysName(generation_ + 1); }
  // From the next Unlock on the new keys are used. The certificate must be by the agency's CA for the new authentication
  // key. The old keys stay, for what is sealed to them.
  Status FinishRenewal(std::string_view certificate_pem, Time now);

  // What the charter says of keys as it was amended last; the verifier tells it.
  Status SetInForce(const ledger::Charter& charter);
  const Bytes& carrier_ca() const { return carrier_ca_ ? *carrier_ca_ : charter_terms().carrier_ca_certificate; }

  const std::optional<log::SignedCheckpoint>& pin() const { return pin_; }
  // Known at once; in the file within a second of use and when the profile closes. A pin that was lost with the last
  // second is an older one: a fork is found all the same.
  Status SetPin(const log::SignedCheckpoint& checkpoint, const std::string& log_key);
  Status SavePin();
  // Known at once, and in the file with the pin. A damaged or missing file is as nothing known yet.
  const Vouched& vouched() const { return vouched_; }
  Status SetVouched(Vouched vouched);
  // Keeps both signed checkpoints and what was asked, and makes every later Open refuse; this profile has stopped too. What
  // is to be said of it: `fork`, which if the evidence could not be written tells that as well, with both notes.
  Error RecordFork(const std::string& seen_before, const std::string& shown_now, const std::string& what, Error fork);
  bool forked() const { return forked_; }

  // The caches. A damaged or missing one is empty, not an error: everything in it is fetched and verified again.
  std::vector<proto::LoggedEntry> Load(const std::string& name) const;
  Status AppendTo(const std::string& name, const std::vector<proto::LoggedEntry>& entries);
  Status Forget(const std::string& name);
  // Everything in it at once, in place of what is there.
  Status Replace(const std::string& name, const std::vector<proto::LoggedEntry>& entries);
  // Of the mailbox. It is 0 when mail.log is shorter than it was when the cursor was set: what was lost is fetched again.
  // Known at once; in the file within a second of use and when the profile closes. Behind mail.log it costs nothing.
  std::uint64_t cursor() const;
  Status SetCursor(std::uint64_t cursor);

  // The entry behind the last opening under an order that was reported; in the file within a second, and when the profile
  // closes: one may be reported twice.
  std::uint64_t followed() const { return followed_; }
  void SetFollowed(std::uint64_t next);

  // Look-ups of mine that have not expired by then.
  std::vector<KeptLookup> Lookups(Time now) const;
  Status KeepLookup(const KeptLookup& lookup, Time now);

  // sent.log and orders.log (client/kept_file.h): durable when Keep returns. kCorrupt: damaged, and nothing was changed.
  Status Keep(const std::string& name, const std::vector<KeptSecret>& secrets);
  Result<KeptSecret> FindKept(const std::string& name, const Digest& statement) const;

 private:
  Profile(std::filesystem::path folder, MemberId member, io::FileLock lock)
      : folder_(std::move(folder)), member_(std::move(member)), lock_(std::move(lock)) {}
  static std::string KeysName(int generation) {
    return generation == 1 ? "keys" : "keys-" + std::to_string(generation);
  }
  // Of a file beside the keys of this generation; the first one's are in the profile's own folder.
  std::filesystem::path BesideKeys(int generation, const char* name) const;
  Status CheckCertificate(std::string_view pem, const std::optional<Bytes>& ca, int generation, Time now) const;
  void LoadInForce();
  Status Save() const;
  std::filesystem::path folder_;
  MemberId member_;
  int generation_ = 1;  // of the keys in use
  std::optional<Bytes> carrier_ca_, agency_ca_;
  std::string broker_;
  std::optional<ledger::VerifiedStatement> charter_;
  std::optional<log::SignedCheckpoint> pin_;
  std::string pin_key_;  // that verified it
  bool pin_unsaved_ = false;
  Vouched vouched_;
  bool vouched_unsaved_ = false;
  Status SaveVouched();
  void LoadVouched();
  bool forked_ = false;
  std::chrono::steady_clock::time_point pin_saved_{};
  struct Cursor {
    std::uint64_t at = 0, mail = 0;  // and how long mail.log was then
  };
  Cursor cursor_;
  bool cursor_unsaved_ = false;
  std::chrono::steady_clock::time_point cursor_saved_at_{};
  void LoadCursor();
  Status SaveCursor();
  void LoadFollowed();
  void SaveFollowed();
  std::map<std::string, std::optional<std::uint64_t>> kept_whole_;  // of files of kept secrets
  std::uint64_t followed_ = 0, followed_saved_ = 0;
  std::chrono::steady_clock::time_point followed_saved_at_{};
  io::FileLock lock_;
};

}  // namespace valija::client
