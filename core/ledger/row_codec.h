// How values stand in rows: the fields in their order, integers as varints, lists by their length. Not for the wire and
// not for ever: a State that was written by another version is folded anew. A struct is written through FieldsOf, whose
// structured binding does not compile any more when a field comes or goes.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/ledger/rows.h"

namespace valija::ledger {

struct StateData;

class RowWriter {
 public:
  Bytes out;
  void Number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value) | 0x80);
    out.push_back(static_cast<std::uint8_t>(value));
  }
  void Raw(ByteView bytes) { Append(out, bytes); }
};

// `data`: what a value names that stands elsewhere (a policy, a member).
class RowReader {
 public:
  RowReader(ByteView bytes, const StateData* of) : data(of), rest_(bytes) {}
  const StateData* const data;

  std::uint64_t Number() {
    std::uint64_t out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = Raw(1)[0];
      out |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return out;
    }
    throw RowsDamaged("a number without an end");
  }
  ByteView Raw(std::size_t size) {
    if (rest_.size() < size) throw RowsDamaged("a row that ends too soon");
    ByteView out = rest_.first(size);
    rest_ = rest_.subspan(size);
    return out;
  }
  std::size_t Length() {
    const auto length = Number();
    if (length > rest_.size()) throw RowsDamaged("a list longer than its row");
    return static_cast<std::size_t>(length);
  }
  void End() const {
    if (!rest_.empty()) throw RowsDamaged("a row with something behind it");
  }

 private:
  ByteView rest_;
};

template <class T>
struct RowCodec;  // Put(RowWriter&, const T&), T Get(RowReader&)

template <class T>
void Put(RowWriter& to, const T& value) {
  RowCodec<T>::Put(to, value);
}
template <class T>
T Get(RowReader& from) {
  return RowCodec<T>::Get(from);
}

template <class T>
requires(std::is_integral_v<T> || std::is_enum_v<T>) struct RowCodec<T> {
  static void Put(RowWriter& to, T value) { to.Number(static_cast<std::uint64_t>(value)); }
  static T Get(RowReader& from) { return static_cast<T>(from.Number()); }
};

template <class Tag, std::size_t N>
struct RowCodec<Fixed<Tag, N>> {
  static void Put(RowWriter& to, const Fixed<Tag, N>& value) { to.Raw(value); }
  static Fixed<Tag, N> Get(RowReader& from) { return *Fixed<Tag, N>::From(from.Raw(N)); }
};

template <>
struct RowCodec<std::string> {
  static void Put(RowWriter& to, const std::string& value) {
    to.Number(value.size());
    to.Raw(AsBytes(value));
  }
  static std::string Get(RowReader& from) { return ToString(from.Raw(from.Length())); }
};
template <>
struct RowCodec<Bytes> {
  static void Put(RowWriter& to, const Bytes& value) {
    to.Number(value.size());
    to.Raw(value);
  }
  static Bytes Get(RowReader& from) { return ToBytes(from.Raw(from.Length())); }
};

template <class Id>
requires requires(const Id& id) { Id::Parse(id.str()); }
struct RowCodec<Id> {
  static void Put(RowWriter& to, const Id& value) { ledger::Put(to, value.str()); }
  static Id Get(RowReader& from) {
    auto id = Id::Parse(ledger::Get<std::string>(from));
    if (!id) throw RowsDamaged("a name that is none");
    return *std::move(id);
  }
};

template <>
struct RowCodec<Time> {
  static void Put(RowWriter& to, Time value) { to.Number(static_cast<std::uint64_t>(ToMillis(value))); }
  static Time Get(RowReader& from) { return FromMillis(static_cast<std::int64_t>(from.Number())); }
};

template <class T>
struct RowCodec<std::optional<T>> {
  static void Put(RowWriter& to, const std::optional<T>& value) {
    to.Number(value ? 1 : 0);
    if (value) ledger::Put(to, *value);
  }
  static std::optional<T> Get(RowReader& from) {
    return from.Number() != 0 ? std::optional<T>(ledger::Get<T>(from)) : std::nullopt;
  }
};

template <class A, class B>
struct RowCodec<std::pair<A, B>> {
  static void Put(RowWriter& to, const std::pair<A, B>& value) {
    ledger::Put(to, value.first);
    ledger::Put(to, value.second);
  }
  static std::pair<A, B> Get(RowReader& from) {
    A first = ledger::Get<A>(from);
    return {std::move(first), ledger::Get<B>(from)};
  }
};

template <class T, std::size_t N>
struct RowCodec<std::array<T, N>> {
  static void Put(RowWriter& to, const std::array<T, N>& value) {
    for (const T& one : value) ledger::Put(to, one);
  }
  static std::array<T, N> Get(RowReader& from) {
    std::array<T, N> out;
    for (T& one : out) one = ledger::Get<T>(from);
    return out;
  }
};

template <class List, class T>
struct ListCodec {
  static void Put(RowWriter& to, const List& value) {
    to.Number(value.size());
    for (const T& one : value) ledger::Put(to, one);
  }
  static List Get(RowReader& from) {
    List out;
    for (std::size_t n = from.Length(); n > 0; --n) out.insert(out.end(), ledger::Get<T>(from));
    return out;
  }
};
template <class T>
struct RowCodec<std::vector<T>> : ListCodec<std::vector<T>, T> {};
template <class T>
struct RowCodec<std::deque<T>> : ListCodec<std::deque<T>, T> {};
template <class T>
struct RowCodec<std::set<T>> : ListCodec<std::set<T>, T> {};
template <class K, class V>
struct RowCodec<std::map<K, V>> : ListCodec<std::map<K, V>, std::pair<const K, V>> {};
template <class A, class B>
struct RowCodec<std::pair<const A, B>> {
  static void Put(RowWriter& to, const std::pair<const A, B>& value) {
    ledger::Put(to, value.first);
    ledger::Put(to, value.second);
  }
  static std::pair<const A, B> Get(RowReader& from) {
    A first = ledger::Get<A>(from);
    return {std::move(first), ledger::Get<B>(from)};
  }
};

// One to be filled in, for what has no empty value.
template <class T>
T Blank() {
  return T();
}

template <class T>
struct FieldsOf;  // auto Of(auto& of): references to all

template <class T>
requires requires(T& value) { FieldsOf<T>::Of(value); }
struct RowCodec<T> {
  static void Put(RowWriter& to, const T& value) {
    std::apply([&](const auto&... field) { (ledger::Put(to, field), ...); }, FieldsOf<T>::Of(value));
  }
  static T Get(RowReader& from) {
    T out = Blank<T>();
    std::apply([&](auto&... field) { ((field = ledger::Get<std::remove_cvref_t<decltype(field)>>(from)), ...); },
               FieldsOf<T>::Of(out));
    return out;
  }
};

// For the tables, wherever they are used.
template <class K>
Bytes RowKey(std::uint8_t id, const K& key) {
  RowWriter to;
  to.out.push_back(id);
  Put(to, key);
  return std::move(to.out);
}
template <class V>
Bytes RowValue(const V& value) {
  RowWriter to;
  Put(to, value);
  return std::move(to.out);
}
template <class V>
V ReadRow(ByteView bytes, const StateData* data) {
  RowReader from(bytes, data);
  V out = Get<V>(from);
  from.End();
  return out;
}

}  // namespace valija::ledger
