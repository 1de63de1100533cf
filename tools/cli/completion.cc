// What a shell is told: verbs, their verbs, options, the words that an option
// takes; where nothing else is known it offers files. Behind `--` stands a
// program of the user's, which the shell completes as it would without us.
#include "tools/cli/completion.h"

#include <cstdio>
#include <memory>
#include <string_view>

namespace arenalab {
namespace {

// Within single quotes, in any of the three shells.
std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted + "'";
}

std::string Escaped(std::string_view text, std::string_view special) {
  std::string escaped;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    line += (line.empty() ? "" : " ") + word;
  }
  return line;
}

std::vector<std::string> Names(const std::vector<VerbDescription>& verbs) {
  std::vector<std::string> names;
  for (const VerbDescription& verb : verbs) names.push_back(verb.name);
  return names;
}

// One branch for `path` ("replay", "trace info") and one for each verb in it.
void BashBranches(const VerbDescription& verb, const std::string& path,
                  std::string* script) {
  std::vector<std::string> options;
  std::vector<std::string> words = Names(verb.verbs);
  std::string values;
  for (const OptionDescription& option : verb.options) {
    if (option.positional) {
      words.insert(words.end(), option.words.begin(), option.words.end());
      continue;
    }
    std::vector<std::string> patterns;
    for (const std::string& name : option.names) {
      options.push_back(name);
      patterns.push_back(Quoted(name));
    }
    if (option.value.empty()) continue;
    std::string alternatives;
    for (const std::string& pattern : patterns) {
      alternatives += (alternatives.empty() ? "" : " | ") + pattern;
    }
    // No words: COMPREPLY stays empty, and bash offers files.
    values += "        " + alternatives +
              ") options= words=" + Quoted(Joined(option.words)) + " ;;\n";
  }
  *script += "    " + Quoted(path) +
             ")\n      options=" + Quoted(Joined(options)) +
             "\n      words=" + Quoted(Joined(words)) + "\n";
  if (!values.empty()) {
    *script += "      case $before in\n" + values + "      esac\n";
  }
  *script += "      ;;\n";
  for (const VerbDescription& inner : verb.verbs) {
    BashBranches(inner, path.empty() ? inner.name : path + " " + inner.name,
                 script);
  }
}

std::string Bash(const VerbDescription& program) {
  std::string branches;
  BashBranches(program, "", &branches);
  // The verbs that have verbs take their name from two words.
  std::string nested;
  for (const VerbDescription& verb : program.verbs) {
    if (!verb.verbs.empty()) nested += " " + verb.name;
  }
  return R"(# bash: arenalab completion bash > /etc/bash_completion.d/arenalab
_arenalab() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  local path= options= words= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ ${COMP_WORDS[i]} == -- ]]; then
      if ((COMP_CWORD == i + 1)); then COMPREPLY=($(compgen -c -- "$word")); fi
      return
    fi
  done
  if ((COMP_CWORD > 1)); then path=${COMP_WORDS[1]}; fi
  if [[ ' )" +
         nested + R"( ' == *" $path "* ]] && ((COMP_CWORD > 2)); then
    path+=" ${COMP_WORDS[2]}"
  fi
  case $path in
)" + branches +
         R"(  esac
  if [[ $word == -* ]]; then words=$options; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _arenalab arenalab
)";
}

// The specification of _arguments.
std::string ZshOption(const OptionDescription& option) {
  const std::string purpose = Escaped(option.purpose, "[]\\:");
  const std::string words =
      option.words.empty() ? "_files" : "(" + Joined(option.words) + ")";
  const std::string value = option.value.empty() ? "" : ":value:" + words;
  if (option.program) return "'*::program:_normal'";
  if (option.positional) {
    return Quoted("*:" + Escaped(option.names[0], ":") + ":" + words);
  }
  std::string line;
  for (const std::string& name : option.names) {
    line +=
        (line.empty() ? "" : " ") + Quoted(name + "[" + purpose + "]" + value);
  }
  return line;
}

void ZshBranches(const VerbDescription& verb, const std::string& indent,
                 std::string* script) {
  if (!verb.verbs.empty()) {
    *script += indent + "if ((CURRENT == 2)); then\n" + indent + "  verbs=(\n";
    for (const VerbDescription& inner : verb.verbs) {
      *script += indent + "    " +
                 Quoted(inner.name + ":" + Escaped(inner.purpose, ":\\")) +
                 "\n";
    }
    *script += indent + "  )\n" + indent + "  _describe verb verbs\n" + indent +
               "  return\n" + indent + "fi\n" + indent +
               "shift words; ((CURRENT--))\n" + indent + "case $words[1] in\n";
    for (const VerbDescription& inner : verb.verbs) {
      *script += indent + "  " + inner.name + ")\n";
      ZshBranches(inner, indent + "    ", script);
      *script += indent + "    ;;\n";
    }
    *script += indent + "esac\n";
    return;
  }
  *script += indent + "_arguments";
  for (const OptionDescription& option : verb.options) {
    *script += " \\\n" + indent + "  " + ZshOption(option);
  }
  *script += "\n";
}

