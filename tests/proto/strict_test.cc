// Anybody's bytes: whatever is accepted is the one form of what was understood; everything else is refused by its reason.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/proto/codings.h"

namespace valija::test {
namespace {

class Strict : public testing::Test {
  google::protobuf::LogSilencer silence_;  // protobuf writes each invalid UTF-8 to stderr
};

// Refused, or understood as something of which these bytes are the one form.
void ExpectRefusedOrTheOneForm(const Coding& coding, ByteView bytes, const std::string& what) {
  auto again = coding.again(bytes);
  if (!again || !coding.canonical) return;
  ASSERT_EQ(ToHex(*again), ToHex(bytes)) << coding.name << ": " << what;
}

TEST_F(Strict, EveryTruncationIsRefusedOrTheOneFormOfSomething) {
  for (const auto& coding : Codings()) {
    Sample sample(11);
    auto bytes = coding.sample(sample);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      ExpectRefusedOrTheOneForm(coding, ByteView(bytes).first(length), "cut to " + std::to_string(length));
    }
    // Cut within the last field it is never whole.
    EXPECT_FALSE(coding.again(ByteView(bytes).first(bytes.size() - 1))) << coding.name;
    EXPECT_EQ(coding.again({}).has_value(), coding.name == "Attachments") << coding.name;  // which may all be withheld
  }
}

TEST_F(Strict, EveryChangeOfOneByteIsRefusedOrTheOneFormOfSomething) {
  for (const auto& coding : Codings()) {
    Sample sample(12);
    const auto bytes = coding.sample(sample);
    std::size_t accepted = 0, tried = 0;
    // All 255 changes where that is quick, else each bit, all bits, and the ends of the scale.
    bool all = bytes.size() < 200;
    auto changed = bytes;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (unsigned change = 1; change < 256; ++change) {
        auto value = static_cast<std::uint8_t>(bytes[at] ^ change);
        if (!all && (change & (change - 1)) != 0 && change != 255 && value != 0 && value != 0x80) continue;
        changed[at] = value;
        auto again = coding.again(changed);
        ++tried;
        if (!again) continue;
        ++accepted;
        if (coding.canonical) {
          ASSERT_EQ(ToHex(*again), ToHex(changed)) << coding.name << ": byte " << at << " to " << unsigned{value};
        }
      }
      changed[at] = bytes[at];
    }
    // Hashes, nonces and ciphertexts may be any bytes; the test is worth something only if many changes are refused too.
    EXPECT_GT(accepted, 0U) << coding.name;
    EXPECT_LT(accepted, tried) << coding.name;
  }
}

TEST_F(Strict, AnUnknownFieldIsRefusedAtEveryDepth) {
  for (const auto& coding : Codings()) {
    Sample sample(13);
    auto bytes = coding.sample(sample);
    int levels = 0;
    EachLevel(ParseSample(coding, bytes).get(), [&](Message*) { ++levels; });
    for (int level = 0; level < levels; ++level) {
      auto message = ParseSample(coding, bytes);
      std::string where;
      int at = 0;
      EachLevel(message.get(), [&](Message* each) {
        if (at++ != level) return;
        where = each->GetDescriptor()->full_name();
        each->GetReflection()->MutableUnknownFields(each)->AddVarint(1000, 1);
      });
      auto refused = coding.again(WithPrefix(coding, bytes, *message));
      ASSERT_FALSE(refused) << coding.name << ": " << where;
      EXPECT_EQ(refused.error().reason, Reason::kUnknownField) << coding.name << ": " << refused.error().Message();
      EXPECT_NE(refused.error().detail.find("1000"), std::string::npos) << refused.error().detail;
    }
  }
}

