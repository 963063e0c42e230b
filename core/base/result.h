// Refusals are values. Result<T> holds a T or an Error; the names are those of std::expected.
// Breakages (a bug, memory gone) throw.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include "core/base/reason.h"

namespace valija {

struct [[nodiscard]] Error {
  Reason reason = Reason::kInternal;
  std::string detail;  // what exactly, for whoever may know it; no secret, no content. May be empty.

  // "Sentence. detail"
  std::string Message() const {
    std::string out(SentenceOf(reason));
    if (!detail.empty()) out += " (" + detail + ")";
    return out;
  }
};

inline Error Refuse(Reason reason, std::string detail = {}) { return Error{reason, std::move(detail)}; }

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: as std::expected
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: as std::unexpected

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  T& value() & { return Check(), std::get<0>(state_); }
  const T& value() const& { return Check(), std::get<0>(state_); }
  T&& value() && { return Check(), std::get<0>(std::move(state_)); }
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const Error& error() const { return std::get<1>(state_); }

 private:
  void Check() const {
    if (!has_value()) throw std::logic_error("value() of a refusal: " + error().Message());
  }
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT: as std::unexpected
  bool has_value() const { return ok_; }
  explicit operator bool() const { return ok_; }
  void value() const {
    if (!ok_) throw std::logic_error("value() of a refusal: " + error_.Message());
  }
  const Error& error() const { return error_; }

 private:
  Error error_;
  bool ok_ = true;
};

using Status = Result<void>;
inline Status Ok() { return {}; }

}  // namespace valija

#define VALIJA_CONCAT_(a, b) a##b
#define VALIJA_CONCAT(a, b) VALIJA_CONCAT_(a, b)

// TRY(auto x, F()): x is F's value, or this function returns F's error.
#define TRY(declaration, expression)                                                \
  auto VALIJA_CONCAT(try_, __LINE__) = (expression);                                \
  if (!VALIJA_CONCAT(try_, __LINE__)) return VALIJA_CONCAT(try_, __LINE__).error(); \
  declaration = *std::move(VALIJA_CONCAT(try_, __LINE__))

// TRY_OK(F()): go on if F is done, else return its error.
#define TRY_OK(expression)                                          \
  do {                                                              \
    if (auto try_ok = (expression); !try_ok) return try_ok.error(); \
  } while (false)