std::string Zsh(const VerbDescription& program) {
  std::string script =
      "#compdef arenalab\n"
      "# zsh: arenalab completion zsh > a folder of $fpath/_arenalab\n"
      "_arenalab() {\n"
      "  local -a verbs\n";
  ZshBranches(program, "  ", &script);
  return script +
         "}\n"
         "if [[ $funcstack[1] == _arenalab ]]; then\n"
         "  _arenalab \"$@\"\n"
         "else\n"
         "  compdef _arenalab arenalab\n"
         "fi\n";
}

void FishLines(const VerbDescription& verb, const std::string& path,
               std::string* script) {
  const std::string seen = path.empty() ? "__fish_use_subcommand"
                                        : "__fish_seen_subcommand_from " + path;
  for (const VerbDescription& inner : verb.verbs) {
    std::string condition = seen;
    if (!path.empty()) {
      condition +=
          "; and not __fish_seen_subcommand_from " + Joined(Names(verb.verbs));
    }
    *script += "complete -c arenalab -f -n " + Quoted(condition) + " -a " +
               inner.name + " -d " + Quoted(inner.purpose) + "\n";
    FishLines(inner,
              path.empty()
                  ? inner.name
                  : path + "; and __fish_seen_subcommand_from " + inner.name,
              script);
  }
  for (const OptionDescription& option : verb.options) {
    if (option.positional) {
      if (option.words.empty()) continue;
      *script += "complete -c arenalab -f -n " + Quoted(seen) + " -a " +
                 Quoted(Joined(option.words)) + "\n";
      continue;
    }
    *script += "complete -c arenalab -n " + Quoted(seen);
    for (const std::string& name : option.names) {
      *script += name.starts_with("--") ? " -l " + name.substr(2)
                                        : " -s " + name.substr(1);
    }
    if (!option.words.empty()) {
      *script += " -x -a " + Quoted(Joined(option.words));
    } else if (!option.value.empty()) {
      *script += " -r";
    }
    *script += " -d " + Quoted(option.purpose) + "\n";
  }
}

// roff: a dot or quote that begins a line is an order to it.
std::string Roff(std::string_view text) {
  std::string out;
  bool begins = true;
  for (const char c : text) {
    if (begins && (c == '.' || c == '\'')) out += "\\&";
    begins = c == '\n';
    out += c == '\\' ? "\\e" : c == '-' ? "\\-" : std::string(1, c);
  }
  return out;
}

void ManVerb(const VerbDescription& verb, const std::string& path,
             std::string* page) {
  *page += ".SS " + Roff(path) + "\n" + Roff(verb.purpose) + "\n";
  for (const OptionDescription& option : verb.options) {
    std::string names;
    for (const std::string& name : option.names) {
      names += (names.empty() ? "" : ", ") + name;
    }
    if (!option.positional && !option.value.empty()) names += " VALUE";
    *page += ".TP\n.B " + Roff(names) + "\n" + Roff(option.purpose) + "\n";
  }
  if (!verb.footer.empty()) {
    *page += ".PP\n.nf\n" + Roff(verb.footer) + "\n.fi\n";
  }
  for (const VerbDescription& inner : verb.verbs) {
    ManVerb(inner, path + " " + inner.name, page);
  }
}

}  // namespace

std::string CompletionScript(const VerbDescription& program,
                             const std::string& shell) {
  if (shell == "bash") return Bash(program);
  if (shell == "zsh") return Zsh(program);
  std::string script =
      "# fish: arenalab completion fish > "
      "~/.config/fish/completions/arenalab.fish\n";
  FishLines(program, "", &script);
  return script;
}

std::string ManPage(const VerbDescription& program,
                    const std::string& version) {
  std::string page = ".TH ARENALAB 1 \"\" \"arenalab " + version + "\"\n" +
                     ".SH NAME\narenalab \\- " + Roff(program.purpose) +
                     "\n.SH SYNOPSIS\n.B arenalab\n.I VERB\n[options]\n"
                     ".SH VERBS\n";
  for (const VerbDescription& verb : program.verbs) {
    ManVerb(verb, verb.name, &page);
  }
  return page;
}

void AddCompletion(CommandLine& line) {
  Verb verb =
      line.AddVerb("completion", "A shell's completion script, on stdout");
  auto shell = std::make_shared<std::string>();
  verb.Positional("SHELL", shell.get(), "bash, zsh or fish")
      .Required()
      .OneOf({"bash", "zsh", "fish"});
  verb.Footer(
      "Examples:\n"
      "  eval \"$(arenalab completion bash)\"\n"
      "  arenalab completion zsh > ~/.zfunc/_arenalab\n"
      "  arenalab completion fish > ~/.config/fish/completions/arenalab.fish");
  verb.Does([&line, shell] {
    std::fputs(CompletionScript(line.Describe(), *shell).c_str(), stdout);
    return kOk;
  });
}

}  // namespace arenalab
