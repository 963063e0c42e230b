#include "broker/proofs.h"

#include <algorithm>

namespace valija::broker {

template <class F>
auto Proofs::With(std::uint64_t size, F f) {
  std::shared_ptr<Kept> kept;
  {
    std::lock_guard lock(mutex_);
    auto at = std::find_if(kept_.begin(), kept_.end(), [&](const auto& one) { return one->size == size; });
    if (at == kept_.end()) {
      kept_.push_front(std::make_shared<Kept>(size, read_));
      if (kept_.size() > kKept) kept_.pop_back();
    } else {
      kept_.splice(kept_.begin(), kept_, at);
    }
    kept = kept_.front();
  }
  std::lock_guard lock(kept->mutex);
  auto out = f(kept->prover);
  if (!out || kept->tiles > kMaxTiles) {  // a refusal may be of the moment, and memory has a bound
    std::lock_guard all(mutex_);
    kept_.remove(kept);
  }
  return out;
}

Result<std::vector<Hash>> Proofs::Inclusion(std::uint64_t index, std::uint64_t size) {
  return With(size, [&](log::Prover& prover) { return prover.Inclusion(index); });
}

Result<std::vector<Hash>> Proofs::Consistency(std::uint64_t from, std::uint64_t to) {
  return With(to, [&](log::Prover& prover) { return prover.Consistency(from); });
}

}  // namespace valija::broker
