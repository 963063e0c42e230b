#include "core/record/check.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "core/crypto/hash.h"
#include "core/record/body.h"
#include "core/record/slip.h"

namespace valija::record {
namespace {

bool IsPrintable(std::string_view text, std::size_t longest) {
  return !text.empty() && text.size() <= longest &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

Error BadHeader(const char* what) { return Refuse(Reason::kBadHeader, what); }

Status CheckAuthorities(const std::vector<AuthorityRef>& authorities) {
  if (authorities.empty() || authorities.size() > kMaxAuthorities) return BadHeader("1 to 8 release authorities");
  for (auto a = authorities.begin(); a != authorities.end(); ++a) {
    for (auto b = authorities.begin(); b != a; ++b) {
      if (a->id == b->id || a->key_id == b->key_id) return BadHeader("a release authority is named twice");
    }
  }
  return Ok();
}

Status CheckPortion(const PortionHead& portion) {
  if (!IsPrintable(portion.marking, 32)) return BadHeader("the marking is not printable");
  if (!IsPrintable(portion.media_type, 127)) return BadHeader("the media type is not printable");
  if (portion.recipients.empty() || portion.recipients.size() > kMaxRecipients) {
    return BadHeader("1 to 256 recipients for a portion");
  }
  for (std::size_t i = 1; i < portion.recipients.size(); ++i) {
    if (portion.recipients[i - 1] >= portion.recipients[i]) {
      return BadHeader("the commitments are not strictly ascending");
    }
  }
  return Ok();
}

}  // namespace

Status CheckHeader(const Header& header, HeaderOf what) {
  if (header.suite != kSuite) return Refuse(Reason::kUnknownSuite, std::to_string(header.suite));
  if (!IsOrigin(header.origin)) return BadHeader("the log's origin is not well spelled");
  TRY_OK(CheckAuthorities(header.authorities));
  if (header.portions.empty() || header.portions.size() > kMaxPortions) return BadHeader("1 to 64 portions");
  for (std::size_t p = 0; p < header.portions.size(); ++p) {
    const std::uint32_t number = header.portions[p].number;
    if (what == HeaderOf::kRecord && number != p) return BadHeader("the portions are not numbered 0, 1, ..");
    if (what == HeaderOf::kGrant && (number >= kMaxPortions || (p != 0 && number <= header.portions[p - 1].number)))
      return BadHeader("a grant's portions are ascending by number");
    TRY_OK(CheckPortion(header.portions[p]));
  }
  if (header.urgency > Urgency::kImmediate) return BadHeader("there is no such urgency");
  if (header.sources.size() > kMaxSources) return BadHeader("more than 64 sources");
  for (std::size_t i = 1; i < header.sources.size(); ++i)
    if (!(header.sources[i - 1] < header.sources[i])) return BadHeader("the sources are not strictly ascending");
  if (what == HeaderOf::kGrant && (header.in_reply_to || header.urgency != Urgency::kNone || !header.sources.empty()))
    return BadHeader("a grant asks, answers and derives from nothing");
  return Ok();
}

namespace {

Status CheckWrapsOf(const PortionHead& portion, const std::vector<Bytes>& wraps) {
  if (wraps.size() != portion.recipients.size()) return BadHeader("not one wrap for each commitment");
  if (std::any_of(wraps.begin(), wraps.end(), [](const Bytes& wrap) { return wrap.size() != kWrapSize; }))
    return BadHeader("a wrap has 48 bytes");
  return Ok();
}

}  // namespace

Status CheckWraps(const Header& header, const std::vector<std::vector<Bytes>>& wraps) {
  if (wraps.size() != header.portions.size()) return BadHeader("not one seal for each portion");
  for (std::size_t p = 0; p < wraps.size(); ++p) TRY_OK(CheckWrapsOf(header.portions[p], wraps[p]));
  return Ok();
}

Status CheckSeals(const Header& header, const std::vector<PortionSeal>& seals) {
  if (seals.size() != header.portions.size()) return BadHeader("not one seal for each portion");
  for (std::size_t p = 0; p < seals.size(); ++p) {
    TRY_OK(CheckWrapsOf(header.portions[p], seals[p].wraps));
    if (!IsSealedBodySize(seals[p].body_length)) return BadHeader("no sealed body has this length");
  }
  return Ok();
}

Status CheckAttachments(const Header& header, const Attachments& attachments) {
  if (attachments.authority_encs.size() != header.authorities.size()) {
    return BadHeader("not one enc for each release authority");
  }
  for (std::size_t j = 0; j < header.authorities.size(); ++j) {
    if (crypto::Sha256(attachments.authority_encs[j]) != header.authorities[j].enc_hash) {
      return BadHeader("the enc of a release authority is another");
    }
  }
  if (attachments.policies.size() != header.portions.size()) {
    return Refuse(Reason::kBadPolicy, "not one policy for each portion");
  }
  for (std::size_t p = 0; p < header.portions.size(); ++p) {
    if (crypto::Sha256(attachments.policies[p]) != header.portions[p].policy_digest) {
      return Refuse(Reason::kBadPolicy, "the header names another policy");
    }
  }

  auto slip = attachments.slips.begin();
  for (const PortionHead& portion : header.portions) {
    std::set<AgencyId> agencies;
    for (std::uint32_t index = 0; index < portion.recipients.size(); ++index, ++slip) {
      if (slip == attachments.slips.end()) return Refuse(Reason::kBadSlip, "a commitment has no slip");
      if (slip->portion != portion.number || slip->index != index) {
        return Refuse(Reason::kBadSlip, "the slips are not one for each commitment, in order");
      }
      // One commitment at a time: their order is the header's, checked once.
      if (CommitRecipient(slip->salt, slip->agency, slip->epoch_key_id, slip->enc) != portion.recipients[index]) {
        return Refuse(Reason::kBadSlip, "it opens to something else");
      }
      if (slip->agency.str() != kDecoyAgency && !agencies.insert(slip->agency).second) {
        return Refuse(Reason::kBadSlip, slip->agency.str() + " is named twice for one portion");
      }
    }
  }
  if (slip != attachments.slips.end()) return Refuse(Reason::kBadSlip, "a slip has no commitment");
  return Ok();
}

}  // namespace valija::record
