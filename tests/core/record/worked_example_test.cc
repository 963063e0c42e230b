// Every value of the worked example that core/record makes, from both sides. The files' conventions are in
// tests/vectors/worked-example/README.md.
#include <map>

#include "core/crypto/dsse.h"
#include "core/crypto/kdf.h"
#include "core/log/tree.h"
#include "core/record/batch.h"
#include "core/record/epoch.h"
#include "core/record/release.h"
#include "tests/core/record/support.h"

namespace valija::record {
namespace {

using namespace valija::test;

// RFC 9180 5.1 for base mode, export only: what joins kem_shared_secret and exporter_secret.
std::string ExporterSecret(ByteView shared_secret, ByteView info) {
  const Bytes suite = Concat({AsBytes("HPKE"), Bytes{0x00, 0x10, 0x00, 0x01, 0xff, 0xff}});
  auto extract = [&](ByteView salt, std::string_view label, ByteView ikm) {
    return crypto::HkdfExtractSha256(salt, {AsBytes("HPKE-v1"), suite, AsBytes(label), ikm});
  };
  auto id = extract({}, "psk_id_hash", {}), hash = extract({}, "info_hash", info);
  Bytes context = Concat({Bytes{0x00}, id.view(), hash.view()});
  auto secret = extract(shared_secret, "secret", {});
  return HexOf(crypto::HkdfExpandSha256(secret.view(),
                                        {Bytes{0x00, 0x20}, AsBytes("HPKE-v1"), suite, AsBytes("exp"), context}, 32));
}

// A file's window, from the sender's side and from each receiver's.
struct Windows {
  MemberId originator;
  KeyId signing_key_id;
  Window sender;
  std::map<std::pair<std::string, std::string>, Json> contexts;  // by role and id

