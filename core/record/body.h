// Sealed bodies (sealing.md 4): padded plaintext under Cobblestone-256, and the body root over slices of 1 MiB, which is
// signed: GCM tags prove nothing to others who hold the CEK.
//
// Streams: a body of any size in a few MiB of memory, plus 32 bytes per slice for the hashes. Not thread-safe.
#pragma once

#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/crypto/cobblestone.h"
#include "core/crypto/hash.h"
#include "core/crypto/secret.h"
#include "core/record/padding.h"

namespace valija::record {

inline constexpr std::size_t kSliceSize = 1048576;

// Length of the sealed body of a plaintext of this length.
std::uint64_t SealedBodySize(std::uint64_t plain_length);
// Is there a plaintext whose sealed body has this length?
bool IsSealedBodySize(std::uint64_t body_length);

// What the record statement says of a body, and the slice hashes that travel beside it.
struct BodySummary {
  std::uint64_t length = 0;
  Hash root;
  std::vector<Hash> slice_hashes;
};
// Of a whole body in memory. An empty one is no body: throws.
BodySummary SummariseBody(ByteView body);

// The same of a body that comes in blocks of any size.
class SliceHasher {
 public:
  SliceHasher();
  void Update(ByteView block);
  BodySummary Finish();  // once; throws if nothing came

 private:
  void CloseSlice();
  crypto::Sha256Stream hash_;
  std::size_t in_slice_ = 0;
  std::uint64_t length_ = 0;
  std::vector<Hash> slice_hashes_;
};

// Slice hashes that were found to give the signed root for the signed length: slices are checked one by one, in any
// order. Const methods may be used from several threads.
class SliceList {
 public:
  // How many slices a body of this length has.
  static std::uint64_t Count(std::uint64_t body_length);
  // kBadBody: a length of 0, another number of hashes than Count, or another root.
  static Result<SliceList> Check(std::uint64_t body_length, const Hash& body_root, std::vector<Hash> slice_hashes);

  std::uint64_t size() const { return slice_hashes_.size(); }
  std::uint64_t body_length() const { return body_length_; }
  std::size_t SliceLength(std::uint64_t index) const;
  // Is this the whole slice of that index? kBadBody.
  Status CheckSlice(std::uint64_t index, ByteView slice) const;
  const std::vector<Hash>& hashes() const { return slice_hashes_; }

 private:
  SliceList(std::uint64_t length, std::vector<Hash> hashes) : body_length_(length), slice_hashes_(std::move(hashes)) {}
  std::uint64_t body_length_;
  std::vector<Hash> slice_hashes_;
};

// Plaintext in, sealed slices out: the sink gets whole slices of 1 MiB, the last one shorter.
class BodySealer {
 public:
  // ctx and portion: of the record. salt: fresh. Throws unless cek is 32 bytes.
  BodySealer(const crypto::Secret& cek, const Hash& ctx, std::uint32_t portion, const crypto::CobblestoneSalt& salt);
  // Errors are the sink's; after one the sealer is of no further use.
  Status Update(ByteView plain, const Sink& sink);
  Result<BodySummary> Finish(const Sink& sink);

 private:
  Status SealPadded(ByteView padded, const Sink& sink);
  Status EmitSlices(bool last, const Sink& sink);
  crypto::CobblestoneSealer sealer_;
  std::uint64_t plain_ = 0;
  Bytes ready_;  // sealed, less than a slice between calls
  BodySummary summary_;
};

// Sealed bytes in, plaintext out. A slice is decrypted only after its hash was checked, so nothing that was not signed
// reaches the cipher; still, what the sink got counts only once Finish is done, and is dropped if it is not.
class BodyOpener {
 public:
  BodyOpener(const crypto::Secret& cek, const Hash& ctx, std::uint32_t portion, SliceList slices);
  ~BodyOpener();
  BodyOpener(BodyOpener&&) noexcept = default;
  // The next bytes of the body, in blocks of any size (whole slices save a copy). kBadBody, kBadSeal, or the sink's.
  Status Update(ByteView sealed, const Sink& sink);
  // kBadBody: the body is not whole. kBadSeal: the cipher's end or the padding is not right.
  Status Finish(const Sink& sink);
  std::uint64_t plain_length() const { return unpadder_.plain_length(); }

 private:
  friend Result<Bytes> OpenBody(const crypto::Secret& cek, const Hash& ctx, std::uint32_t portion, ByteView body,
                                std::uint64_t body_length, const Hash& body_root);
  Status OpenSlice(ByteView slice, const Sink& sink);
  Status Decrypt(ByteView sealed, const Sink& sink);
  Status Unpad(const Sink& sink);
  SliceList slices_;
  crypto::CobblestoneOpener opener_;
  Unpadder unpadder_;
  std::uint64_t next_ = 0;  // slice
  Bytes pending_;           // the start of a slice
  Bytes plain_;             // opened, wiped after each use
  bool failed_ = false, finished_ = false;
};

// Small bodies in memory.
struct SealedBody {
  Bytes bytes;
  BodySummary summary;
};
SealedBody SealBody(const crypto::Secret& cek, const Hash& ctx, std::uint32_t portion,
                    const crypto::CobblestoneSalt& salt, ByteView plain);
// body_length and body_root: as signed. kBadBody, kBadSeal.
Result<Bytes> OpenBody(const crypto::Secret& cek, const Hash& ctx, std::uint32_t portion, ByteView body,
                       std::uint64_t body_length, const Hash& body_root);

}  // namespace valija::record
