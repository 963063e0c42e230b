#include "core/crypto/hash.h"

#include <limits>
#include <stdexcept>

#include "core/crypto/openssl_internal.h"

namespace valija::crypto {
namespace {

using MdContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;

// Fetched once (a fetch costs more than a short hash) and never freed: OpenSSL's own exit handler may run first.
const EVP_MD* Sha256Algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  Need(algorithm != nullptr, "SHA-256 is not available");
  return algorithm;
}

MdContext NewContext() {
  MdContext context(EVP_MD_CTX_new());
  Need(context && EVP_DigestInit_ex2(context.get(), Sha256Algorithm(), nullptr) == 1, "SHA-256 does not start");
  return context;
}

// Each thread keeps one context; starting it anew is a fraction of making one.
EVP_MD_CTX* Restarted() {
  thread_local const MdContext context = NewContext();
  Need(EVP_DigestInit_ex2(context.get(), nullptr, nullptr) == 1, "SHA-256 does not start");
  return context.get();
}

void Feed(EVP_MD_CTX* context, ByteView data) {
  Need(EVP_DigestUpdate(context, data.data(), data.size()) == 1, "SHA-256 failed");
}

Hash End(EVP_MD_CTX* context) {
  Hash out;
  Need(EVP_DigestFinal_ex(context, out.bytes.data(), nullptr) == 1, "SHA-256 failed");
  return out;
}

std::array<std::uint8_t, 4> LengthOf(std::size_t size) {
  if (size > std::numeric_limits<std::uint32_t>::max()) throw std::length_error("tuple input of 4 GiB or more");
  auto n = static_cast<std::uint32_t>(size);
  return {static_cast<std::uint8_t>(n >> 24), static_cast<std::uint8_t>(n >> 16), static_cast<std::uint8_t>(n >> 8),
          static_cast<std::uint8_t>(n)};
}

constexpr std::string_view kPrefix = "valija/1 ";

// Gives the bytes of T piece by piece, so that H need not build it.
template <class Sink>
void Tuple(std::string_view label, std::initializer_list<ByteView> inputs, Sink sink) {
  sink(LengthOf(kPrefix.size() + label.size()));
  sink(AsBytes(kPrefix));
  sink(AsBytes(label));
  for (auto input : inputs) {
    sink(LengthOf(input.size()));
    sink(input);
  }
}

}  // namespace

Hash Sha256(ByteView data) { return Sha256({data}); }

Hash Sha256(std::initializer_list<ByteView> parts) {
  EVP_MD_CTX* context = Restarted();
  for (auto part : parts) Feed(context, part);
  return End(context);
}

struct Sha256Stream::State {
  MdContext context = NewContext();
};

Sha256Stream::Sha256Stream() : state_(std::make_unique<State>()) {}
Sha256Stream::~Sha256Stream() = default;
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;
Sha256Stream& Sha256Stream::operator=(Sha256Stream&&) noexcept = default;

void Sha256Stream::Update(ByteView data) {
  if (!state_) throw std::logic_error("Sha256Stream used after Finish");
  Feed(state_->context.get(), data);
}

Hash Sha256Stream::Finish() {
  if (!state_) throw std::logic_error("Sha256Stream used after Finish");
  Hash out = End(state_->context.get());
  state_.reset();
  return out;
}

Bytes TupleBytes(std::string_view label, std::initializer_list<ByteView> inputs) {
  Bytes out;
  Tuple(label, inputs, [&](ByteView piece) { Append(out, piece); });
  return out;
}

Hash TupleHash(std::string_view label, std::initializer_list<ByteView> inputs) {
  EVP_MD_CTX* context = Restarted();
  Tuple(label, inputs, [&](ByteView piece) { Feed(context, piece); });
  return End(context);
}

}  // namespace valija::crypto