TEST_F(Strict, AnUnknownFieldInTheHeaderOfARecordOrAGrantIsRefused) {
  Sample sample(14);
  auto sealed = sample.Sealed();
  auto header = proto::EncodeHeader(sealed.header);
  Append(header, Bytes{0xc0, 0x3e, 0x01});  // field 1000, varint 1
  auto refused = proto::DecodePayload(ledger::Kind::kRecord, proto::EncodeRecord(header, sealed.seals));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kUnknownField);

  auto grant = SomeGrant(sample).grant;
  Append(grant.header_bytes, Bytes{0xc0, 0x3e, 0x01});
  refused = proto::DecodePayload(ledger::Kind::kGrant, proto::EncodeGrant(grant));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kUnknownField);
}

TEST_F(Strict, ASingularFieldWrittenTwiceIsRefused) {
  for (const auto& coding : Codings()) {
    if (!coding.canonical) continue;
    Sample sample(15);
    auto bytes = coding.sample(sample);
    auto fields = SplitFields(ByteView(bytes).subspan(coding.prefix));
    for (std::size_t i = 0; i < fields.size(); ++i) {
      auto doubled = fields;
      doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(i), fields[i]);
      auto changed = Joined(ByteView(bytes).first(coding.prefix), doubled);
      const auto* field = coding.message.GetDescriptor()->FindFieldByNumber(static_cast<int>(fields[i].number));
      auto again = coding.again(changed);
      if (field->is_repeated()) {
        if (again) {
          EXPECT_EQ(ToHex(*again), ToHex(changed)) << field->full_name();
        }
        continue;
      }
      // Of a doubled message protobuf makes one with both lists, which may break a rule of its own first.
      ASSERT_FALSE(again) << field->full_name();
      auto reason = again.error().reason;
      EXPECT_TRUE(reason == Reason::kMalformed || reason == Reason::kBadPolicy) << field->full_name();
    }
  }
}

TEST_F(Strict, FieldsOutOfOrderAreRefused) {
  for (const auto& coding : Codings()) {
    if (!coding.canonical) continue;
    Sample sample(16);
    auto bytes = coding.sample(sample);
    auto fields = SplitFields(ByteView(bytes).subspan(coding.prefix));
    for (std::size_t i = 1; i < fields.size(); ++i) {
      if (fields[i].number == fields[i - 1].number) continue;
      auto swapped = fields;
      std::swap(swapped[i], swapped[i - 1]);
      EXPECT_FALSE(coding.again(Joined(ByteView(bytes).first(coding.prefix), swapped)))
          << coding.name << ": fields " << fields[i - 1].number << " and " << fields[i].number;
    }
  }
}

TEST_F(Strict, AFieldLeftOutIsRefusedUnlessItMayBeAbsent) {
  // Everything else is required, lists that may be empty apart.
  const std::map<std::string, std::set<std::uint32_t>> optional = {
      {"Charter", {9, 11, 14, 15, 16}},
      {"Enrolment", {4}},
      {"Epoch", {7}},
      {"Open", {5, 10, 11}},
      {"Revocation", {4}},
      {"Header", {8, 11, 12}},
      {"Grant", {4}},
      {"Amendment", {3}},  // which is portion 0 then
      {"AccessRequest", {3, 8}},
      {"Answer", {3, 4}},
      {"Lookup", {2, 3}},
      {"StandingOrder", {4}},
      {"RedactedGrant", {4}},
      {"RedactedOpen", {5, 10, 11}},
      {"Policy", {5, 6, 7, 8, 9, 12, 13, 14}},
      {"LoggedEntry", {2, 3, 4, 5, 6}},
      {"ErasedEntry", {2, 3, 4, 5, 6}},
      {"Attachments", {1, 2, 3}},
      // As there are two of them, each list is still there without one.
      {"Decision", {4, 5}},
      {"Envelope", {3}}};
  for (const auto& coding : Codings()) {
    Sample sample(17);
    auto bytes = coding.sample(sample);
    auto fields = SplitFields(ByteView(bytes).subspan(coding.prefix));
    for (const auto& left_out : fields) {
      auto rest = fields;
      std::erase_if(rest, [&](const WireField& field) { return field.number == left_out.number; });
      auto changed = Joined(ByteView(bytes).first(coding.prefix), rest);
      bool may = optional.count(coding.name) > 0 && optional.at(coding.name).count(left_out.number) > 0;
      // Without any verdict, without any signature: refused all the same.
      if ((coding.name == "Decision" && left_out.number == 4) || coding.name == "Envelope") may = false;
      EXPECT_EQ(coding.again(changed).has_value(), may) << coding.name << " without field " << left_out.number;
    }
  }
}

