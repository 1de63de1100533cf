// Tells, while a trace is read or written, which address its next request gets:
// what the allocator's clone would say. A packed trace leaves out the addresses
// that were told right (../TRACE_FORMAT.md, PACKED).
//
// The format knows no allocator. A program that has a clone says so once, when
// it starts; then every reader in it reads packed traces.
//
// THREADS. SetPredictorFactory before any other thread; a predictor: one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tracer/event.h"

namespace arenalab {

class AddressPredictor {
 public:
  virtual ~AddressPredictor() = default;
  // `event` hands out a block; all of it is known but the address. The address
  // that it should have, or 0: cannot tell. Reader and writer call it for the
  // same events, so it may depend on nothing but them.
  virtual std::uint64_t Predict(const Event& event) = 0;
  // The event as it was, of every kind; after Predict where that was called.
  virtual void Observe(const Event& event) = 0;
};

// `generation` is the trace's `geometry`. nullptr: there is no such clone.
using PredictorFactory =
    std::unique_ptr<AddressPredictor> (*)(const std::string& generation);

void SetPredictorFactory(PredictorFactory factory);
// nullptr also where no factory was set.
std::unique_ptr<AddressPredictor> MakePredictor(const std::string& generation);

// Whether Predict is called for an event.
inline bool IsPredictable(const Event& event) {
  return event.kind <= EventKind::kRealloc && event.depth == 0 &&
         (event.layer == Layer::kMem || event.layer == Layer::kObject);
}

}  // namespace arenalab
