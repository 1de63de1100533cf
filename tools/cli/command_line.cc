// The one file that knows CLI11: declarations go to it, its errors become
// UsageErrors that say which verb's --help to read.
#include "tools/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

#include "tools/cli/nearest.h"

namespace arenalab {

struct CommandLineState {
  CLI::App app;
  bool brief = false;  // -h, not --help
  std::function<int()> work;
  std::map<const CLI::Option*, std::vector<std::string>> words;
  std::map<const CLI::App*, const CLI::Option*> programs;
};

namespace {

// CLI11 has footers last; what most readers of --help want is an example.
class HelpFormat : public CLI::Formatter {
 public:
  explicit HelpFormat(const CommandLineState* state) : state_(state) {
    column_width(28);
  }

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    if (mode == CLI::AppFormatMode::Sub) return make_expanded(app);
    std::ostringstream out;
    out << make_description(app);
    const std::string footer = make_footer(app);
    if (!footer.empty() && !state_->brief) out << "\n" << footer;
    out << "\n"
        << make_usage(app, name) << make_positionals(app)
        << make_groups(app, mode) << make_subcommands(app, mode);
    return out.str();
  }

  // In a list of verbs, one line each.
  std::string make_subcommand(const CLI::App* verb) const override {
    const std::string purpose = verb->get_description();
    std::ostringstream out;
    CLI::detail::format_help(out, verb->get_name(),
                             purpose.substr(0, purpose.find('\n')),
                             get_column_width());
    return out.str();
  }

 private:
  const CommandLineState* state_;
};

std::vector<std::string> VerbNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands({})) {
    names.push_back(verb->get_name());
  }
  return names;
}

// "-o", "--output"; of a positional its one name.
std::vector<std::string> NamesOf(const CLI::Option& option) {
  if (option.get_positional()) return {option.get_single_name()};
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) {
    names.push_back("-" + name);
  }
  for (const std::string& name : option.get_lnames()) {
    names.push_back("--" + name);
  }
  return names;
}

VerbDescription DescribeVerb(const CLI::App& app,
                             const CommandLineState& state) {
  VerbDescription verb;
  verb.name = app.get_name();
  verb.purpose = app.get_description();
  verb.purpose.resize(std::min(verb.purpose.find('\n'), verb.purpose.size()));
  verb.footer = app.get_footer();
  const auto program = state.programs.find(&app);
  for (const CLI::Option* option : app.get_options()) {
    OptionDescription described;
    described.names = NamesOf(*option);
    described.positional = option->get_positional();
    described.program =
        program != state.programs.end() && program->second == option;
    if (option->get_items_expected_max() != 0) {
      described.value = option->get_type_name();
    }
    if (const auto it = state.words.find(option); it != state.words.end()) {
      described.words = it->second;
    }
    described.purpose = option->get_description();
    verb.options.push_back(std::move(described));
  }
  for (const CLI::App* inner : app.get_subcommands({})) {
    verb.verbs.push_back(DescribeVerb(*inner, state));
  }
  return verb;
}

// The verb that was being parsed, innermost, and "arenalab trace info".
std::pair<const CLI::App*, std::string> Innermost(const CLI::App& app) {
  const CLI::App* verb = &app;
  std::string name = app.get_name();
  while (!verb->get_subcommands().empty()) {
    verb = verb->get_subcommands().front();
    name += " " + verb->get_name();
  }
  return {verb, name};
}

// A word too many, or an option that there is not.
std::string Unexpected(const CLI::App& app, const CLI::App& verb) {
  const std::vector<std::string> words = app.remaining(/*recurse=*/true);
  const auto option = std::find_if(
      words.begin(), words.end(),
      [](const std::string& word) { return word.starts_with("-"); });
  if (option == words.end()) {
    const std::string& word = words.front();
    const std::vector<std::string> verbs = VerbNames(verb);
    if (verbs.empty()) return "one word too many: `" + word + "`";
    return "no verb `" + word + "`" + DidYouMean(word, verbs, "");
  }
  const std::string name = option->substr(0, option->find('='));
  std::vector<std::string> known;
  for (const CLI::Option* one : verb.get_options()) {
    for (std::string& each : NamesOf(*one)) known.push_back(std::move(each));
  }
  return "no option `" + name + "`" + DidYouMean(name, known, "");
}

std::string MessageOf(const CLI::ParseError& error, const CLI::App& app) {
  const auto [verb, name] = Innermost(app);
  std::string what = error.what();
  const bool no_verb = what == "A subcommand is required";
  if (no_verb) what = "a verb is required";
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError) ||
      (no_verb && !app.remaining(/*recurse=*/true).empty())) {
    what = Unexpected(app, *verb);
  }
  return what + (what.ends_with("?") ? " " : "; ") + name + " --help";
}

// The line for a first argument that is no verb; "" where it is one.
std::string UnknownVerb(const CLI::App& app, int argc,
                        const char* const* argv) {
  if (argc < 2 || argv[1][0] == '-') return "";
  const std::string word = argv[1];
  const std::vector<std::string> known = VerbNames(app);
  if (std::find(known.begin(), known.end(), word) != known.end()) return "";
  return "no verb `" + word + "`" +
         DidYouMean(word, known, "; `arenalab help` lists them");
}

