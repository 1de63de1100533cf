// `arenalab help [TOPIC]`, and how every verb's --help looks: one line that
// says what it does, examples to copy, then the usage and the options.
#pragma once

#include <string>
#include <vector>

#include "tools/cli/verb.h"

namespace arenalab {

// Before any verb is added: subcommands take over the format.
void UseHelpFormat(CLI::App& app);
void AddHelp(CLI::App& app, int* status);

// The line for a first argument that is no verb, with the one that was probably
// meant; "" where it is one, or there is none.
std::string UnknownVerb(const CLI::App& app, int argc, const char* const* argv);

// The line for a verb that runs a program when no `--` says where the program's
// own words begin; "" where there is one, or the verb runs none.
std::string MissingSeparator(const CLI::App& app, int argc,
                             const char* const* argv);

// The known word that `word` was probably meant to be; "" where none is near.
// Near is up to two letters inserted, left out or exchanged.
std::string Nearest(const std::string& word,
                    const std::vector<std::string>& known);

}  // namespace arenalab
