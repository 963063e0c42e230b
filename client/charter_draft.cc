#include "client/charter_draft.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "core/crypto/dsse.h"
#include "core/crypto/x509.h"
#include "core/io/file.h"
#include "core/log/note.h"
#include "core/log/witness_policy.h"
#include "core/text/catalogue.h"

namespace valija::client {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

Error Wrong(const std::string& what) { return Refuse(Reason::kMalformed, "charter draft: " + what); }

// An object whose keys are all known; a misspelled cap must not be a silent default.
Status OnlyKeys(const Json& object, const std::string& where, std::initializer_list<const char*> known) {
  if (!object.is_object()) return Wrong(where + " is not an object");
  for (const auto& [key, value] : object.items())
    if (std::none_of(known.begin(), known.end(), [&](const char* k) { return key == k; }))
      return Wrong("unknown key \"" + key + "\" in " + where);
  return Ok();
}

Result<std::string> Text(const Json& object, const char* key, const std::string& where) {
  auto at = object.find(key);
  if (at == object.end() || !at->is_string() || at->get<std::string>().empty())
    return Wrong(where + " needs \"" + key + "\", a text");
  return at->get<std::string>();
}

Result<std::vector<std::string>> Texts(const Json& object, const char* key, const std::string& where, bool needed) {
  std::vector<std::string> out;
  auto at = object.find(key);
  if (at == object.end()) {
    if (needed) return Wrong(where + " needs \"" + key + "\", a list of texts");
    return out;
  }
  if (!at->is_array()) return Wrong("\"" + std::string(key) + "\" in " + where + " is not a list");
  for (const auto& one : *at) {
    if (!one.is_string()) return Wrong("\"" + std::string(key) + "\" in " + where + " is not a list of texts");
    out.push_back(one.get<std::string>());
  }
  return out;
}

std::vector<std::string> Sorted(std::vector<std::string> list) {
  std::sort(list.begin(), list.end());
  return list;
}

Result<Bytes> CertificateDer(const fs::path& path) {
  TRY(auto pem, io::ReadText(path, 1 << 20));
  TRY(auto certificate, crypto::Certificate::FromPem(pem));
  if (!certificate.is_ca()) return Refuse(Reason::kBadCertificate, path.string() + " is not a CA's");
  return certificate.der();
}

Result<ledger::MemberRecord> Administrator(const Json& json, const AgencyId& agency, const fs::path& folder) {
  const std::string where = "an administrator of " + agency.str();
  TRY_OK(OnlyKeys(json, where, {"card", "clearance", "roles", "programmes", "person"}));
  TRY(auto path, Text(json, "card", where));
  TRY(auto text, io::ReadText(folder / path, 1 << 16));
  TRY(auto card, MemberCard::Parse(text));
  if (card.member.agency() != agency) return Wrong(card.member.str() + " is not of " + agency.str());
  TRY(auto roles, Texts(json, "roles", where, false));
  TRY(auto programmes, Texts(json, "programmes", where, false));
  std::string clearance;  // may be absent
  if (json.contains("clearance")) {
    TRY(clearance, Text(json, "clearance", where));
  }
  std::string person;  // may be absent
  if (json.contains("person")) {
    TRY(person, Text(json, "person", where));
  }
  ledger::MemberRecord record{.id = card.member,
                              .status = ledger::MemberStatus::kActive,
                              .keys = card.keys,
                              .attributes = {std::move(clearance), Sorted(roles), Sorted(programmes)},
                              .administrator = true,
                              .auditor = false,
                              .person = std::move(person)};
  return record;
}

template <class N>
Status Cap(const Json& caps, const char* key, N& value) {
  auto at = caps.find(key);
  if (at == caps.end()) return Ok();
  if (!at->is_number_unsigned() || at->get<std::uint64_t>() > std::numeric_limits<N>::max())
    return Wrong("cap \"" + std::string(key) + "\" is not a number in range");
  value = at->get<N>();
  return Ok();
}

// The file is a C2SP tlog-policy; the charter takes it in its one form. Without one there are no witnesses.
Status Witnesses(const Json& json, const fs::path& folder, ledger::Charter& charter) {
  TRY_OK(Cap(json, "degraded-after-seconds", charter.degraded_after_seconds));
  if (!json.contains("witnesses")) {
    TRY_OK(Cap(json, "max-checkpoint-age-seconds", charter.max_checkpoint_age_seconds));
    return Ok();
  }
  TRY(auto path, Text(json, "witnesses", "the draft"));
  TRY(auto text, io::ReadText(folder / path, log::WitnessPolicy::kMaxText));
  TRY(auto policy, log::WitnessPolicy::Parse(text));
  charter.witness_policy = policy.Text();
  charter.max_checkpoint_age_seconds = 3600;
  return Cap(json, "max-checkpoint-age-seconds", charter.max_checkpoint_age_seconds);
}

std::string Indented(const std::string& text) {
  std::istringstream lines(text);
  std::string out;
  for (std::string line; std::getline(lines, line);) out += "              " + line + "\n";
  return out;
}

}  // namespace