// The line for a verb that runs a program when no `--` says where the program's
// own words begin; "" where there is one, or the verb runs none.
std::string MissingSeparator(const CommandLineState& state, int argc,
                             const char* const* argv) {
  if (argc < 3) return "";
  const auto runs =
      std::find_if(state.programs.begin(), state.programs.end(),
                   [&](const auto& verb_and_program) {
                     return verb_and_program.first->get_name() == argv[1] &&
                            verb_and_program.second->get_required();
                   });
  if (runs == state.programs.end()) return "";
  for (int i = 2; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--" || word == "-h" || word == "--help") return "";
  }
  return std::string("put -- before the program: arenalab ") + argv[1] +
         " [OPTIONS] -- PROGRAM [ARGUMENTS]";
}

}  // namespace

Option Option::Required() {
  option_->required();
  return *this;
}

Option Option::OneOf(std::vector<std::string> words) {
  option_->check(CLI::IsMember(words));
  state_->words[option_] = std::move(words);
  return *this;
}

Option Option::Between(int least, int most) {
  return Between(std::int64_t{least}, std::int64_t{most});
}

Option Option::Between(std::int64_t least, std::int64_t most) {
  option_->check(CLI::Range(least, most));
  return *this;
}

Option Option::Between(double least, double most) {
  option_->check(CLI::Range(least, most));
  return *this;
}

Option Option::Check(
    std::function<std::string(const std::string&)> wrong_with) {
  option_->check(CLI::Validator(
      [wrong_with = std::move(wrong_with)](std::string& word) {
        return wrong_with(word);
      },
      ""));
  return *this;
}

Option Option::ShowDefault() {
  option_->capture_default_str();
  return *this;
}

Option Option::Comma() {
  option_->delimiter(',');
  return *this;
}

Option Option::OneEach() {
  option_->allow_extra_args(false);
  return *this;
}

Option Option::Excludes(Option other) {
  option_->excludes(other.option_);
  return *this;
}

Option Option::Needs(Option other) {
  option_->needs(other.option_);
  return *this;
}

Option Option::Group(std::string name) {
  option_->group(std::move(name));
  return *this;
}

Verb Verb::AddVerb(const std::string& name, const std::string& purpose) {
  app_->require_subcommand(1);
  return {app_->add_subcommand(name, purpose), state_};
}

Option Verb::Positional(const std::string& name, Target target,
                        const std::string& purpose) {
  return Value(name, target, purpose);
}

Option Verb::Value(const std::string& names, Target target,
                   const std::string& purpose) {
  return std::visit(
      [&](auto* value) {
        return Option(app_->add_option(names, *value, purpose), state_);
      },
      target);
}

Option Verb::Flag(const std::string& names, bool* target,
                  const std::string& purpose) {
  return {app_->add_flag(names, *target, purpose), state_};
}

Option Verb::Program(std::vector<std::string>* words,
                     const std::string& purpose) {
  CLI::Option* program = app_->add_option("COMMAND", *words, purpose);
  app_->positionals_at_end();
  state_->programs[app_] = program;
  return {program, state_};
}

void Verb::Footer(const std::string& text) { app_->footer(text); }

void Verb::Does(std::function<int()> work) {
  app_->callback(
      [state = state_, work = std::move(work)] { state->work = work; });
}

CommandLine::CommandLine(const std::string& name, const std::string& purpose,
                         const std::string& version)
    : state_(std::make_unique<CommandLineState>()) {
  CLI::App& app = state_->app;
  app.name(name);
  app.description(purpose);
  app.set_version_flag("--version", version);
  app.require_subcommand(1);
  // Verbs take over what is set before they are added.
  app.formatter(std::make_shared<HelpFormat>(state_.get()));
  app.set_help_flag("-h,--help", "Show this and exit");
}

CommandLine::~CommandLine() = default;

Verb CommandLine::AddVerb(const std::string& name, const std::string& purpose) {
  return {state_->app.add_subcommand(name, purpose), state_.get()};
}

int CommandLine::Run(int argc, const char* const* argv) {
  CLI::App& app = state_->app;
  const std::string separator = MissingSeparator(*state_, argc, argv);
  if (!separator.empty()) throw UsageError(separator);
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--" || word == "--help") break;
    if (word == "-h") state_->brief = true;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    std::ostringstream text;
    app.exit(help_or_version, text, text);
    std::fputs(text.str().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& error) {
    const std::string unknown = UnknownVerb(app, argc, argv);
    throw UsageError(unknown.empty() ? MessageOf(error, app) : unknown);
  }
  return state_->work();
}

std::string CommandLine::Help() const { return state_->app.help(); }

std::string CommandLine::HelpOf(const std::string& verb) const {
  return state_->app.get_subcommand(verb)->help(state_->app.get_name());
}

VerbDescription CommandLine::Describe() const {
  return DescribeVerb(state_->app, *state_);
}

}  // namespace arenalab
