// The clone as the teller of a packed trace's addresses
// (tracer/format/address_predictor.h). It tells what verify would compare with;
// what it tells wrong, the trace has in full, so a wrong clone costs bytes and
// nothing else.
#pragma once

#include <memory>
#include <string>

#include "tracer/format/address_predictor.h"

namespace arenalab {

// nullptr where there is no clone of that name. Throws InputError where there
// is no address space for it; so does what it returns, where memory ends.
std::unique_ptr<AddressPredictor> MakeClonePredictor(
    const std::string& generation);

}  // namespace arenalab
