// Who finds a place.
#include "broker/guard/admission.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/guard/acceptor.h"

namespace valija::broker::guard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Places = std::vector<std::unique_ptr<Admission::Place>>;

const TimePoint kStart = TimePoint(std::chrono::hours(1));

Address Of(const char* text) {
  sockaddr_in four{};
  sockaddr_in6 six{};
  four.sin_family = AF_INET;
  six.sin6_family = AF_INET6;
  if (::inet_pton(AF_INET, text, &four.sin_addr) == 1) return AddressOf(reinterpret_cast<const sockaddr*>(&four));
  EXPECT_EQ(::inet_pton(AF_INET6, text, &six.sin6_addr), 1);
  return AddressOf(reinterpret_cast<const sockaddr*>(&six));
}
const Address kOne = Of("192.0.2.1"), kOther = Of("192.0.2.2");

std::shared_ptr<Admission> Make(const std::function<void(AdmissionLimits&)>& change) {
  AdmissionLimits limits;
  change(limits);
  return std::make_shared<Admission>(limits);
}

// As many as there are for it, all opened.
Places All(Admission& admission, const Address& address) {
  Places out;
  while (auto place = admission.Enter(address, kStart)) {
    place->Opened();
    out.push_back(std::move(place));
  }
  return out;
}

TEST(Admission, AnAddressHasItsShareAndAllTogetherTheirs) {
  auto admission = Make([](auto& limits) { limits.connections = 5, limits.connections_per_address = 3; });
  auto one = All(*admission, kOne);
  EXPECT_EQ(one.size(), 3u);
  auto other = All(*admission, kOther);
  EXPECT_EQ(other.size(), 2u) << "all together";
  one.pop_back();
  EXPECT_EQ(All(*admission, kOther).size(), 1u) << "a place that is given back is another's";
  one.clear(), other.clear();
  EXPECT_EQ(admission->counts().connections, 0u);
  EXPECT_EQ(admission->counts().handshakes, 0u);
}

TEST(Admission, HandshakesHaveFewerPlacesThanConnections) {
  auto admission = Make([](auto& limits) { limits.handshakes = 3, limits.handshakes_per_address = 2; });
  auto a = admission->Enter(kOne, kStart), b = admission->Enter(kOne, kStart);
  ASSERT_TRUE(a && b);
  EXPECT_FALSE(admission->Enter(kOne, kStart));
  auto c = admission->Enter(kOther, kStart);
  ASSERT_TRUE(c);
  EXPECT_FALSE(admission->Enter(kOther, kStart)) << "all together";
  a->Opened();
  EXPECT_TRUE(admission->Enter(kOne, kStart));
  b.reset();  // ended without having opened
  EXPECT_EQ(admission->counts().handshakes, 1u);
}

TEST(Admission, AHandshakeThatTakesLongGivesWayAndAnOpenConnectionDoesNot) {
  auto admission = Make([](auto&) {});
  int slow[2], open[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, slow), 0);
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, open), 0);
  auto opened = admission->Enter(kOther, kStart), taking = admission->Enter(kOne, kStart);
  opened->Watch(open[0]), taking->Watch(slow[0]);
  opened->Opened();
  EXPECT_FALSE(admission->EndOldestHandshake(kStart + milliseconds(999))) << "none takes long";
  EXPECT_TRUE(admission->EndOldestHandshake(kStart + seconds(1)));
  EXPECT_FALSE(admission->EndOldestHandshake(kStart + seconds(1))) << "once";
  char byte = 0;
  EXPECT_EQ(::recv(slow[0], &byte, 1, MSG_DONTWAIT), 0) << "ended";
  EXPECT_EQ(::recv(open[0], &byte, 1, MSG_DONTWAIT), -1) << "lives";
  for (const int fd : {slow[0], slow[1], open[0], open[1]}) ::close(fd);
}

TEST(Admission, AnAddressBeginsSoManyHandshakesASecond) {
  auto admission = Make([](auto& limits) { limits.handshakes_per_second = 10; });
  EXPECT_EQ(All(*admission, kOne).size(), 20u) << "after a pause twice as many";
  EXPECT_FALSE(admission->Enter(kOne, kStart + milliseconds(50)));
  EXPECT_TRUE(admission->Enter(kOne, kStart + milliseconds(210)));
  EXPECT_TRUE(admission->Enter(kOther, kStart + milliseconds(210))) << "others are others";
}

TEST(Admission, WhoHasAnIpv6AddressHasItsWholeNetworkAndIpv4IsWhatItIs) {
  EXPECT_EQ(Of("2001:db8:1:2::1"), Of("2001:db8:1:2:ffff::9"));
  EXPECT_NE(Of("2001:db8:1:2::1"), Of("2001:db8:1:3::1"));
  EXPECT_EQ(Of("::ffff:192.0.2.1"), kOne);
  EXPECT_EQ(TextOf(kOne), "192.0.2.1");
  EXPECT_EQ(TextOf(Of("2001:db8:1:2::1")), "2001:db8:1:2::/64");
}