TEST_F(Strict, NumbersHaveOneForm) {
  Sample sample(18);
  auto policy = sample.Policy();
  policy.case_required = true;
  policy.emergency = false;
  auto random = sample.Some<Salt>();
  auto bytes = proto::EncodePolicy(random, policy);
  auto fields = SplitFields(ByteView(bytes).subspan(32));
  auto with = [&](std::uint32_t number, Bytes field) {
    auto changed = fields;
    for (auto& each : changed) {
      if (each.number == number) each.bytes = field;
    }
    return proto::DecodePolicy(Joined(random, changed));
  };
  ASSERT_TRUE(with(1, {0x08, 0x03}));
  EXPECT_FALSE(with(1, {0x08, 0x83, 0x00})) << "two bytes for what fits one";
  EXPECT_FALSE(with(1, {0x88, 0x00, 0x03})) << "a tag of two bytes";
  EXPECT_FALSE(with(1, {0x08, 0x83, 0x80, 0x80, 0x80, 0x10})) << "2^32 + 3 in 32 bits";
  EXPECT_FALSE(with(1, {0x08, 0x06})) << "no such marking";
  auto written_out = fields;
  const auto sixth = std::find_if(written_out.begin(), written_out.end(), [](const auto& f) { return f.number == 6; });
  const auto fifth = written_out.insert(sixth, {5, {0x28, 0x00}});
  auto refused = proto::DecodePolicy(Joined(random, written_out));
  ASSERT_FALSE(refused) << "a default value written out";
  EXPECT_NE(refused.error().detail.find("canonical"), std::string::npos) << refused.error().detail;
  fifth->bytes = {0x28, 0x02};
  EXPECT_FALSE(proto::DecodePolicy(Joined(random, written_out))) << "a truth of 2";
}

TEST_F(Strict, ListsOfNumbersArePacked) {
  Sample sample(23);
  const auto opening = SomeStandingOpening(sample);
  const auto bytes = proto::EncodeStandingOpening(opening);
  auto fields = SplitFields(bytes);
  const auto second = static_cast<std::uint8_t>(opening.portions[1]);
  ASSERT_EQ(fields.back().bytes, (Bytes{0x22, 0x02, 0x00, second}));
  fields.back().bytes = {0x20, 0x00, 0x20, second};
  EXPECT_FALSE(proto::DecodePayload(ledger::Kind::kStandingOpening, Joined({}, fields))) << "one by one";
  fields.back().bytes = {0x22, 0x01, 0x00, 0x22, 0x01, second};
  EXPECT_FALSE(proto::DecodePayload(ledger::Kind::kStandingOpening, Joined({}, fields))) << "in two packs";
  fields.back().bytes = {0x22, 0x03, 0x80, 0x00, second};
  EXPECT_FALSE(proto::DecodePayload(ledger::Kind::kStandingOpening, Joined({}, fields))) << "two bytes for a zero";
}

