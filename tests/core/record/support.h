// What the tests of core/record share: the worked example's conventions, and one small record of our own.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "core/crypto/hash.h"
#include "core/record/body.h"
#include "core/record/seal.h"
#include "core/record/slip.h"
#include "tests/core/crypto/fixed_random.h"
#include "tests/support/vectors.h"

namespace valija::test {

using Json = nlohmann::json;

inline AgencyId Agency(std::string_view text) { return AgencyId::Parse(text).value(); }
inline MemberId Member(std::string_view text) { return MemberId::Parse(text).value(); }
inline AuthorityId Authority(std::string_view text) { return AuthorityId::Parse(text).value(); }
inline AgencyId AgencyOf(const Json& text) { return Agency(text.get<std::string>()); }
inline MemberId MemberOf(const Json& text) { return Member(text.get<std::string>()); }
inline AuthorityId AuthorityOf(const Json& text) { return Authority(text.get<std::string>()); }
inline crypto::KemPrivateKey KemKey(const Json& scalar) {
  return crypto::KemPrivateKey::FromScalar(Hex(scalar)).value();
}
inline std::string HexOf(const crypto::Secret& secret) { return ToHex(secret.view()); }

// A header of which only what a share context's info needs is there.
inline record::Header BareHeader(const MemberId& originator, const KeyId& signing_key_id, const WindowId& window_id,
                                 std::uint16_t suite = record::kSuite) {
  return {suite, {}, originator, signing_key_id, {}, {}, window_id, {}, {}, {}};
}

// "Streams" of the worked example's README: SHA-256(seed || u32 0) || SHA-256(seed || u32 1) || .., cut off.
inline Bytes Stream(ByteView seed, std::size_t length) {
  Bytes out(length);
  Bytes block = Concat({seed, Bytes(4)});
  for (std::size_t at = 0, i = 0; at < length; at += Hash::kSize, ++i) {
    for (std::size_t b = 0; b < 4; ++b) block[seed.size() + b] = static_cast<std::uint8_t>(i >> (24 - 8 * b));
    const Hash hash = crypto::Sha256(block);
    std::memcpy(out.data() + at, hash.bytes.data(), std::min(Hash::kSize, length - at));
  }
  return out;
}

// Filler that does not repeat, quickly.
inline Bytes Bytewise(std::size_t length, std::uint64_t seed) {
  Bytes out(length + sizeof(std::uint64_t));
  std::mt19937_64 dice(seed);
  for (std::size_t at = 0; at < length; at += sizeof(std::uint64_t)) {
    const std::uint64_t word = dice();
    std::memcpy(out.data() + at, &word, sizeof word);
  }
  out.resize(length);
  return out;
}

// Hands `bytes` to `take` in pieces of random sizes, some of them empty.
template <class Take>
Status InPieces(ByteView bytes, std::mt19937_64& dice, std::size_t longest, Take take) {
  while (!bytes.empty()) {
    auto now = std::min<std::size_t>(bytes.size(), std::uniform_int_distribution<std::size_t>(0, longest)(dice));
    if (auto done = take(bytes.first(now)); !done) return done;
    bytes = bytes.subspan(now);
  }
  return Ok();
}

inline record::Sink Into(Bytes& out) {
  return [&out](ByteView block) {
    Append(out, block);
    return Ok();
  };
}

template <class T>
::testing::AssertionResult RefusedFor(const Result<T>& result, Reason reason) {
  if (result.has_value()) return ::testing::AssertionFailure() << "accepted";
  if (result.error().reason != reason) return ::testing::AssertionFailure() << result.error().Message();
  return ::testing::AssertionSuccess();
}

// Two agencies, two authorities, two portions: everything a record has, with all its keys.
struct SmallRecord {
  FixedRandom random{"a small record"};
  crypto::SignKey signer = crypto::SignKey::Generate(random);
  std::vector<AgencyId> agencies = {Agency("mx.fgr"), Agency("us.dea")};
  std::vector<crypto::KemPrivateKey> epoch_keys;  // of the agencies
  std::vector<AuthorityId> authorities = {Authority("broker-1"), Authority("broker-2")};
  std::vector<crypto::KemPrivateKey> release_keys;  // of the authorities
  record::Window window{Member("co.fgn/avega"), signer.id(), FromMillis(0), random};
  record::RecordPayload payload{{}, BareHeader(window.originator(), signer.id(), window.id()), {}, {}};
  record::Attachments attachments;
  std::vector<crypto::Secret> ceks;  // of the portions
  std::vector<Bytes> bodies;
  record::ContextCache cache;

  SmallRecord() {
    std::vector<record::Recipient> recipients;
    std::vector<record::ReleaseAuthority> releasers;
    for (const auto& agency : agencies) {
      epoch_keys.push_back(crypto::KemPrivateKey::Generate(random));
      recipients.push_back({agency, epoch_keys.back().public_key()});
    }
    for (const auto& authority : authorities) {
      release_keys.push_back(crypto::KemPrivateKey::Generate(random));
      releasers.push_back({authority, release_keys.back().public_key()});
    }
    record::Header& header = payload.header;
    header.record_id = random.Make<RecordNonce>();
    header.origin = "log.example/valija";
    auto named = record::NameAuthorities(window, releasers, random);
    header.authorities = named.refs;
    attachments.authority_encs = named.encs;
    for (std::uint32_t p = 0; p < 2; ++p) {
      Bytes policy = Concat({random.Make<Salt>(), AsBytes("policy " + std::to_string(p))});
      auto committed = record::CommitRecipients(window, p, recipients, random);
      header.portions.push_back(
          {p, "TLP:AMBER", "text/plain", crypto::Sha256(policy), signer.id(), committed.commitments});
      attachments.policies.push_back(policy);
      attachments.slips.insert(attachments.slips.end(), committed.slips.begin(), committed.slips.end());
    }
    payload.header_bytes = ToBytes(AsBytes("stands in for the message"));
    payload.ctx = record::RecordContext(payload.header_bytes);
    for (std::uint32_t p = 0; p < 2; ++p) {
      ceks.push_back(random.MakeSecret(record::kCekSize));
      auto wraps = record::SealWraps(window, header, payload.ctx, SlipsOf(p), ceks.back());
      auto body = record::SealBody(ceks.back(), payload.ctx, p, random.Make<crypto::CobblestoneSalt>(),
                                   AsBytes("content " + std::to_string(p)));
      payload.portions.push_back({wraps, body.summary.length, body.summary.root});
      bodies.push_back(body.bytes);
    }
  }

  std::span<const record::Slip> SlipsOf(std::uint32_t portion) const {
    return std::span(attachments.slips).subspan(portion * agencies.size(), agencies.size());
  }
  const record::Slip& SlipOf(std::uint32_t portion, std::size_t agency) const {
    for (const auto& slip : SlipsOf(portion))
      if (slip.agency == agencies[agency]) return slip;
    throw std::logic_error("no slip");
  }
  // Of every authority, in the order of the header.
  std::vector<crypto::Secret> Shares(std::uint32_t portion, std::size_t agency) {
    std::vector<crypto::Secret> out;
    for (std::size_t j = 0; j < authorities.size(); ++j) {
      out.push_back(record::MakeReleaseShare(payload.header, payload.ctx, portion, agencies[agency], authorities[j],
                                             release_keys[j], attachments.authority_encs[j], cache)
                        .value());
    }
    return out;
  }
};

}  // namespace valija::test