  static Windows Of(const Json& file) {
    const Json& window = file.at("window");
    Bytes draws = Hex(window.at("window_id"));
    for (const auto& c : window.at("contexts")) Append(draws, Hex(c.at("ephemeral_sk")));
    FixedRandom random("", draws);
    MemberId originator = MemberOf(file.at("originator").at("member"));
    auto key_id = FixedHex<KeyId>(file.at("originator").at("signing_key_id"));
    Windows out{originator, key_id, Window(originator, key_id, FromMillis(0), random), {}};
    for (const auto& c : window.at("contexts")) {
      const std::string role = c.at("role"), id = c.at("id");
      auto key = crypto::KemPublicKey::FromPoint(Hex(c.at("pub"))).value();
      if (role == NameOf(Role::kAgency)) {
        out.sender.Agency(AgencyOf(id), key, random);
      } else {
        out.sender.Authority(AuthorityOf(id), key, random);
      }
      out.contexts[{role, id}] = c;
    }
    return out;
  }
  const Json& Of(Role role, const std::string& id) const { return contexts.at({std::string(NameOf(role)), id}); }
  Header SharedHeader() const { return BareHeader(originator, signing_key_id, sender.id()); }
  const ShareContext& Sent(Role role, const std::string& id) const {
    return *sender.Find(role, id, FixedHex<KeyId>(Of(role, id).at("key_id")));
  }
};

std::vector<crypto::Secret> Secrets(const Json& list) {
  std::vector<crypto::Secret> out;
  for (const auto& item : list) out.push_back(crypto::Secret::CopyOf(Hex(item)));
  return out;
}

void ExpectContexts(const Json& file, const Windows& windows) {
  EXPECT_EQ(windows.sender.id().Hex(), file.at("window").at("window_id"));
  EXPECT_FALSE(windows.contexts.empty());
  for (const auto& [name, c] : windows.contexts) {
    const auto& [role_name, id] = name;
    const Role role = role_name == NameOf(Role::kAgency) ? Role::kAgency : Role::kRelease;
    auto key = KemKey(c.at("sk"));
    EXPECT_EQ(key.public_key().point().Hex(), c.at("pub"));
    EXPECT_EQ(key.id().Hex(), c.at("key_id"));
    Hash info = WindowInfo(kSuite, role, windows.originator, windows.signing_key_id, id, key.id(), windows.sender.id());
    EXPECT_EQ(info.Hex(), c.at("info"));
    EXPECT_EQ(crypto::Sha256(Hex(c.at("info_preimage"))), info);
    const ShareContext& sent = windows.Sent(role, id);
    EXPECT_EQ(sent.enc.Hex(), c.at("enc"));
    EXPECT_EQ(sent.enc_hash.Hex(), c.at("enc_sha256"));
    EXPECT_EQ(HexOf(sent.context.exporter_secret()), c.at("exporter_secret"));
    auto received = ReceiverContext(windows.SharedHeader(), role, id, key, sent.enc);
    ASSERT_TRUE(received);
    EXPECT_EQ(HexOf(received->exporter_secret()), c.at("exporter_secret"));
    EXPECT_EQ(ExporterSecret(Hex(c.at("kem_shared_secret")), info), c.at("exporter_secret"));
  }
}

// The header as the core has it, from the values that the file gives beside the stand-in.
Header HeaderOf(const Json& record, const Windows& windows) {
  Header header = windows.SharedHeader();
  for (const auto& id : record.at("authorities")) {
    const Json& c = windows.Of(Role::kRelease, id);
    header.authorities.push_back(
        {AuthorityOf(id), FixedHex<KeyId>(c.at("key_id")), FixedHex<Hash>(c.at("enc_sha256"))});
  }
  for (const auto& p : record.at("portions")) {
    PortionHead head;
    head.number = p.at("portion");
    head.policy_digest = FixedHex<Hash>(p.at("policy_sha256"));
    for (const auto& r : p.at("recipients")) head.recipients.push_back(FixedHex<Commitment>(r.at("commitment")));
    header.portions.push_back(std::move(head));
  }
  return header;
}

Slip SlipOf(const Json& portion, const Json& recipient, const Windows& windows) {
  return {portion.at("portion"),
          recipient.at("index"),
          FixedHex<Salt>(recipient.at("commitment_salt")),
          AgencyOf(recipient.at("agency")),
          FixedHex<KeyId>(recipient.at("epoch_key_id")),
          FixedHex<Point>(windows.Of(Role::kAgency, recipient.at("agency")).at("enc"))};
}

// Commitments, shares and wraps of a record or a grant, value by value and then along the straight path.
int ExpectShares(const Json& file, const Json& record, const Windows& windows) {
  int wraps = 0;
  const Hash ctx = FixedHex<Hash>(record.at("ctx"));
  EXPECT_EQ(RecordContext(Hex(record.at("header"))), ctx);
  RecordPayload payload{Hex(record.at("header")), HeaderOf(record, windows), ctx, {}};
  for (const auto& portion : record.at("portions")) {
    payload.portions.emplace_back();
    for (const auto& r : portion.at("recipients")) payload.portions.back().wraps.push_back(Hex(r.at("wrapped_cek")));
  }
  ContextCache cache;
  for (const auto& portion : record.at("portions")) {
    const std::uint32_t number = portion.at("portion");
    const Json cek_text = portion.contains("cek") ? portion.at("cek") : record.at("cek");
    const auto cek = crypto::Secret::CopyOf(Hex(cek_text));
    EXPECT_EQ(crypto::Sha256(Hex(portion.at("policy"))).Hex(), portion.at("policy_sha256"));

    std::vector<Slip> slips;
    std::vector<Recipient> recipients;
    Bytes salts;
    for (const auto& r : portion.at("recipients")) {
      const std::string agency_name = r.at("agency");
      const AgencyId agency = Agency(agency_name);
      const Json& context = windows.Of(Role::kAgency, agency_name);
      EXPECT_EQ(r.at("enc_sha256"), context.at("enc_sha256"));
      slips.push_back(SlipOf(portion, r, windows));
      EXPECT_EQ(CommitRecipient(slips.back().salt, agency, slips.back().epoch_key_id, slips.back().enc).Hex(),
                r.at("commitment"));
      EXPECT_TRUE(CheckSlip(payload.header, slips.back()));
      recipients.push_back({agency, crypto::KemPublicKey::FromPoint(Hex(context.at("pub"))).value()});
      Append(salts, slips.back().salt);

      EXPECT_EQ(AgencyShareContext(ctx, number).Hex(), r.at("agency_share_context"));
      EXPECT_EQ(ReleaseShareContext(ctx, number, agency).Hex(), r.at("release_share_context"));
      auto agency_share = AgencyShare(windows.Sent(Role::kAgency, agency_name).context, ctx, number);
      EXPECT_EQ(HexOf(agency_share), r.at("agency_share"));
      EXPECT_EQ(record.at("authorities").size(), r.at("release_shares").size());
      std::vector<crypto::Secret> released;
      for (std::size_t j = 0; j < record.at("authorities").size(); ++j) {
        const std::string authority = record.at("authorities")[j];
        EXPECT_EQ(HexOf(ReleaseShare(windows.Sent(Role::kRelease, authority).context, ctx, number, agency)),
                  r.at("release_shares")[j]);
        const Json& c = windows.Of(Role::kRelease, authority);
        released.push_back(MakeReleaseShare(payload.header, ctx, number, agency, Authority(authority),
                                            KemKey(c.at("sk")), FixedHex<Point>(c.at("enc")), cache)
                               .value());
        EXPECT_EQ(HexOf(released.back()), r.at("release_shares")[j]);
      }
      auto keys = DeriveWrapKeys(ctx, number, agency, agency_share, released);
      EXPECT_EQ(HexOf(keys.prk), r.at("prk"));
      EXPECT_EQ(HexOf(keys.key), r.at("wrap_key"));
      EXPECT_EQ(HexOf(keys.nonce), r.at("wrap_nonce"));
      Bytes number_bytes;
      AppendU32(number_bytes, number);
      EXPECT_EQ(crypto::TupleHash("wrap", {number_bytes, AsBytes(agency_name)}).Hex(), r.at("wrap_info"));
      EXPECT_EQ(ToHex(WrapCek(ctx, number, agency, agency_share, released, cek)), r.at("wrapped_cek"));
      auto opened = OpenCek(payload, slips.back(), KemKey(context.at("sk")), released, cache);
      EXPECT_TRUE(opened && opened->EqualTo(cek));
      ++wraps;
    }
    // The sender's path gives the same commitments and wraps.
    FixedRandom random("", salts);
    Window sender = Windows::Of(file).sender;
    auto committed = CommitRecipients(sender, number, recipients, random);
    EXPECT_EQ(committed.commitments, FindPortion(payload.header, number)->recipients);
    auto made = SealWraps(sender, payload.header, ctx, committed.slips, cek);
    const auto place = static_cast<std::size_t>(FindPortion(payload.header, number) - payload.header.portions.data());
    EXPECT_EQ(made, payload.portions[place].wraps);
  }
  return wraps;
}

void ExpectBody(const Json& portion, const Hash& ctx) {
  const std::uint32_t number = portion.at("portion");
  const Bytes plain = Stream(Hex(portion.at("plaintext_seed")), portion.at("plaintext_length"));
  EXPECT_EQ(crypto::Sha256(plain).Hex(), portion.at("plaintext_sha256"));
  if (portion.contains("plaintext")) {
    EXPECT_EQ(ToHex(plain), portion.at("plaintext"));
  }
  Bytes padded = plain;
  ASSERT_TRUE(WritePadding(plain.size(), Into(padded)));
  EXPECT_EQ(padded.size(), portion.at("padded_length").get<std::size_t>());
  EXPECT_EQ(crypto::Sha256(padded).Hex(), portion.at("padded_sha256"));

  const auto cek = crypto::Secret::CopyOf(Hex(portion.at("cek")));
  const auto salt = FixedHex<crypto::CobblestoneSalt>(portion.at("cobblestone_salt"));
  EXPECT_EQ(ContentContext(ctx, number).Hex(), portion.at("content_context"));
  auto keys = crypto::DeriveCobblestone(cek.view(), ContentContext(ctx, number), salt);
  EXPECT_EQ(HexOf(keys.key), portion.at("cobblestone_key"));
  EXPECT_EQ(HexOf(keys.base_nonce), portion.at("cobblestone_base_nonce"));
  EXPECT_EQ(keys.commitment.Hex(), portion.at("cobblestone_commitment"));

  SealedBody body = SealBody(cek, ctx, number, salt, plain);
  EXPECT_EQ(body.bytes.size(), portion.at("body_length").get<std::size_t>());
  EXPECT_EQ(crypto::Sha256(body.bytes).Hex(), portion.at("body_sha256"));
  if (portion.contains("body")) {
    EXPECT_EQ(ToHex(body.bytes), portion.at("body"));
  }
  ASSERT_EQ(body.summary.slice_hashes.size(), portion.at("slice_hashes").size());
  for (std::size_t i = 0; i < body.summary.slice_hashes.size(); ++i) {
    EXPECT_EQ(body.summary.slice_hashes[i].Hex(), portion.at("slice_hashes")[i]);
  }
  EXPECT_EQ(body.summary.root.Hex(), portion.at("body_root"));
  auto opened =
      OpenBody(cek, ctx, number, body.bytes, portion.at("body_length"), FixedHex<Hash>(portion.at("body_root")));
  ASSERT_TRUE(opened) << opened.error().Message();
  EXPECT_TRUE(Equal(*opened, plain));
}

void ExpectStatement(const Json& statement) {
  const std::string type = statement.at("payload_type");
  const Bytes payload = Hex(statement.at("payload"));
  EXPECT_EQ(crypto::Pae(type, payload).size(), statement.at("pae_length").get<std::size_t>());
  EXPECT_EQ(crypto::DigestOf(type, payload).Hex(), statement.at("digest"));
  EXPECT_EQ(StatementLeaf(type, payload).Hex(), statement.at("leaf_hash"));
}

// Statements under one batch signature: what the file holds verifies, and what we sign has the same payload and paths.
void ExpectBatch(const Json& signer, const std::vector<Json>& statements, const Json& batch,
                 const std::vector<Json>& paths) {
  ASSERT_FALSE(statements.empty());
  ASSERT_EQ(statements.size(), paths.size());
  auto key = crypto::SignKey::FromScalar(Hex(signer.at("signing_sk"))).value();
  EXPECT_EQ(key.verify_key().point().Hex(), signer.at("signing_pub"));
  EXPECT_EQ(key.id().Hex(), signer.at("signing_key_id"));
  EXPECT_EQ(batch.at("payload_type"), kBatchPayloadType);
  const Bytes payload = Hex(batch.at("payload")), pae = crypto::Pae(kBatchPayloadType, payload);
  EXPECT_EQ(ToHex(pae), batch.at("pae"));
  EXPECT_EQ(crypto::Sha256(pae).Hex(), batch.at("pae_sha256"));
  std::vector<Hash> leaves;
  for (const auto& statement : statements) {
    ExpectStatement(statement);
    leaves.push_back(FixedHex<Hash>(statement.at("leaf_hash")));
  }
  SignedBatch ours = SignBatch(key, leaves);
  EXPECT_EQ(ours.payload, payload);
  auto theirs = VerifiedBatch::Verify(key.verify_key(), payload, Hex(batch.at("signature")));
  ASSERT_TRUE(theirs) << theirs.error().Message();
  EXPECT_EQ(theirs->size(), batch.at("size").get<std::uint64_t>());
  EXPECT_EQ(theirs->root().Hex(), batch.at("root"));
  EXPECT_TRUE(VerifiedBatch::Verify(key.verify_key(), ours.payload, ours.signature));
  for (const auto& item : paths) {
    const std::size_t index = item.at("index");
    std::vector<Hash> path;
    for (const auto& hash : item.at("path")) path.push_back(FixedHex<Hash>(hash));
    EXPECT_EQ(ours.paths.at(index), path);
    EXPECT_TRUE(theirs->Contains(statements[index].at("payload_type").get<std::string>(),
                                 Hex(statements[index].at("payload")), key.id(), index, path));
  }
}

void ExpectRecords(const Json& file) {
  Windows windows = Windows::Of(file);
  ExpectContexts(file, windows);
  int wraps = 0, portions = 0;
  for (const auto& record : file.at("records")) {
    SCOPED_TRACE(record.at("name").get<std::string>());
    wraps += ExpectShares(file, record, windows);
    Bytes payload;
    const Bytes header = Hex(record.at("header"));
    AppendU32(payload, static_cast<std::uint32_t>(header.size()));
    Append(payload, header);
    for (const auto& portion : record.at("portions")) {
      ExpectBody(portion, FixedHex<Hash>(record.at("ctx")));
      AppendU32(payload, static_cast<std::uint32_t>(portion.at("recipients").size()));
      for (const auto& r : portion.at("recipients")) Append(payload, Hex(r.at("wrapped_cek")));
      AppendU64(payload, portion.at("body_length"));
      Append(payload, Hex(portion.at("body_root")));
      ++portions;
    }
    EXPECT_EQ(ToHex(payload), record.at("statement").at("payload"));
    ExpectBatch(file.at("originator"), {record.at("statement")}, record.at("batch"), {record.at("batch")});
  }
  EXPECT_GT(wraps, 0);
  EXPECT_GT(portions, 0);
}

TEST(WorkedExample, RecordSingle) { ExpectRecords(ReadJson(WorkedExample() / "record-single.json")); }
TEST(WorkedExample, RecordWindow) { ExpectRecords(ReadJson(WorkedExample() / "record-window.json")); }

TEST(WorkedExample, Batch) {
  Json file = ReadJson(WorkedExample() / "batch.json");
  ExpectBatch(file.at("signer"), file.at("statements"), file.at("batch"), file.at("batch").at("paths"));
}

TEST(WorkedExample, Grant) {
  Json file = ReadJson(WorkedExample() / "grant.json");
  Windows windows = Windows::Of(file);
  ExpectContexts(file, windows);
  const Json& original = file.at("original");
  EXPECT_EQ(ContentContext(FixedHex<Hash>(original.at("ctx")), original.at("portion")).Hex(),
            original.at("content_context"));
  Json grant = file.at("grant");
  grant["cek"] = original.at("cek");  // wraps of the same CEK
  EXPECT_GT(ExpectShares(file, grant, windows), 0);
  Bytes payload;
  const Bytes header = Hex(grant.at("header"));
  AppendU32(payload, static_cast<std::uint32_t>(header.size()));
  Append(payload, header);
  for (const auto& portion : grant.at("portions")) {
    AppendU32(payload, static_cast<std::uint32_t>(portion.at("recipients").size()));
    for (const auto& r : portion.at("recipients")) Append(payload, Hex(r.at("wrapped_cek")));
  }
  const Json& statement = grant.at("statement");
  EXPECT_EQ(ToHex(payload), statement.at("payload"));
  ExpectStatement(statement);
  auto key = crypto::VerifyKey::FromPoint(Hex(file.at("originator").at("signing_pub"))).value();
  EXPECT_TRUE(key.Verify(crypto::Pae(statement.at("payload_type").get<std::string>(), payload),
                         Hex(statement.at("signature"))));
}

TEST(WorkedExample, Epoch) {
  int wraps = 0;
  const Json file = ReadJson(WorkedExample() / "epoch.json");
  for (const auto& w : file.at("wraps")) {
    auto epoch_key = KemKey(w.at("epoch_sk"));
    auto member_key = KemKey(w.at("member_kem_sk"));
    EXPECT_EQ(epoch_key.public_key().point().Hex(), w.at("epoch_pub"));
    EXPECT_EQ(epoch_key.id().Hex(), w.at("epoch_key_id"));
    EXPECT_EQ(member_key.public_key().point().Hex(), w.at("member_kem_pub"));
    EXPECT_EQ(member_key.id().Hex(), w.at("member_kem_key_id"));
    const AgencyId agency = AgencyOf(w.at("agency"));
    const MemberId member = MemberOf(w.at("member"));
    const auto previous = FixedHex<Digest>(w.at("previous_digest"));
    Hash info = EpochInfo({agency, w.at("epoch"), epoch_key.id(), previous, member, member_key.id()});
    EXPECT_EQ(info.Hex(), w.at("info"));
    EXPECT_EQ(crypto::Sha256(Hex(w.at("info_preimage"))), info);
    FixedRandom random("", Hex(w.at("ephemeral_sk")));
    auto sealed = SealEpochKey(epoch_key, agency, w.at("epoch"), previous, member, member_key.public_key(), random);
    EXPECT_EQ(sealed.enc.Hex(), w.at("enc"));
    EXPECT_EQ(ToHex(sealed.ciphertext), w.at("ciphertext"));
    auto opened = OpenEpochKey(FixedHex<Point>(w.at("epoch_pub")), agency, w.at("epoch"), previous, member, member_key,
                               FixedHex<Point>(w.at("enc")), Hex(w.at("ciphertext")));
    ASSERT_TRUE(opened) << opened.error().Message();
    EXPECT_EQ(HexOf(opened->Scalar()), w.at("epoch_sk"));
    ++wraps;
  }
  EXPECT_GT(wraps, 0);
}

TEST(WorkedExample, Release) {
  int releases = 0;
  const Json file = ReadJson(WorkedExample() / "release.json");
  for (const auto& r : file.at("releases")) {
    for (const auto& part : {r.at("request"), r.at("decision")}) {
      EXPECT_EQ(crypto::DigestOf(part.at("payload_type").get<std::string>(), Hex(part.at("payload"))).Hex(),
                part.at("digest"));
    }
    const Json& entry = r.at("entry");
    Commitment commitment = CommitEntryBytes(FixedHex<Salt>(entry.at("salt")), Hex(entry.at("bytes")));
    EXPECT_EQ(commitment.Hex(), entry.at("commitment"));
    EXPECT_EQ(log::LeafHash(commitment).Hex(), entry.at("leaf_hash"));

    ReleaseBinding binding{FixedHex<Digest>(r.at("request").at("digest")),
                           FixedHex<Digest>(r.at("decision").at("digest")), AuthorityOf(r.at("authority")),
                           AgencyOf(r.at("agency")), FixedHex<KeyId>(r.at("member_key_id"))};
    Hash info = ReleaseInfo(binding);
    EXPECT_EQ(info.Hex(), r.at("info"));
    EXPECT_EQ(crypto::Sha256(Hex(r.at("info_preimage"))), info);
    Json allowed = Json::array();
    for (const auto& item : r.at("items")) {
      if (item.contains("release_share")) allowed.push_back(item.at("release_share"));
    }
    auto reply_key = KemKey(r.at("reply_sk"));
    EXPECT_EQ(reply_key.public_key().point().Hex(), r.at("reply_pub"));
    FixedRandom random("", Hex(r.at("ephemeral_sk")));
    auto sealed = SealRelease(binding, reply_key.public_key(), Secrets(allowed), random);
    EXPECT_EQ(sealed.enc.Hex(), r.at("enc"));
    EXPECT_EQ(ToHex(sealed.ciphertext), r.at("ciphertext"));
    auto opened =
        OpenRelease(binding, reply_key, FixedHex<Point>(r.at("enc")), Hex(r.at("ciphertext")), allowed.size());
    ASSERT_TRUE(opened) << opened.error().Message();
    std::string plaintext;
    for (std::size_t i = 0; i < opened->size(); ++i) {
      EXPECT_EQ(HexOf((*opened)[i]), allowed[i]);
      plaintext += HexOf((*opened)[i]);
    }
    EXPECT_EQ(plaintext, r.at("plaintext"));
    ++releases;
  }
  EXPECT_GT(releases, 0);
}

TEST(WorkedExample, Primitives) {
  Json file = ReadJson(WorkedExample() / "primitives.json");
  int tuples = 0, keys = 0, trees = 0;
  for (const auto& tuple : file.at("tuples")) {
    // T is given its inputs one by one: the label's own functions are tested by the other files.
    std::vector<Bytes> in;
    for (const auto& input : tuple.at("inputs")) in.push_back(Hex(input));
    const std::string label = tuple.at("label");
    const Bytes t = in.size() == 1   ? crypto::TupleBytes(label, {in[0]})
                    : in.size() == 2 ? crypto::TupleBytes(label, {in[0], in[1]})
                    : in.size() == 3 ? crypto::TupleBytes(label, {in[0], in[1], in[2]})
                                     : Bytes{};
    EXPECT_EQ(ToHex(t), tuple.at("t")) << label;
    EXPECT_EQ(crypto::Sha256(t).Hex(), tuple.at("h")) << label;
    ++tuples;
  }
  for (const auto& key : file.at("key_ids")) {
    EXPECT_EQ(KemKey(key.at("sk")).public_key().point().Hex(), key.at("pub"));
    EXPECT_EQ(crypto::KeyIdOf(FixedHex<Point>(key.at("pub"))).Hex(), key.at("key_id"));
    ++keys;
  }
  for (const auto& tree : file.at("trees")) {
    std::vector<Hash> leaves;
    for (const auto& leaf : tree.at("leaf_hashes")) leaves.push_back(FixedHex<Hash>(leaf));
    EXPECT_EQ(log::RootOf(leaves).Hex(), tree.at("root"));
    auto signer = crypto::SignKey::FromScalar(Hex(file.at("key_ids")[0].at("sk"))).value();
    SignedBatch batch = SignBatch(signer, leaves);
    EXPECT_EQ(ToHex(batch.payload), ToHex(BatchPayload(signer.id(), leaves.size(), FixedHex<Hash>(tree.at("root")))));
    ASSERT_EQ(batch.paths.size(), tree.at("paths").size());
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      std::vector<Hash> path;
      for (const auto& hash : tree.at("paths")[i]) path.push_back(FixedHex<Hash>(hash));
      EXPECT_EQ(batch.paths[i], path);
      EXPECT_TRUE(log::VerifyInclusion(i, leaves.size(), leaves[i], path, FixedHex<Hash>(tree.at("root"))));
    }
    ++trees;
  }
  EXPECT_GT(tuples, 0);
  EXPECT_GT(keys, 0);
  EXPECT_GT(trees, 0);
}

}  // namespace
}  // namespace valija::record
