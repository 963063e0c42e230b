#include "proto/codec.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/unknown_field_set.h>

#include <memory>

namespace valija::proto {
namespace {

// protobuf's own log would print on standard error what peers sent, as often as they like.
[[maybe_unused]] const auto kQuiet = google::protobuf::SetLogHandler(nullptr);

}  // namespace

Status Parse(ByteView bytes, std::size_t limit, google::protobuf::Message& message) {
  if (bytes.size() > limit) {
    return Refuse(Reason::kTooLarge, message.GetDescriptor()->name() + ": " + std::to_string(bytes.size()) +
                                         " bytes, the limit is " + std::to_string(limit));
  }
  google::protobuf::io::CodedInputStream in(bytes.data(), static_cast<int>(bytes.size()));
  in.SetRecursionLimit(kMaxDepth);
  if (!message.ParseFromCodedStream(&in) || !in.ConsumedEntireMessage()) {
    return Refuse(Reason::kMalformed, "no " + message.GetDescriptor()->name() + " message");
  }
  return Ok();
}

Status CheckCanonical(const google::protobuf::Message& message, ByteView bytes) {
  // No message of ours has a map, the one thing whose order protobuf leaves open.
  std::size_t size = message.ByteSizeLong();
  if (size == bytes.size()) {
    auto again = std::make_unique_for_overwrite<std::uint8_t[]>(size);
    message.SerializeWithCachedSizesToArray(again.get());
    if (Equal({again.get(), size}, bytes)) return Ok();
  }
  return Refuse(Reason::kMalformed, message.GetDescriptor()->name() + ": not in canonical form");
}

Bytes Serialise(const google::protobuf::Message& message) {
  Bytes out(message.ByteSizeLong());
  message.SerializeWithCachedSizesToArray(out.data());
  return out;
}

Status Known(const google::protobuf::Message& message) {
  const auto& unknown = message.GetReflection()->GetUnknownFields(message);
  if (unknown.empty()) return Ok();
  return Refuse(Reason::kUnknownField,
                message.GetDescriptor()->name() + ": field " + std::to_string(unknown.field(0).number()));
}

}  // namespace valija::proto