TEST_F(Strict, DeepNestingIsRefused) {
  for (const auto& coding : Codings()) {
    Bytes groups(10000, 0x0b);  // start of group 1, in one another
    auto refused = coding.again(groups);
    ASSERT_FALSE(refused) << coding.name;
    EXPECT_EQ(refused.error().reason, Reason::kMalformed) << coding.name;

    Bytes closed(10000, 0xcb);  // groups of field 25, unknown to all, each closed
    for (int i = 0; i < 10000; ++i) closed[static_cast<std::size_t>(i)] = i % 2 == 0 ? 0xcb : 0x01;
    for (int i = 0; i < 5000; ++i) Append(closed, Bytes{0xcc, 0x01});
    Sample sample(19);
    auto bytes = coding.sample(sample);
    Append(bytes, closed);
    EXPECT_FALSE(coding.again(bytes)) << coding.name;
  }
  Bytes deep;
  for (int i = 0; i < 10000; ++i) {  // field 1 of field 1 of ..: only as deep as the messages are
    Bytes length;
    for (auto size = deep.size();; size >>= 7) {
      length.push_back(static_cast<std::uint8_t>((size & 0x7f) | (size > 0x7f ? 0x80 : 0)));
      if (size <= 0x7f) break;
    }
    if (deep.size() > 4000) break;
    deep = Concat({Bytes{0x0a}, length, deep});
  }
  for (const auto& coding : Codings()) EXPECT_FALSE(coding.again(deep)) << coding.name;
}

TEST_F(Strict, NestingEndsAtTwenty) {
  Sample sample(22);
  const auto bytes = proto::EncodeRevocation(sample.Revocation());
  auto with_groups = [&](std::size_t depth) {  // of field 25, unknown, in one another
    auto changed = bytes;
    for (std::size_t i = 0; i < depth; ++i) Append(changed, Bytes{0xcb, 0x01});
    for (std::size_t i = 0; i < depth; ++i) Append(changed, Bytes{0xcc, 0x01});
    return proto::DecodePayload(ledger::Kind::kRevocation, changed).error().reason;
  };
  EXPECT_EQ(with_groups(20), Reason::kUnknownField);
  EXPECT_EQ(with_groups(21), Reason::kMalformed);
}

TEST_F(Strict, TextThatIsNotUtf8IsRefused) {
  Sample sample(20);
  auto revocation = sample.Revocation();
  for (const auto* bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"}) {
    revocation.why = std::string(8, 'x');
    auto bytes = proto::EncodeRevocation(revocation);
    auto text = std::string(bad) + std::string(8 - std::strlen(bad), 'x');
    std::copy(text.begin(), text.end(), bytes.end() - 8);
    auto refused = proto::DecodePayload(ledger::Kind::kRevocation, bytes);
    ASSERT_FALSE(refused) << ToHex(AsBytes(bad));
    EXPECT_EQ(refused.error().reason, Reason::kMalformed);
  }
}

TEST_F(Strict, WhatIsTooLargeIsRefusedUnread) {
  Bytes large((std::size_t{4} << 20) + 1);
  for (auto kind = ledger::Kind::kCharter; kind <= ledger::Kind::kLookup;
       kind = ledger::Kind{static_cast<std::uint8_t>(static_cast<int>(kind) + 1)}) {
    EXPECT_EQ(proto::DecodePayload(kind, large).error().reason, Reason::kTooLarge);
  }
  Bytes charter((std::size_t{1} << 20) + 1);
  EXPECT_EQ(proto::DecodePayload(ledger::Kind::kCharter, charter).error().reason, Reason::kTooLarge);
  EXPECT_EQ(proto::DecodePayload(ledger::Kind::kCharterAmendment, charter).error().reason, Reason::kTooLarge);
  EXPECT_EQ(proto::DecodePolicy(charter).error().reason, Reason::kTooLarge);
  EXPECT_EQ(proto::DecodeDecision(charter).error().reason, Reason::kTooLarge);
  EXPECT_EQ(proto::DecodeHeader(charter).error().reason, Reason::kTooLarge);
}

TEST_F(Strict, RandomBytesAreRefused) {
  Sample sample(21);
  for (int i = 0; i < 2000; ++i) {
    auto bytes = sample.SomeBytes(sample.Below(200));
    for (const auto& coding : Codings()) ExpectRefusedOrTheOneForm(coding, bytes, "random");
  }
}

}  // namespace
}  // namespace valija::test
