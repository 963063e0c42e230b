// How the broker stands when monitoring asks (metrics.h): what each of its parts says of itself at that moment.
// Thread-safety: may be called from any thread.
#pragma once

#include <string_view>
#include <vector>

#include "broker/calls.h"
#include "broker/free_space.h"
#include "broker/metrics.h"
#include "broker/public_log.h"
#include "broker/sequencer.h"
#include "broker/witnesses.h"

namespace valija::broker {

std::vector<Metrics::Gauge> GaugesOf(const Sequencer& sequencer, const Witnesses& witnesses, const Calls& calls,
                                     const FreeSpace& space);

// The operator's port: /metrics, /healthz (503: nothing is accepted until a restart), and nothing else.
PublicAnswer OperatorsAnswer(std::string_view target, const Sequencer& sequencer, const Witnesses& witnesses,
                             const Calls& calls, const FreeSpace& space);

}  // namespace valija::broker
