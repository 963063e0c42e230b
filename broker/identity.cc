#include "broker/identity.h"

#include <grpc/grpc_security_constants.h>

#include "broker/sequencer.h"
#include "core/crypto/hash.h"
#include "core/crypto/x509.h"

namespace valija::broker {
namespace {

constexpr std::size_t kMost = 4096;
constexpr std::string_view kScheme = "valija:";

}  // namespace

Result<Identity::Known> Identity::Examine(std::string_view pem, Time now) const {
  auto certificate = crypto::Certificate::FromPem(pem);
  if (!certificate) return Refuse(Reason::kNoIdentity, certificate.error().detail);
  if (certificate->uris().size() != 1 || certificate->uris()[0].compare(0, kScheme.size(), kScheme) != 0)
    return Refuse(Reason::kNoIdentity, "the certificate names no member");
  auto member = MemberId::Parse(std::string_view(certificate->uris()[0]).substr(kScheme.size()));
  if (!member) return Refuse(Reason::kNoIdentity, "the certificate names no member");
  Digest charter;
  auto ca_der = sequencer_.Read([&](const ledger::State& state) -> Bytes {
    charter = state.charter_statement();
    const auto* agency = state.agency(member->agency());
    return agency != nullptr ? agency->charter.ca_certificate : Bytes();
  });
  if (ca_der.empty()) return Refuse(Reason::kNoIdentity, member->agency().str() + " is not in the charter");
  TRY(auto ca, crypto::Certificate::FromDer(ca_der));
  if (auto issued = certificate->VerifyIssuedBy(ca, crypto::TlsPurpose::kClient, now); !issued)
    return Refuse(Reason::kNoIdentity,
                  "not issued by the CA of " + member->agency().str() + ": " + issued.error().detail);
  return Known{certificate->key_id(), *member, certificate->not_before(), certificate->not_after(), charter};
}

Result<MemberId> Identity::CallerOf(const grpc::ServerContextBase& context, Time now) {
  auto auth = context.auth_context();
  if (!auth || !auth->IsPeerAuthenticated()) return Refuse(Reason::kNoIdentity);
  auto pems = auth->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (pems.size() != 1) return Refuse(Reason::kNoIdentity);
  const std::string_view pem(pems[0].data(), pems[0].size());
  const Hash name = crypto::Sha256(AsBytes(pem));
  std::optional<Known> known;
  {
    std::lock_guard lock(mutex_);
    if (auto at = known_.find(name); at != known_.end()) known = at->second;
  }
  struct Seen {
    Digest charter;
    bool active;
  };
  const auto look = [&] {
    return sequencer_.Read([&](const ledger::State& state) {
      const auto* member = state.member_by_auth_key(known->key_id);
      return Seen{state.charter_statement(), member != nullptr && member->record.id == known->member};
    });
  };
  Seen seen{};
  if (known) seen = look();
  if (!known || seen.charter != known->charter) {  // an amendment may name another CA
    TRY(auto examined, Examine(pem, now));
    {
      std::lock_guard lock(mutex_);
      if (known_.size() >= kMost) known_.clear();
      known = known_.insert_or_assign(name, std::move(examined)).first->second;
    }
    seen = look();
  }
  if (now < known->not_before || now >= known->not_after)
    return Refuse(Reason::kNoIdentity, "the certificate is outside its time");
  if (!seen.active) return Refuse(Reason::kNotEnrolled, known->member.str());
  return known->member;
}

}  // namespace valija::broker
