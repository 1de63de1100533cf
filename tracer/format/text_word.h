// The words of the text form that need spelling rules: layers, owners, and
// names that hold anything.
//
// A name stands bare where it is not empty and has only printable bytes (and
// those from 0x80 on, so UTF-8 stays readable), no blank, quote or backslash.
// Otherwise it stands in quotes, with \" \\ and \xHH for the rest.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tracer/event.h"

namespace arenalab {

std::string_view LayerWord(Layer layer);
std::optional<Layer> LayerOfWord(std::string_view word);
std::string_view OwnerWord(Owner owner);
std::optional<Owner> OwnerOfWord(std::string_view word);

// Appends the name as it stands in a line.
void AppendName(std::string_view name, std::string* line);

// Takes a name from the begin of *line; nothing where it is malformed.
std::optional<std::string> TakeName(std::string_view* line);

}  // namespace arenalab