Result<BrokerCard> BrokerCard::Parse(std::string_view text) {
  auto json = Json::parse(text, nullptr, false);
  auto version = json.is_object() ? json.find("valija-broker-card") : json.end();
  if (!json.is_object() || json.size() != 4 || version == json.end() || *version != 1)
    return Refuse(Reason::kMalformed, "not a broker card of version 1");
  TRY(auto authority_text, Text(json, "authority", "a broker card"));
  TRY(auto release_text, Text(json, "release-key", "a broker card"));
  TRY(auto log_key_text, Text(json, "log-key", "a broker card"));
  auto authority = AuthorityId::Parse(authority_text);
  auto release = Point::FromHexText(release_text);
  if (!authority || !release) return Refuse(Reason::kMalformed, "broker card: authority or release key is not right");
  BrokerCard card{*authority, std::move(log_key_text), *release};
  TRY(auto log_key, log::NoteVerifier::Parse(card.log_key));
  (void)log_key;
  TRY(auto key, crypto::KemPublicKey::FromPoint(*release));
  (void)key;
  return card;
}

Result<ledger::Envelope> DraftCharter(const fs::path& draft, Time now, crypto::Random& random) {
  TRY(auto text, io::ReadText(draft, 1 << 20));
  auto json = Json::parse(text, nullptr, false, true);
  if (json.is_discarded()) return Wrong("not JSON (comments are allowed)");
  TRY_OK(OnlyKeys(
      json, "the draft",
      {"origin", "title", "agencies", "brokers", "carrier-ca", "joint-auditors", "purposes", "clearances", "caps",
       "amendment-signatures", "amends", "witnesses", "max-checkpoint-age-seconds", "degraded-after-seconds"}));
  const fs::path folder = draft.parent_path();
  ledger::Charter charter;
  charter.time = now;
  charter.nonce = random.Make<Nonce>();
  TRY(charter.origin, Text(json, "origin", "the draft"));
  TRY(charter.title, Text(json, "title", "the draft"));
  TRY(auto carrier, Text(json, "carrier-ca", "the draft"));
  TRY(charter.carrier_ca_certificate, CertificateDer(folder / carrier));
  TRY(charter.purposes, Texts(json, "purposes", "the draft", true));
  charter.purposes = Sorted(charter.purposes);
  TRY(charter.clearances, Texts(json, "clearances", "the draft", true));  // in the order given: lowest first
  TRY(auto auditors, Texts(json, "joint-auditors", "the draft", false));
  for (const auto& id : Sorted(auditors)) {
    auto member = MemberId::Parse(id);
    if (!member) return Wrong("joint auditor \"" + id + "\" is not a member id");
    charter.joint_auditors.push_back(*member);
  }
  auto agencies = json.find("agencies");
  if (agencies == json.end() || !agencies->is_array() || agencies->empty()) return Wrong("needs \"agencies\", a list");
  for (const auto& one : *agencies) {
    TRY_OK(OnlyKeys(one, "an agency", {"id", "name", "ca", "administrators"}));
    TRY(auto id, Text(one, "id", "an agency"));
    auto agency_id = AgencyId::Parse(id);
    if (!agency_id) return Wrong("\"" + id + "\" is not an agency id such as us.dea");
    TRY(auto name, Text(one, "name", id));
    TRY(auto ca, Text(one, "ca", id));
    TRY(auto der, CertificateDer(folder / ca));
    ledger::CharterAgency agency{*agency_id, name, std::move(der), {}};
    auto administrators = one.find("administrators");
    if (administrators == one.end() || !administrators->is_array() || administrators->empty())
      return Wrong(id + " needs \"administrators\", a list");
    for (const auto& administrator : *administrators) {
      TRY(auto record, Administrator(administrator, *agency_id, folder));
      agency.administrators.push_back(std::move(record));
    }
    std::sort(agency.administrators.begin(), agency.administrators.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    const auto twice = std::adjacent_find(agency.administrators.begin(), agency.administrators.end(),
                                          [](const auto& a, const auto& b) { return a.id == b.id; });
    if (twice != agency.administrators.end()) return Wrong(twice->id.str() + " is an administrator twice");
    charter.agencies.push_back(std::move(agency));
  }
  std::sort(charter.agencies.begin(), charter.agencies.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  TRY(auto brokers, Texts(json, "brokers", "the draft", true));
  if (brokers.empty()) return Wrong("needs at least one broker card");
  for (const auto& path : brokers) {
    TRY(auto card_text, io::ReadText(folder / path, 1 << 16));
    TRY(auto card, BrokerCard::Parse(card_text));
    if (charter.authorities.empty()) charter.log_key = card.log_key;
    charter.authorities.push_back({card.authority, card.release_key});
  }
  if (auto caps = json.find("caps"); caps != json.end()) {
    TRY_OK(OnlyKeys(*caps, "caps",
                    {"max-window-days", "max-portions", "max-recipients", "max-body-bytes", "clock-skew-seconds",
                     "request-lifetime-seconds", "epoch-grace-seconds", "normal-response-hours",
                     "urgent-response-hours", "immediate-response-hours"}));
    TRY_OK(Cap(*caps, "max-window-days", charter.caps.max_window_days));
    TRY_OK(Cap(*caps, "max-portions", charter.caps.max_portions));
    TRY_OK(Cap(*caps, "max-recipients", charter.caps.max_recipients));
    TRY_OK(Cap(*caps, "max-body-bytes", charter.caps.max_body_bytes));
    TRY_OK(Cap(*caps, "clock-skew-seconds", charter.caps.clock_skew_seconds));
    TRY_OK(Cap(*caps, "request-lifetime-seconds", charter.caps.request_lifetime_seconds));
    TRY_OK(Cap(*caps, "epoch-grace-seconds", charter.caps.epoch_grace_seconds));
    TRY_OK(Cap(*caps, "normal-response-hours", charter.caps.response_hours[0]));
    TRY_OK(Cap(*caps, "urgent-response-hours", charter.caps.response_hours[1]));
    TRY_OK(Cap(*caps, "immediate-response-hours", charter.caps.response_hours[2]));
  }
  charter.amendment_signatures = static_cast<std::uint32_t>(charter.agencies.size());
  TRY_OK(Cap(json, "amendment-signatures", charter.amendment_signatures));
  TRY_OK(Witnesses(json, folder, charter));
  auto kind = ledger::Kind::kCharter;
  Bytes payload;
  if (json.contains("amends")) {
    TRY(auto text_of_previous, Text(json, "amends", "the draft"));
    auto previous = Digest::FromHexText(text_of_previous);
    if (!previous) return Wrong("\"amends\" is the digest of the charter or amendment in force, 64 hex digits");
    kind = ledger::Kind::kCharterAmendment;
    payload = proto::EncodeCharterAmendment({charter, *previous});
  } else {
    payload = proto::EncodeCharter(charter);
  }
  // What we wrote must be what everybody will read.
  TRY(auto again, proto::DecodePayload(kind, payload));
  (void)again;
  return ledger::Envelope{ledger::PayloadType(kind), std::move(payload), {}, std::nullopt};
}

namespace {

// The terms of a charter, or of one that amends it.
Result<const ledger::Charter*> TermsOf(const ledger::Statement& statement) {
  if (const auto* charter = std::get_if<ledger::Charter>(&statement.payload)) return charter;
  if (const auto* amendment = std::get_if<ledger::CharterAmendment>(&statement.payload)) return &amendment->charter;
  return Refuse(Reason::kUnknownType, "the file is not a charter");
}

}  // namespace

Result<ledger::Envelope> ReadCharterFile(const std::filesystem::path& file) {
  TRY(auto bytes, io::ReadFile(file, 4 << 20));
  auto signed_already = proto::DecodeEnvelope(bytes);
  if (signed_already) return signed_already;
  for (auto kind : {ledger::Kind::kCharter, ledger::Kind::kCharterAmendment})
    if (proto::DecodePayload(kind, bytes))
      return ledger::Envelope{ledger::PayloadType(kind), std::move(bytes), {}, std::nullopt};
  return signed_already;
}

Status SignCharter(ledger::Envelope& envelope, const MemberId& member, const crypto::SignKey& key) {
  TRY(auto statement, proto::MakeStatement(envelope));
  TRY(const auto* charter, TermsOf(statement));
  // Who may sign an amendment is in the directory: the broker judges it. The founders are named in the charter.
  bool named = statement.kind == ledger::Kind::kCharterAmendment;
  for (const auto& agency : charter->agencies)
    for (const auto& administrator : agency.administrators)
      named = named || (administrator.id == member && administrator.keys.signing_key == key.verify_key().point());
  if (!named)
    return Refuse(Reason::kNotAuthorised, member.str() + " is not an administrator of the charter with this key");
  std::erase_if(envelope.signatures, [&](const auto& signature) { return signature.key_id == key.id(); });
  envelope.signatures.push_back({key.id(), key.Sign(crypto::Pae(envelope.payload_type, envelope.payload))});
  return Ok();
}

Result<std::string> DescribeCharter(const ledger::Envelope& envelope) {
  TRY(auto statement, proto::MakeStatement(envelope));
  TRY(const auto* charter, TermsOf(statement));
  const auto* amendment = std::get_if<ledger::CharterAmendment>(&statement.payload);
  auto list = [](const std::vector<std::string>& items) {
    std::string out;
    for (const auto& item : items) out += (out.empty() ? "" : ", ") + item;
    return out;
  };
  std::set<KeyId> signers;
  for (const auto& signature : envelope.signatures) signers.insert(signature.key_id);
  using text::Format, text::Id;
  std::ostringstream out;
  out << Format(Id::kCharterTerms, charter->title, charter->origin, statement.digest.Hex(),
                text::TimeText(charter->time), charter->log_key, list(charter->purposes), list(charter->clearances))
      << "\n";
  for (const auto& authority : charter->authorities)
    out << Format(Id::kCharterAuthority, authority.id.str(), crypto::KeyIdOf(authority.release_key).Hex()) << "\n";
  for (const auto& auditor : charter->joint_auditors) out << Format(Id::kCharterAuditor, auditor.str()) << "\n";
  for (const auto& agency : charter->agencies) {
    out << Format(Id::kCharterAgency, agency.id.str(), agency.name) << "\n";
    TRY(auto ca, crypto::Certificate::FromDer(agency.ca_certificate));
    out << "              " << Format(Id::kCharterCa, ca.SubjectText(), ca.key_id().Hex()) << "\n";
    for (const auto& administrator : agency.administrators) {
      const bool has_signed = signers.contains(crypto::KeyIdOf(administrator.keys.signing_key));
      out << "              "
          << (has_signed ? Format(Id::kCharterHasSigned, administrator.id.str())
                         : Format(Id::kCharterHasNotSigned, administrator.id.str()))
          << "\n";
    }
  }
  const auto& caps = charter->caps;
  out << Format(Id::kCharterCaps, caps.max_window_days, caps.max_portions, caps.max_recipients, caps.max_body_bytes,
                caps.clock_skew_seconds, caps.request_lifetime_seconds, caps.epoch_grace_seconds)
      << "\n";
  out << Format(Id::kCharterMoreCaps, charter->amendment_signatures, caps.response_hours[0], caps.response_hours[1],
                caps.response_hours[2])
      << "\n";
  if (charter->witness_policy.empty()) {
    out << text::Text(Id::kCharterNoWitnesses) << "\n";
  } else {
    out << Format(Id::kCharterWitnesses, charter->max_checkpoint_age_seconds, Indented(charter->witness_policy))
        << (charter->degraded_after_seconds == 0 ? text::Text(Id::kCharterNeverDegraded)
                                                 : Format(Id::kCharterDegraded, charter->degraded_after_seconds))
        << "\n";
  }
  if (amendment != nullptr) {
    out << Format(Id::kCharterAmends, amendment->previous.Hex(), envelope.signatures.size()) << "\n";
    return out.str();
  }
  const bool complete = ledger::VerifyCharter(std::move(statement)).has_value();
  out << text::Text(complete ? Id::kCharterComplete : Id::kCharterIncomplete) << "\n";
  return out.str();
}

}  // namespace valija::client
