#include "client/profile.h"

#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/crypto/keyfile.h"
#include "core/crypto/x509.h"

namespace valija::client {
namespace {

namespace fs = std::filesystem;

constexpr auto kPinEvery = std::chrono::seconds(1);
constexpr const char* kKeyNames[] = {"authentication", "signature", "key-management"};

Status WriteKey(const fs::path& folder, const char* name, const crypto::Secret& scalar,
                const crypto::Secret& passphrase) {
  auto pem = crypto::EncryptEcKey(scalar, passphrase);
  auto done = io::WriteNewFile(folder / (std::string(name) + ".pem"), AsBytes(pem), 0600);
  crypto::WipeText(pem);
  return done;
}

Result<crypto::Secret> ReadKey(const fs::path& folder, const char* name, const crypto::Secret& passphrase) {
  TRY(auto pem, io::ReadPrivateFile(folder / (std::string(name) + ".pem")));
  return crypto::DecryptEcKey(AsText(pem.view()), passphrase);
}

// Three key pairs in `keys`, and beside them what CA and administrator need.
Status MakeKeys(const fs::path& keys_folder, const fs::path& beside, const MemberId& member,
                const crypto::Secret& passphrase, crypto::Random& random) {
  Keyring keys{crypto::SignKey::Generate(random), crypto::SignKey::Generate(random),
               crypto::KemPrivateKey::Generate(random)};
  TRY_OK(WriteKey(keys_folder, kKeyNames[0], keys.authentication.Scalar(), passphrase));
  TRY_OK(WriteKey(keys_folder, kKeyNames[1], keys.signature.Scalar(), passphrase));
  TRY_OK(WriteKey(keys_folder, kKeyNames[2], keys.key_management.Scalar(), passphrase));
  auto request = crypto::MakeCertificateRequest(keys.authentication, member.str());
  TRY_OK(io::WriteNewFile(beside / "request.csr", AsBytes(request), 0644));
  auto card = MemberCard::Make(member, keys);
  return io::WriteNewFile(beside / "member.card", AsBytes(card), 0644);
}

std::uint64_t SizeOf(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? 0 : size;
}

Result<ledger::VerifiedStatement> ParseCharter(ByteView envelope_bytes) {
  TRY(auto envelope, proto::DecodeEnvelope(envelope_bytes));
  TRY(auto statement, proto::MakeStatement(std::move(envelope)));
  if (statement.kind != ledger::Kind::kCharter) return Refuse(Reason::kUnknownType, "the file is not a charter");
  return ledger::VerifyCharter(std::move(statement));
}

}  // namespace

Status Profile::Create(const fs::path& folder, const MemberId& member, const crypto::Secret& passphrase,
                       crypto::Random& random) {
  std::error_code ignored;
  if (fs::exists(folder / "profile.json", ignored))
    return Refuse(Reason::kExists, "there is a profile in " + folder.string());
  TRY_OK(io::MakePrivateDirectory(folder));
  TRY_OK(io::MakePrivateDirectory(folder / "keys"));
  TRY_OK(MakeKeys(folder / "keys", folder, member, passphrase, random));
  // Last: a folder without it is no profile, and init can be tried again after removing it.
  nlohmann::ordered_json meta = {{"valija-profile", 1}, {"member", member.str()}, {"broker", ""}, {"charter", ""}};
  return io::WriteNewFile(folder / "profile.json", AsBytes(meta.dump(2) + "\n"), 0600);
}

Result<Profile> Profile::Open(const fs::path& folder) {
  auto text = io::ReadText(folder / "profile.json", 1 << 16);
  if (!text)
    return Refuse(Reason::kNotReady, "no profile in " + folder.string() + "; make one with: valija init --member ID");
  auto meta = nlohmann::json::parse(*text, nullptr, false);
  auto field = [&](const char* name) -> std::string {
    if (!meta.is_object()) return {};
    auto at = meta.find(name);
    return at != meta.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  auto member = MemberId::Parse(field("member"));
  if (!member) return Refuse(Reason::kCorrupt, (folder / "profile.json").string() + " is damaged");
  TRY(auto lock, io::FileLock::Take(folder / "lock"));
  if (fs::exists(folder / "FORK"))
    return Refuse(Reason::kFork,
                  "the evidence is in " + (folder / "FORK").string() +
                      "; do not use this broker before an auditor has looked at it (docs/operations.md)");
  Profile profile(folder, *member, std::move(lock));
  profile.broker_ = field("broker");
  if (auto at = meta.find("generation"); at != meta.end()) {
    if (!at->is_number_integer() || *at < 1 || *at > 1000)
      return Refuse(Reason::kCorrupt, (folder / "profile.json").string() + " is damaged");
    profile.generation_ = at->get<int>();
  }
  auto digest = Digest::FromHexText(field("charter"));
  if (!digest) return profile;  // not joined yet
  TRY(auto bytes, io::ReadFile(folder / "charter.envelope"));
  TRY(auto charter, ParseCharter(bytes));
  if (charter->digest != *digest)
    return Refuse(Reason::kCorrupt, "charter.envelope is not the charter that was joined");
  profile.charter_ = std::move(charter);
  profile.LoadInForce();
  profile.LoadCursor();
  profile.LoadFollowed();
  profile.LoadVouched();
  if (fs::exists(folder / "pin")) {
    TRY(auto pin, io::ReadText(folder / "pin", 1 << 16));
    const auto end = pin.find('\n');  // the key's line, then the note
    if (end == std::string::npos) return Refuse(Reason::kCorrupt, (folder / "pin").string() + " is damaged");
    profile.pin_key_ = pin.substr(0, end);
    TRY(auto log_key, log::NoteVerifier::Parse(profile.pin_key_));
    TRY(profile.pin_, log::SignedCheckpoint::Verify(pin.substr(end + 1), profile.charter_terms().origin, log_key));
  }
  return profile;
}

Result<Keyring> Profile::Unlock(const crypto::Secret& passphrase) const {
  const fs::path keys = folder_ / KeysName(generation_);
  TRY(auto authentication, ReadKey(keys, kKeyNames[0], passphrase));
  TRY(auto signature, ReadKey(keys, kKeyNames[1], passphrase));
  TRY(auto key_management, ReadKey(keys, kKeyNames[2], passphrase));
  TRY(auto auth_key, crypto::SignKey::FromScalar(authentication.view()));
  TRY(auto sign_key, crypto::SignKey::FromScalar(signature.view()));
  TRY(auto kem_key, crypto::KemPrivateKey::FromScalar(key_management.view()));
  Keyring out{std::move(auth_key), std::move(sign_key), std::move(kem_key)};
  for (int before = generation_ - 1; before >= 1; --before) {
    TRY(auto scalar, ReadKey(folder_ / KeysName(before), kKeyNames[2], passphrase));
    TRY(auto key, crypto::KemPrivateKey::FromScalar(scalar.view()));
    out.former.push_back(std::move(key));
  }
  return out;
}

fs::path Profile::BesideKeys(int generation, const char* name) const {
  return (generation == 1 ? folder_ : folder_ / KeysName(generation)) / name;
}

Result<std::string> Profile::CertificatePem() const {
  auto pem = io::ReadText(BesideKeys(generation_, "certificate.pem"), 1 << 20);
  if (!pem)
    return Refuse(Reason::kNotReady,
                  "this profile has not joined yet; have request.csr signed by your agency's CA, then: valija join");
  return pem;
}

// By this CA, if it is known; for this member and the authentication key of this generation.
Status Profile::CheckCertificate(std::string_view pem, const std::optional<Bytes>& ca_der, int generation,
                                 Time now) const {
  TRY(auto certificate, crypto::Certificate::FromPem(pem));
  if (ca_der) {
    TRY(auto ca, crypto::Certificate::FromDer(*ca_der));
    TRY_OK(certificate.VerifyIssuedBy(ca, crypto::TlsPurpose::kClient, now));
  }
  const std::string uri = "valija:" + member_.str();
  if (certificate.uris() != std::vector<std::string>{uri})
    return Refuse(Reason::kBadCertificate, "the certificate does not name exactly " + uri);
  TRY(auto card_text, io::ReadText(BesideKeys(generation, "member.card"), 1 << 16));
  TRY(auto card, MemberCard::Parse(card_text));
  if (certificate.key_id() != card.keys.auth_key_id)
    return Refuse(Reason::kBadCertificate, "the certificate is not for this profile's authentication key");
  return Ok();
}

Status Profile::BeginRenewal(const crypto::Secret& passphrase, crypto::Random& random) {
  TRY(auto present, Unlock(passphrase));  // one passphrase for all
  (void)present;
  const fs::path folder = renewal_folder();
  std::error_code error;
  if (fs::exists(folder / "member.card", error))  // it is made last
    return Refuse(Reason::kExists, "a renewal has begun: its request and card are in " + folder.string());
  // Under another name until it is whole: what a crash left half made is made anew, and nobody has its keys yet.
  const fs::path making = folder_ / "keys-next";
  fs::remove_all(making, error);
  fs::remove_all(folder, error);
  TRY_OK(io::MakePrivateDirectory(making));
  TRY_OK(MakeKeys(making, making, member_, passphrase, random));
  fs::rename(making, folder, error);
  if (error) return Refuse(Reason::kFile, "cannot make " + folder.string());
  return SyncFolder(folder_);
}

Status Profile::FinishRenewal(std::string_view certificate_pem, Time now) {
  const int next = generation_ + 1;
  std::error_code ignored;
  if (!fs::exists(BesideKeys(next, "member.card"), ignored)) return Refuse(Reason::kNotReady, "no renewal has begun");
  if (!joined()) return Refuse(Reason::kNotReady, "this profile has not joined a broker");
  auto ca = agency_ca_;
  for (const auto& agency : charter_terms().agencies)
    if (!ca && agency.id == member_.agency()) ca = agency.ca_certificate;
  TRY_OK(CheckCertificate(certificate_pem, ca, next, now));
  TRY_OK(io::WriteFileAtomic(BesideKeys(next, "certificate.pem"), AsBytes(certificate_pem)));
  generation_ = next;
  if (auto saved = Save(); !saved) {
    generation_ = next - 1;
    return saved;
  }
  return Ok();
}

Status Profile::Join(const Bytes& charter_envelope, const Digest& digest, const std::string& broker,
                     std::string_view certificate_pem, Time now) {
  TRY(auto charter, ParseCharter(charter_envelope));
  if (charter->digest != digest)
    return Refuse(Reason::kBadSignature,
                  "this charter's digest is " + charter->digest.Hex() + ", not the one you were given; do not join");
  const auto& terms = std::get<ledger::Charter>(charter->payload);
  // An agency that joined the charter later is not in here: that it is in, the log's amendments say.
  std::optional<Bytes> ca;
  for (const auto& agency : terms.agencies)
    if (agency.id == member_.agency()) ca = agency.ca_certificate;
  TRY_OK(CheckCertificate(certificate_pem, ca, generation_, now));
  if (broker.empty() || broker.find(':') == std::string::npos)
    return Refuse(Reason::kUsage, "the broker's address is host:port");
  TRY_OK(io::WriteFileAtomic(folder_ / "charter.envelope", charter_envelope));
  TRY_OK(io::WriteFileAtomic(BesideKeys(generation_, "certificate.pem"), AsBytes(certificate_pem)));
  const bool another = !charter_ || (*charter_)->digest != charter->digest;
  if (another) {  // what was verified under another charter says nothing under this one
    std::error_code ignored;
    for (const char* name :
         {"pin", "directory.log", "mail.log", "cursor", "followed", "in-force", "witnessed", "lookups"})
      fs::remove(folder_ / name, ignored);
    pin_.reset();
    cursor_ = {}, cursor_unsaved_ = false;
    followed_ = followed_saved_ = 0;
    carrier_ca_.reset(), agency_ca_.reset();
    pin_unsaved_ = vouched_unsaved_ = false;
    vouched_ = {};
  }
  charter_ = std::move(charter);
  broker_ = broker;
  return Save();
}

Status Profile::Save() const {
  nlohmann::ordered_json meta = {{"valija-profile", 1},
                                 {"member", member_.str()},
                                 {"broker", broker_},
                                 {"charter", charter_ ? (*charter_)->digest.Hex() : ""}};
  if (generation_ != 1) meta["generation"] = generation_;
  return io::WriteFileAtomic(folder_ / "profile.json", AsBytes(meta.dump(2) + "\n"), 0600);
}

Status Profile::SetInForce(const ledger::Charter& charter) {
  std::optional<Bytes> agency_ca;
  for (const auto& agency : charter.agencies)
    if (agency.id == member_.agency()) agency_ca = agency.ca_certificate;
  nlohmann::ordered_json said = {{"carrier-ca", ToHex(charter.carrier_ca_certificate)},
                                 {"agency-ca", agency_ca ? ToHex(*agency_ca) : ""}};
  TRY_OK(io::WriteFileAtomic(folder_ / "in-force", AsBytes(said.dump(2) + "\n"), 0600));
  LoadInForce();
  return Ok();
}

// One that is damaged is as none: the directory is folded again, and says it again.
void Profile::LoadInForce() {
  carrier_ca_.reset(), agency_ca_.reset();
  auto text = io::ReadText(folder_ / "in-force", 1 << 20);
  if (!text) return;
  auto said = nlohmann::json::parse(*text, nullptr, false);
  auto field = [&](const char* name) -> std::string {
    if (!said.is_object()) return {};
    auto at = said.find(name);
    return at != said.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  if (auto der = FromHex(field("carrier-ca")); der && !der->empty()) carrier_ca_ = *std::move(der);
  if (auto der = FromHex(field("agency-ca")); der && !der->empty()) agency_ca_ = *std::move(der);
}

Status Profile::SetPin(const log::SignedCheckpoint& checkpoint, const std::string& log_key) {
  const bool first = !pin_;
  pin_ = checkpoint;
  pin_key_ = log_key;
  pin_unsaved_ = true;
  if (first || std::chrono::steady_clock::now() - pin_saved_ >= kPinEvery) return SavePin();
  return Ok();
}

Status Profile::SavePin() {
  if (pin_unsaved_) TRY_OK(io::WriteFileAtomic(folder_ / "pin", AsBytes(pin_key_ + "\n" + pin_->note())));
  pin_unsaved_ = false;
  TRY_OK(SaveVouched());
  pin_saved_ = std::chrono::steady_clock::now();
  return Ok();
}

Status Profile::SetVouched(Vouched vouched) {
  if (vouched == vouched_) return Ok();
  vouched_ = std::move(vouched);
  vouched_unsaved_ = true;
  return std::chrono::steady_clock::now() - pin_saved_ >= kPinEvery ? SavePin() : Ok();
}

// "WITNESSES SIZE SINCE", and a line "SIZE SINCE" for each that is relied on beyond; times in milliseconds.
Status Profile::SaveVouched() {
  if (!vouched_unsaved_) return Ok();
  auto line = [](std::uint64_t size, Time since) {
    return std::to_string(size) + " " + std::to_string(ToMillis(since)) + "\n";
  };
  std::string text = vouched_.witnesses.Hex() + " " + line(vouched_.size, vouched_.since);
  for (const auto& [size, since] : vouched_.beyond) text += line(size, since);
  TRY_OK(io::WriteFileAtomic(folder_ / "witnessed", AsBytes(text), 0600));
  vouched_unsaved_ = false;
  return Ok();
}

void Profile::LoadVouched() {
  auto text = io::ReadText(folder_ / "witnessed", 1 << 16);
  if (!text) return;
  std::istringstream in(*text);
  std::string witnesses;
  Vouched read;
  std::uint64_t size = 0;
  std::int64_t since = 0;
  if (!(in >> witnesses >> read.size >> since)) return;
  const auto bytes = FromHex(witnesses);
  if (!bytes || bytes->size() != Hash::kSize) return;
  std::copy(bytes->begin(), bytes->end(), read.witnesses.bytes.begin());
  read.since = Time(Duration(since));
  while (in >> size >> since) read.beyond.emplace_back(size, Time(Duration(since)));
  vouched_ = std::move(read);
}

Profile::~Profile() {
  if (folder_.empty()) return;
  (void)SavePin();
  (void)SaveCursor();
  SaveFollowed();
}

// A line each: "STATEMENT FROM END EXPIRES WHY", the time in milliseconds.
std::vector<KeptLookup> Profile::Lookups(Time now) const {
  std::vector<KeptLookup> out;
  auto text = io::ReadText(folder_ / "lookups", 1 << 20);
  std::istringstream in(text ? *text : std::string());
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string statement;
    std::int64_t expires = 0;
    KeptLookup one;
    if (!(words >> statement >> one.from >> one.end >> expires) || !std::getline(words >> std::ws, one.why)) continue;
    const auto digest = Digest::FromHexText(statement);
    one.expires = Time(Duration(expires));
    if (!digest || one.expires <= now) continue;
    one.statement = *digest;
    out.push_back(std::move(one));
  }
  return out;
}

Status Profile::KeepLookup(const KeptLookup& lookup, Time now) {
  auto all = Lookups(now);
  all.push_back(lookup);
  std::string text;
  for (const auto& one : all)
    text += one.statement.Hex() + " " + std::to_string(one.from) + " " + std::to_string(one.end) + " " +
            std::to_string(ToMillis(one.expires)) + " " + one.why + "\n";
  return io::WriteFileAtomic(folder_ / "lookups", AsBytes(text), 0600);
}

void Profile::SetFollowed(std::uint64_t next) {
  followed_ = std::max(followed_, next);
  if (std::chrono::steady_clock::now() - followed_saved_at_ >= kPinEvery) SaveFollowed();
}

void Profile::SaveFollowed() {
  if (followed_ == followed_saved_) return;
  (void)io::WriteFileAtomic(folder_ / "followed", AsBytes(std::to_string(followed_) + "\n"), 0600);
  followed_saved_ = followed_;
  followed_saved_at_ = std::chrono::steady_clock::now();
}

void Profile::LoadFollowed() {
  auto text = io::ReadText(folder_ / "followed", 64);
  std::uint64_t at = 0;
  if (text && std::from_chars(text->data(), text->data() + text->size(), at).ec == std::errc()) followed_ = at;
  followed_saved_ = followed_;
}

Error Profile::RecordFork(const std::string& seen_before, const std::string& shown_now, const std::string& what,
                          Error fork) {
  const std::string text =
      "The log showed two histories. Both checkpoints below carry its signature or were shown as its\n"
      "own. Nothing is done with this profile until this file is removed by a person who has\n"
      "looked into it together with an auditor (docs/operations.md, \"A fork\").\n\n" +
      what + "\n\n==== seen before ====\n" + seen_before + "\n==== shown now ====\n" + shown_now;
  forked_ = true;
  const auto written = io::WriteNewFile(folder_ / "FORK", AsBytes(text), 0600);
  std::error_code error;
  if (written || fs::exists(folder_ / "FORK", error)) return fork;  // an older one stays
  return Refuse(fork.reason,
                fork.detail + "; the evidence could not be written (" + written.error().Message() +
                    "), and another run would go on: do not use this profile, and keep both checkpoints: " +
                    seen_before + shown_now);
}

std::vector<proto::LoggedEntry> Profile::Load(const std::string& name) const {
  std::vector<proto::LoggedEntry> entries;
  auto bytes = io::ReadFile(folder_ / name, std::size_t{1} << 32);
  if (!bytes) return entries;
  std::size_t at = 0;
  while (at + 4 <= bytes->size()) {
    std::size_t length = ReadU32(bytes->data() + at);
    if (length > bytes->size() - at - 4) break;  // torn tail of an interrupted append
    auto entry = proto::DecodeLoggedEntry(ByteView(*bytes).subspan(at + 4, length));
    if (!entry) break;
    entries.push_back(*std::move(entry));
    at += 4 + length;
  }
  std::error_code ignored;
  if (at != bytes->size()) fs::resize_file(folder_ / name, at, ignored);
  return entries;
}

namespace {

Bytes Block(const std::vector<proto::LoggedEntry>& entries) {
  Bytes block;
  for (const auto& entry : entries) {
    auto bytes = proto::EncodeLoggedEntry(entry);
    AppendU32(block, static_cast<std::uint32_t>(bytes.size()));
    Append(block, bytes);
  }
  return block;
}

}  // namespace

Status Profile::Replace(const std::string& name, const std::vector<proto::LoggedEntry>& entries) {
  return io::WriteFileAtomic(folder_ / name, Block(entries), 0600);
}

Status Profile::AppendTo(const std::string& name, const std::vector<proto::LoggedEntry>& entries) {
  if (entries.empty()) return Ok();
  const Bytes block = Block(entries);
  std::ofstream out(folder_ / name, std::ios::binary | std::ios::app);
  out.write(reinterpret_cast<const char*>(block.data()), static_cast<std::streamsize>(block.size()));
  out.flush();
  if (!out) return Refuse(Reason::kFile, "cannot write " + (folder_ / name).string());
  return Ok();
}

Status Profile::Forget(const std::string& name) {
  std::error_code error;
  fs::remove(folder_ / name, error);
  if (error) return Refuse(Reason::kFile, "cannot remove " + (folder_ / name).string());
  return Ok();
}

Status Profile::Keep(const std::string& name, const std::vector<KeptSecret>& secrets) {
  return AppendKept(folder_ / name, secrets, kept_whole_[name]);
}

Result<KeptSecret> Profile::FindKept(const std::string& name, const Digest& statement) const {
  return client::FindKept(folder_ / name, statement);
}

std::uint64_t Profile::cursor() const { return SizeOf(folder_ / "mail.log") >= cursor_.mail ? cursor_.at : 0; }

Status Profile::SetCursor(std::uint64_t to) {
  if (to == cursor()) return Ok();
  cursor_ = {to, SizeOf(folder_ / "mail.log")};
  cursor_unsaved_ = true;
  return std::chrono::steady_clock::now() - cursor_saved_at_ >= kPinEvery ? SaveCursor() : Ok();
}

// "CURSOR MAIL"
Status Profile::SaveCursor() {
  if (!cursor_unsaved_) return Ok();
  const std::string text = std::to_string(cursor_.at) + " " + std::to_string(cursor_.mail) + "\n";
  TRY_OK(io::WriteFileAtomic(folder_ / "cursor", AsBytes(text)));
  cursor_unsaved_ = false;
  cursor_saved_at_ = std::chrono::steady_clock::now();
  return Ok();
}

void Profile::LoadCursor() {
  auto text = io::ReadText(folder_ / "cursor", 64);
  if (!text) return;
  Cursor read;
  const char* end = text->data() + text->size();
  auto first = std::from_chars(text->data(), end, read.at);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ' ') return;
  auto second = std::from_chars(first.ptr + 1, end, read.mail);
  if (second.ec == std::errc()) cursor_ = read;
}

}  // namespace valija::client