TEST(Admission, APeerIsNamedAsGrpcNamesIt) {
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(4711);
  ::inet_pton(AF_INET, "192.0.2.1", &four.sin_addr);
  EXPECT_EQ(PeerText(reinterpret_cast<const sockaddr*>(&four)), "ipv4:192.0.2.1:4711");
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(4711);
  ::inet_pton(AF_INET6, "2001:db8::1", &six.sin6_addr);
  EXPECT_EQ(PeerText(reinterpret_cast<const sockaddr*>(&six)), "ipv6:[2001:db8::1]:4711");
  ::inet_pton(AF_INET6, "::ffff:192.0.2.1", &six.sin6_addr);
  EXPECT_EQ(PeerText(reinterpret_cast<const sockaddr*>(&six)), "ipv4:192.0.2.1:4711");
  EXPECT_FALSE(Make([](auto&) {})->End("ipv4:192.0.2.1:4711"));
}

TEST(Admission, AMemberHasItsShareWhereverItComesFrom) {
  auto admission = Make([](auto& limits) { limits.connections_per_member = 2; });
  const KeyId omar{{1}}, karen{{2}};
  auto a = admission->Enter(kOne, kStart), b = admission->Enter(kOther, kStart), c = admission->Enter(kOther, kStart),
       d = admission->Enter(kOne, kStart);
  EXPECT_TRUE(a->BelongsTo(omar));
  EXPECT_TRUE(b->BelongsTo(omar));
  EXPECT_FALSE(c->BelongsTo(omar));
  EXPECT_TRUE(d->BelongsTo(karen));
  c.reset(), a.reset();
  EXPECT_TRUE(admission->Enter(kOne, kStart)->BelongsTo(omar));
}

TEST(Admission, UnfinishedMessagesAreBoundedByMemberOnlyOnceAllTogetherAreMany) {
  auto admission = Make([](auto& limits) { limits.unfinished = 1000, limits.unfinished_per_member = 300; });
  auto a = admission->Enter(kOne, kStart), b = admission->Enter(kOne, kStart), c = admission->Enter(kOther, kStart);
  EXPECT_TRUE(a->BelongsTo({{1}}) && b->BelongsTo({{1}}) && c->BelongsTo({{2}}));
  EXPECT_TRUE(a->Keeps(800)) << "there is room";
  EXPECT_TRUE(c->Keeps(250)) << "too much all together, and this one has little";
  EXPECT_FALSE(b->Keeps(1)) << "of the member that has most of it";
  EXPECT_TRUE(a->Keeps(700)) << "less is never too much";
  EXPECT_FALSE(c->Keeps(301));
  EXPECT_FALSE(a->Keeps(5000));
  EXPECT_FALSE(c->Keeps(302)) << "twice as much as there is room for: whoever brings more";
  a.reset();
  EXPECT_TRUE(c->Keeps(800));
}

TEST(Admission, SaysEachReasonOnceASecondAndCountsTheRest) {
  auto admission = Make([](auto&) {});
  std::uint64_t unsaid = 99;
  EXPECT_TRUE(admission->Cut(Breach::kPings, kStart, &unsaid));
  EXPECT_EQ(unsaid, 0u);
  EXPECT_FALSE(admission->Cut(Breach::kPings, kStart + milliseconds(10), &unsaid));
  EXPECT_FALSE(admission->Cut(Breach::kPings, kStart + milliseconds(20), &unsaid));
  EXPECT_TRUE(admission->Cut(Breach::kResets, kStart + milliseconds(20), &unsaid));
  EXPECT_TRUE(admission->Cut(Breach::kPings, kStart + seconds(1), &unsaid));
  EXPECT_EQ(unsaid, 2u);
  EXPECT_EQ(admission->counts().cut[static_cast<std::size_t>(Breach::kPings)], 4u);
}

TEST(Admission, ForgetsAddressesThatNobodyComesFromAnyMore) {
  auto admission = Make([](auto&) {});
  auto first = admission->Enter(kOne, kStart);
  for (std::uint32_t i = 0; i < 20000; ++i) {
    Address address{};
    std::memcpy(address.data(), &i, sizeof i);
    ASSERT_TRUE(admission->Enter(address, kStart + seconds(i)));
  }
  first->Opened();  // its own is still known
}

TEST(Acceptor, WhatItCannotListenOnIsARefusal) {
  EXPECT_FALSE(Acceptor::Bind("192.0.2.1:0", Limits()));
  EXPECT_FALSE(Acceptor::Bind("no such host:0", Limits()));
  auto first = Acceptor::Bind("127.0.0.1:0", Limits());
  ASSERT_TRUE(first);
  EXPECT_GT((*first)->port(), 0);
  EXPECT_FALSE(Acceptor::Bind("127.0.0.1:" + std::to_string((*first)->port()), Limits()));
}

TEST(Acceptor, LimitsFitTheDescriptorsThatThereAre) {
  Limits limits;
  limits.admission.connections = 1000000;
  ASSERT_TRUE(FitDescriptors(limits));
  EXPECT_LE(limits.waiting_per_address, limits.waiting);
  EXPECT_GT(limits.waiting, 0u);
  EXPECT_GT(limits.admission.connections, 0u);
}

}  // namespace
}  // namespace valija::broker::guard
