// Big-endian integers as inputs of T and H. For the files of core/record alone.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>

namespace valija::record {

template <std::unsigned_integral Integer>
std::array<std::uint8_t, sizeof(Integer)> BigEndian(Integer value) {
  std::array<std::uint8_t, sizeof(Integer)> out;
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    out[sizeof(Integer) - 1 - i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
  return out;
}

}  // namespace valija::record
