// Every byte-level case of the worked example: accepted ones give their value, refused ones are refused for the reason
// that stands in `why`, as far as a reason code can tell. An op that this test does not know is a failure.
#include <map>
#include <random>
#include <set>

#include "core/crypto/dsse.h"
#include "core/record/batch.h"
#include "core/record/epoch.h"
#include "core/record/release.h"
#include "tests/core/record/support.h"

namespace valija::record {
namespace {

using namespace valija::test;

// Nothing of a case but its shape is trusted: a value that does not fit its type is refused as the product would.
template <class T>
Result<T> Need(std::optional<T> value, Reason reason) {
  if (!value) return Refuse(reason, "it does not fit its type");
  return *std::move(value);
}

Result<Bytes> PublicKey(const Json& in) {
  auto kem = crypto::KemPublicKey::FromPoint(Hex(in.at("bytes")));
  auto verify = crypto::VerifyKey::FromPoint(Hex(in.at("bytes")));
  EXPECT_EQ(kem.has_value(), verify.has_value());
  if (!kem) return kem.error();
  return Bytes{};
}

Result<Bytes> Verify(const Json& in) {
  TRY(auto key, crypto::VerifyKey::FromPoint(Hex(in.at("public_key"))));
  const Bytes pae = crypto::Pae(in.at("payload_type").get<std::string>(), Hex(in.at("payload")));
  if (!key.Verify(pae, Hex(in.at("signature")))) return Refuse(Reason::kBadSignature);
  return Bytes{};
}

Result<Bytes> Batched(const Json& in) {
  TRY(auto key, crypto::VerifyKey::FromPoint(Hex(in.at("public_key"))));
  TRY(auto signer, Need(KeyId::From(Hex(in.at("signer_key_id"))), Reason::kMalformed));
  std::vector<Hash> path;
  for (const auto& text : in.at("path")) {
    TRY(Hash hash, Need(Hash::From(Hex(text)), Reason::kBadBatch));
    path.push_back(hash);
  }
  TRY(auto batch, VerifiedBatch::Verify(key, Hex(in.at("batch_payload")), Hex(in.at("signature"))));
  TRY_OK(batch.Contains(in.at("payload_type").get<std::string>(), Hex(in.at("payload")), signer, in.at("index"), path));
  return Bytes{};
}

Result<Bytes> Unwrap(const Json& in) {
  TRY(auto originator, Need(MemberId::Parse(in.at("originator").get<std::string>()), Reason::kMalformed));
  TRY(auto key_id, Need(KeyId::From(Hex(in.at("originator_key_id"))), Reason::kMalformed));
  TRY(auto window_id, Need(WindowId::From(Hex(in.at("window_id"))), Reason::kMalformed));
  const Header header = BareHeader(originator, key_id, window_id, in.at("suite").get<std::uint16_t>());
  const Hash ctx = RecordContext(Hex(in.at("header")));
  const std::uint32_t portion = in.at("portion");
  const std::string agency_name = in.at("agency").at("id");
  TRY(auto agency, Need(AgencyId::Parse(agency_name), Reason::kMalformed));
  ContextCache cache;
  auto context = [&](Role role, const Json& side) -> Result<std::shared_ptr<const crypto::HpkeContext>> {
    TRY(auto key, crypto::KemPrivateKey::FromScalar(Hex(side.at("sk"))));
    TRY(auto enc, Need(Point::From(Hex(side.at("enc"))), Reason::kBadKey));
    return cache.Get(header, role, side.at("id").get<std::string>(), key, enc);
  };
  TRY(auto agency_context, context(Role::kAgency, in.at("agency")));
  std::vector<crypto::Secret> released;
  for (const auto& side : in.at("authorities")) {
    TRY(auto authority_context, context(Role::kRelease, side));
    released.push_back(ReleaseShare(*authority_context, ctx, portion, agency));
  }
  TRY(auto cek,
      UnwrapCek(ctx, portion, agency, AgencyShare(*agency_context, ctx, portion), released, Hex(in.at("wrapped_cek"))));
  return ToBytes(cek.view());
}

Result<Bytes> OpenedBody(const Json& in) {
  const auto cek = crypto::Secret::CopyOf(Hex(in.at("cek")));
  const auto ctx = FixedHex<Hash>(in.at("ctx")), root = FixedHex<Hash>(in.at("body_root"));
  const Bytes body = Hex(in.at("body"));
  const std::uint32_t portion = in.at("portion");
  const std::uint64_t length = in.at("body_length");
  auto whole = OpenBody(cek, ctx, portion, body, length, root);
  // The same in pieces, with the slice hashes that whoever sends the body would send.
  auto streamed = [&]() -> Result<Bytes> {
    if (body.empty()) return Refuse(Reason::kBadBody);
    TRY(auto slices, SliceList::Check(length, root, SummariseBody(body).slice_hashes));
    BodyOpener opener(cek, ctx, portion, std::move(slices));
    Bytes plain;
    std::mt19937_64 dice(1);
    TRY_OK(InPieces(body, dice, 999, [&](ByteView piece) { return opener.Update(piece, Into(plain)); }));
    TRY_OK(opener.Finish(Into(plain)));
    return plain;
  }();
  EXPECT_EQ(whole.has_value(), streamed.has_value());
  if (whole && streamed) {
    EXPECT_EQ(*whole, *streamed);
  }
  if (!whole && !streamed) {
    EXPECT_EQ(whole.error().reason, streamed.error().reason);
  }
  // What was signed is told from what was sealed.
  if (!whole && !body.empty()) {
    const bool as_signed = body.size() == length && SummariseBody(body).root == root;
    EXPECT_EQ(whole.error().reason, as_signed ? Reason::kBadSeal : Reason::kBadBody);
  }
  return whole;
}

Result<Bytes> OpenedSlip(const Json& in) {
  std::vector<Commitment> commitments;
  for (const auto& text : in.at("commitments")) commitments.push_back(FixedHex<Commitment>(text));
  TRY(auto agency, Need(AgencyId::Parse(in.at("agency").get<std::string>()), Reason::kMalformed));
  TRY(auto enc, Need(Point::From(Hex(in.at("enc"))), Reason::kBadKey));
  TRY_OK(CheckSlip(commitments, Slip{0, in.at("index"), FixedHex<Salt>(in.at("salt")), agency,
                                     FixedHex<KeyId>(in.at("epoch_key_id")), enc}));
  return Bytes{};
}

Result<Bytes> OpenedEntry(const Json& in) {
  const Commitment commitment = CommitEntryBytes(FixedHex<Salt>(in.at("salt")), Hex(in.at("entry")));
  if (commitment != FixedHex<Commitment>(in.at("commitment"))) return Refuse(Reason::kBadProof);
  return Bytes{};
}

Result<Bytes> OpenedRelease(const Json& in) {
  TRY(auto authority, Need(AuthorityId::Parse(in.at("authority").get<std::string>()), Reason::kMalformed));
  TRY(auto agency, Need(AgencyId::Parse(in.at("agency").get<std::string>()), Reason::kMalformed));
  TRY(auto enc, Need(Point::From(Hex(in.at("enc"))), Reason::kBadKey));
  TRY(auto key, crypto::KemPrivateKey::FromScalar(Hex(in.at("reply_sk"))));
  const ReleaseBinding binding{FixedHex<Digest>(in.at("request_digest")), FixedHex<Digest>(in.at("decision_digest")),
                               authority, agency, FixedHex<KeyId>(in.at("member_key_id"))};
  TRY(auto shares, OpenRelease(binding, key, enc, Hex(in.at("ciphertext")), in.at("share_count")));
  Bytes row;
  for (const auto& share : shares) Append(row, share.view());
  return row;
}

Result<Bytes> OpenedEpoch(const Json& in) {
  TRY(auto agency, Need(AgencyId::Parse(in.at("agency").get<std::string>()), Reason::kMalformed));
  TRY(auto member, Need(MemberId::Parse(in.at("member").get<std::string>()), Reason::kMalformed));
  TRY(auto epoch_public, Need(Point::From(Hex(in.at("epoch_pub"))), Reason::kBadKey));
  TRY(auto enc, Need(Point::From(Hex(in.at("enc"))), Reason::kBadKey));
  TRY(auto member_key, crypto::KemPrivateKey::FromScalar(Hex(in.at("member_kem_sk"))));
  TRY(auto key, OpenEpochKey(epoch_public, agency, in.at("epoch"), FixedHex<Digest>(in.at("previous_digest")), member,
                             member_key, enc, Hex(in.at("ciphertext"))));
  return ToBytes(key.Scalar().view());
}

struct Op {
  Result<Bytes> (*run)(const Json& in);
  std::set<Reason> refuses;  // nothing else, above all not that the case itself could not be read
};
const std::map<std::string, Op> kOps = {
    {"public-key", {PublicKey, {Reason::kBadKey}}},
    {"verify", {Verify, {Reason::kBadSignature, Reason::kBadKey}}},
    {"batch", {Batched, {Reason::kBadBatch}}},
    {"unwrap", {Unwrap, {Reason::kBadSeal, Reason::kUnknownSuite, Reason::kBadKey}}},
    {"body", {OpenedBody, {Reason::kBadSeal, Reason::kBadBody}}},
    {"slip", {OpenedSlip, {Reason::kBadSlip, Reason::kBadHeader}}},
    {"entry", {OpenedEntry, {Reason::kBadProof}}},
    {"release", {OpenedRelease, {Reason::kWrongRelease, Reason::kBadKey}}},
    {"epoch", {OpenedEpoch, {Reason::kBadSeal, Reason::kBadKey}}},
};
// Cases whose reason has a code of its own.
const std::map<std::string, Reason> kReasons = {
    {"unwrap/suite", Reason::kUnknownSuite},
    {"unwrap/enc-compressed", Reason::kBadKey},
    {"slip/order", Reason::kBadHeader},
    {"slip/twice", Reason::kBadHeader},
    {"slip/index-past", Reason::kBadSlip},
    {"slip/enc", Reason::kBadSlip},
    {"release/enc-compressed", Reason::kBadKey},
    {"release/enc-infinity", Reason::kBadKey},
    {"verify/compressed-key", Reason::kBadKey},
    {"verify/high-s", Reason::kBadSignature},
    {"body/root", Reason::kBadBody},
    {"body/length", Reason::kBadBody},
    {"body/forged", Reason::kBadBody},
};

TEST(Cases, AreAcceptedAndRefusedAsTheyMustBe) {
  std::map<std::string, std::pair<int, int>> counts;  // accepted, refused
  const Json file = ReadJson(WorkedExample() / "cases.json");
  for (const auto& one : file.at("cases")) {
    const std::string id = one.at("id"), op = one.at("op");
    SCOPED_TRACE(id + ": " + one.at("why").get<std::string>());
    auto known = kOps.find(op);
    ASSERT_NE(known, kOps.end());
    auto result = known->second.run(one.at("in"));
    if (one.at("expected") == "accept") {
      EXPECT_TRUE(result) << result.error().Message();
      if (result && one.contains("out")) {
        EXPECT_EQ(ToHex(*result), one.at("out"));
      }
      ++counts[op].first;
      continue;
    }
    ASSERT_EQ(one.at("expected"), "reject");
    ++counts[op].second;
    EXPECT_FALSE(result);
    if (result) continue;
    EXPECT_TRUE(known->second.refuses.contains(result.error().reason)) << result.error().Message();
    if (auto named = kReasons.find(id); named != kReasons.end()) {
      EXPECT_TRUE(RefusedFor(result, named->second));
    }
  }
  for (const auto& [op, unused] : kOps) {
    std::cout << "[ CASES    ] " << op << ": " << counts[op].first << " accepted, " << counts[op].second
              << " refused\n";
    EXPECT_GT(counts[op].first, 0) << op;
    EXPECT_GT(counts[op].second, 0) << op;
  }
}

}  // namespace
}  // namespace valija::record
