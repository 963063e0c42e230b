// The member card: JSON with the member's id and public keys and a signature by the signature key over its
// canonical text. It proves possession of that key; the certificate request proves the authentication key's; the
// key-management key proves itself when the first epoch key is opened with it.
#include <nlohmann/json.hpp>

#include "client/profile.h"
#include "core/crypto/dsse.h"

namespace valija::client {
namespace {

constexpr char kCardType[] = "application/vnd.valija.card.v1";

// What is signed: one line per field, in this order.
std::string SignedText(const MemberId& member, const ledger::MemberKeys& keys) {
  return "member " + member.str() + "\nauthentication " + keys.auth_key_id.Hex() + "\nsignature " +
         keys.signing_key.Hex() + "\nkey-management " + keys.kem_key.Hex() + "\n";
}

}  // namespace

ledger::MemberKeys Keyring::Public() const {
  return {authentication.id(), signature.verify_key().point(), key_management.public_key().point()};
}

std::string MemberCard::Make(const MemberId& member, const Keyring& keys) {
  auto pub = keys.Public();
  auto signature = keys.signature.Sign(crypto::Pae(kCardType, AsBytes(SignedText(member, pub))));
  nlohmann::ordered_json card = {{"valija-card", 1},
                                 {"member", member.str()},
                                 {"authentication", pub.auth_key_id.Hex()},
                                 {"signature", pub.signing_key.Hex()},
                                 {"key-management", pub.kem_key.Hex()},
                                 {"proof", signature.Hex()}};
  return card.dump(2) + "\n";
}

Result<MemberCard> MemberCard::Parse(std::string_view text) {
  auto card = nlohmann::json::parse(text, nullptr, false);
  auto malformed = [](const std::string& what) { return Refuse(Reason::kMalformed, "member card: " + what); };
  if (!card.is_object() || card.size() != 6) return malformed("not a JSON object of six fields");
  auto field = [&](const char* name) -> std::string {
    auto at = card.find(name);
    return at != card.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  if (auto version = card.find("valija-card"); version == card.end() || *version != 1)
    return malformed("not version 1");
  auto member = MemberId::Parse(field("member"));
  if (!member) return malformed("\"member\" is not a member id such as us.dea/jrivera");
  auto auth = KeyId::FromHexText(field("authentication"));
  auto signing = Point::FromHexText(field("signature"));
  auto kem = Point::FromHexText(field("key-management"));
  auto proof = crypto::Signature::FromHexText(field("proof"));
  if (!auth || !signing || !kem || !proof) return malformed("a key or the proof is not hex of the right length");
  MemberCard out{*member, {*auth, *signing, *kem}};
  TRY(auto key, crypto::VerifyKey::FromPoint(*signing));
  TRY(auto kem_key, crypto::KemPublicKey::FromPoint(*kem));
  (void)kem_key;
  if (!key.Verify(crypto::Pae(kCardType, AsBytes(SignedText(out.member, out.keys))), *proof))
    return Refuse(Reason::kBadSignature, "the member card's proof does not hold");
  return out;
}

}  // namespace valija::client
