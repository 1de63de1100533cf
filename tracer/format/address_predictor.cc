// See address_predictor.h.
#include "tracer/format/address_predictor.h"

namespace arenalab {
namespace {

PredictorFactory the_factory = nullptr;

}  // namespace

void SetPredictorFactory(PredictorFactory factory) { the_factory = factory; }

std::unique_ptr<AddressPredictor> MakePredictor(const std::string& generation) {
  return the_factory == nullptr ? nullptr : the_factory(generation);
}

}  // namespace arenalab
