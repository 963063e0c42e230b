// Changes of bytes that parsers meet: cut, doubled, swapped, one bit, one number; and of messages, field by field, so that
// what is inside is reached. Random, but the same for the same generator.
#pragma once

#include <algorithm>
#include <optional>
#include <random>
#include <vector>

#include "tests/fuzz/targets.h"

namespace valija::fuzz {

// A message's top-level fields, each with its tag; nullopt: these bytes are none.
inline std::optional<std::vector<Bytes>> Fields(ByteView bytes) {
  std::vector<Bytes> out;
  std::size_t at = 0;
  auto varint = [&]() -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 70 && at < bytes.size(); shift += 7) {
      value |= shift < 64 ? static_cast<std::uint64_t>(bytes[at] & 0x7f) << shift : 0;
      if ((bytes[at++] & 0x80) == 0) return value;
    }
    return std::nullopt;
  };
  while (at < bytes.size()) {
    const std::size_t start = at;
    const auto tag = varint();
    if (!tag) return std::nullopt;
    const auto value = varint();
    if (!value || ((*tag & 7) != 0 && (*tag & 7) != 2)) return std::nullopt;
    if ((*tag & 7) == 2) {
      if (*value > bytes.size() - at) return std::nullopt;
      at += *value;
    }
    out.push_back(ToBytes(bytes.subspan(start, at - start)));
  }
  return out;
}

// Makes other messages of messages: the fields in another order, twice, left out, or one changed inside by `inner`.
template <class Random, class Inner>
Bytes MutateMessage(ByteView bytes, Random& random, const Inner& inner, int depth = 4) {
  auto fields = Fields(bytes);
  if (!fields || fields->empty() || depth == 0 || random() % 8 == 0) return inner(ToBytes(bytes));
  const auto pick = [&] { return random() % fields->size(); };
  switch (random() % 8) {
    case 0:
      fields->erase(fields->begin() + static_cast<std::ptrdiff_t>(pick()));
      break;
    case 1:
      fields->insert(fields->begin() + static_cast<std::ptrdiff_t>(pick()), (*fields)[pick()]);
      break;
    case 2:
      std::swap((*fields)[pick()], (*fields)[pick()]);
      break;
    default: {
      Bytes& field = (*fields)[pick()];
      std::size_t tag = 1;
      while (tag < field.size() && (field[tag - 1] & 0x80) != 0) ++tag;
      if ((field[0] & 7) != 2) {
        field = inner(std::move(field));
        break;
      }
      std::size_t head = tag + 1;
      while (head < field.size() && (field[head - 1] & 0x80) != 0) ++head;
      const auto content =
          MutateMessage(ByteView(field).subspan(std::min(head, field.size())), random, inner, depth - 1);
      field.resize(tag);
      auto length = content.size();
      for (; length >= 0x80; length >>= 7) field.push_back(static_cast<std::uint8_t>(length | 0x80));
      field.push_back(static_cast<std::uint8_t>(length));
      Append(field, content);
    }
  }
  Bytes out;
  for (const auto& field : *fields) Append(out, field);
  return out;
}

// Without a fuzzing engine.
class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}
  Bytes operator()(const Target& target, const Bytes& from, const Bytes& other) {
    auto inner = [&](Bytes bytes) { return Change(std::move(bytes), other, target.shape == Shape::kText); };
    if (target.shape != Shape::kMessage || from.size() < target.prefix) return inner(from);
    Bytes out(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(target.prefix));
    Append(out, MutateMessage(ByteView(from).subspan(target.prefix), random_, inner));
    return out;
  }

 private:
  std::size_t Below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }
  Bytes Change(Bytes bytes, const Bytes& other, bool text) {
    static constexpr std::string_view kTexts[] = {"\n",
                                                  "\n\n",
                                                  " ",
                                                  "+",
                                                  "=",
                                                  "/",
                                                  "\xe2\x80\x94 ",
                                                  "0",
                                                  "18446744073709551615",
                                                  "-1",
                                                  "\"",
                                                  "\r\n",
                                                  std::string_view("\0", 1),
                                                  "\x1b[2J",
                                                  "\xe2\x80\xae"};
    const auto at = [&] { return bytes.begin() + static_cast<std::ptrdiff_t>(Below(bytes.size() + 1)); };
    for (auto times = 1 + Below(3); times > 0; --times) {
      switch (Below(text ? 8 : 7)) {
        case 0:
          if (!bytes.empty()) bytes[Below(bytes.size())] ^= static_cast<std::uint8_t>(1U << Below(8));
          break;
        case 1:
          if (!bytes.empty()) bytes[Below(bytes.size())] = static_cast<std::uint8_t>(random_());
          break;
        case 2:
          bytes.resize(Below(bytes.size() + 1));
          break;
        case 3:
          bytes.insert(at(), 1 + Below(4), static_cast<std::uint8_t>(random_()));
          break;
        case 4: {  // leaves a part out
          auto from = Below(bytes.size()), count = Below(std::min<std::size_t>(bytes.size() - from, 40) + 1);
          bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(from),
                      bytes.begin() + static_cast<std::ptrdiff_t>(from + count));
          break;
        }
        case 5: {  // doubles a part
          auto from = Below(bytes.size()), count = Below(bytes.size() - from + 1);
          Bytes part(bytes.begin() + static_cast<std::ptrdiff_t>(from),
                     bytes.begin() + static_cast<std::ptrdiff_t>(from + count));
          bytes.insert(at(), part.begin(), part.end());
          break;
        }
        case 6:  // goes on as another one
          if (!other.empty()) {
            bytes.resize(Below(bytes.size() + 1));
            bytes.insert(bytes.end(), other.begin() + static_cast<std::ptrdiff_t>(Below(other.size())), other.end());
          }
          break;
        default: {
          const auto word = kTexts[Below(std::size(kTexts))];
          bytes.insert(at(), word.begin(), word.end());
        }
      }
      if (bytes.size() > std::size_t{1} << 20) bytes.resize(std::size_t{1} << 20);
    }
    return bytes;
  }

  std::mt19937_64 random_;
};

}  // namespace valija::fuzz
