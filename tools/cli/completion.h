// `arenalab completion SHELL` and `arenalab help man`: the command line's own
// declarations, written down for a shell or for man.
#pragma once

#include <string>

#include "tools/cli/verb.h"

namespace arenalab {

void AddCompletion(CommandLine& line);

// "bash", "zsh" or "fish". Static text: pressing TAB starts no arenalab.
std::string CompletionScript(const VerbDescription& program,
                             const std::string& shell);

// In man's own language, roff.
std::string ManPage(const VerbDescription& program, const std::string& version);

}  // namespace arenalab
