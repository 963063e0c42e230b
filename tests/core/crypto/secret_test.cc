#include "core/crypto/secret.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <sstream>
#include <type_traits>

#include "core/crypto/random.h"

namespace {

// The one allocation that a test watches, and what stood in it when it was given back.
void* watched = nullptr;
std::size_t watched_size = 0;
bool given_back = false;
bool was_wiped = false;

void LookAt(void* memory) {
  if (memory == nullptr || memory != watched) return;
  given_back = true;
  was_wiped = true;
  for (std::size_t i = 0; i < watched_size; ++i) was_wiped &= static_cast<volatile unsigned char*>(memory)[i] == 0;
  watched = nullptr;
}

}  // namespace

// Replaced for this whole test binary, so that freed memory can be looked at while it is still ours.
void* operator new(std::size_t size) {
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept {
  LookAt(memory);
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
void operator delete[](void* memory) noexcept { operator delete(memory); }
void operator delete[](void* memory, std::size_t) noexcept { operator delete(memory); }

namespace valija::crypto {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};

static_assert(!std::is_copy_constructible_v<Secret>);
static_assert(!std::is_copy_assignable_v<Secret>);
static_assert(std::is_nothrow_move_constructible_v<Secret>);
static_assert(std::is_nothrow_move_assignable_v<Secret>);
static_assert(!Printable<Secret>);
static_assert(Printable<std::string>);
static_assert(!std::is_convertible_v<Secret, std::string> && !std::is_convertible_v<Secret, ByteView>);

const std::uint8_t kValue[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};

void Watch(const Secret& secret) {
  watched = const_cast<std::uint8_t*>(secret.view().data());
  watched_size = secret.size();
  given_back = was_wiped = false;
}

TEST(Secret, IsWipedBeforeItsMemoryIsGivenBack) {
  {
    Secret secret = Secret::CopyOf(kValue);
    Watch(secret);
    EXPECT_FALSE(given_back);
  }
  EXPECT_TRUE(given_back);
  EXPECT_TRUE(was_wiped);
}

TEST(Secret, TheWatchSeesMemoryThatIsNotWiped) {  // or the test above would prove nothing
  auto* memory = new std::uint8_t[sizeof kValue];
  std::memcpy(memory, kValue, sizeof kValue);
  watched = memory;
  watched_size = sizeof kValue;
  given_back = was_wiped = false;
  delete[] memory;
  EXPECT_TRUE(given_back);
  EXPECT_FALSE(was_wiped);
}

TEST(Secret, IsWipedWhenAnotherIsMovedIntoIt) {
  Secret secret = Secret::CopyOf(kValue);
  Watch(secret);
  secret = Secret(3);
  EXPECT_TRUE(given_back);
  EXPECT_TRUE(was_wiped);
  EXPECT_EQ(secret.size(), 3u);
}

TEST(Secret, MovesItsMemoryAndLeavesNothingBehind) {
  Secret from = Secret::CopyOf(kValue);
  const std::uint8_t* where = from.view().data();
  Secret to = std::move(from);
  EXPECT_EQ(to.view().data(), where);
  EXPECT_TRUE(Equal(to.view(), kValue));
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): this is what is tested
  EXPECT_EQ(from.view().data(), nullptr);
}

TEST(Secret, MovedIntoItselfStaysWhatItWas) {
  Secret secret = Secret::CopyOf(kValue);
  Secret& same = secret;
  secret = std::move(same);
  EXPECT_TRUE(Equal(secret.view(), kValue));
}

TEST(Secret, StartsAsZeros) {
  Secret secret(64);
  EXPECT_EQ(secret.size(), 64u);
  EXPECT_TRUE(Equal(secret.view(), Bytes(64, 0)));
}

TEST(Secret, ACloneIsEqualAndHasMemoryOfItsOwn) {
  Secret secret = Secret::CopyOf(kValue);
  Secret clone = secret.Clone();
  EXPECT_TRUE(clone.EqualTo(secret));
  clone.mutable_view()[0] ^= 1;
  EXPECT_FALSE(clone.EqualTo(secret));
  EXPECT_EQ(secret.view()[0], 1);
}

TEST(Secret, IsEqualOnlyToTheSameBytesOfTheSameSize) {
  Secret secret = Secret::CopyOf(kValue);
  EXPECT_FALSE(secret.EqualTo(Secret::CopyOf(ByteView(kValue).first(19))));
  Secret last = Secret::CopyOf(kValue);
  last.mutable_view()[19] ^= 0x80;
  EXPECT_FALSE(secret.EqualTo(last));
  EXPECT_TRUE(Secret().EqualTo(Secret(0)));
  EXPECT_FALSE(Secret().EqualTo(secret));
}

TEST(Secret, AnEmptyOneNeedsNoMemory) {
  Secret empty = Secret::CopyOf({});
  EXPECT_TRUE(empty.empty());
  EXPECT_EQ(empty.view().data(), nullptr);
  EXPECT_TRUE(empty.Clone().empty());
}

TEST(WipeBytes, ZeroesWhatItIsGivenAndNothingElse) {
  Bytes bytes = {1, 2, 3, 4};
  WipeBytes(std::span(bytes).subspan(1, 2));
  EXPECT_EQ(bytes, (Bytes{1, 0, 0, 4}));
  WipeBytes({});
}

TEST(WipeText, ZeroesTheCharactersAndEmptiesTheText) {
  {
    std::string text = "a passphrase that is longer than the small buffer inside a string";
    watched = text.data();
    watched_size = text.size();
    given_back = was_wiped = false;
    WipeText(text);
    EXPECT_TRUE(text.empty());
  }
  EXPECT_TRUE(given_back);
  EXPECT_TRUE(was_wiped);
}

TEST(SystemRandom, GivesWhatWasAskedForAndNeverTheSameTwice) {
  SystemRandom random;
  EXPECT_FALSE(random.MakeSecret(32).EqualTo(random.MakeSecret(32)));
  EXPECT_FALSE(random.Make<Salt>() == random.Make<Salt>());
  EXPECT_EQ(random.MakeSecret(0).size(), 0u);
  // More than one step of it: no part is left as it was.
  Secret large = random.MakeSecret((std::size_t{2} << 20) + 77);
  for (std::size_t at = 0; at + 64 <= large.size(); at += 4096)
    EXPECT_FALSE(Equal(large.view().subspan(at, 64), Bytes(64, 0)));
  EXPECT_FALSE(Equal(large.view().last(64), Bytes(64, 0)));
}

}  // namespace
}  // namespace valija::crypto
