// The command line's grammar: verbs with their options, positional words and
// examples. Everything that is known about it is declared here once; --help,
// completion, the manual page and did-you-mean are made from the declarations.
//
// A thin face before CLI11, whose header takes seconds to compile: only
// command_line.cc includes it.
//
// TO ADD A VERB: one file with one function, its line in main.cc, its target in
// BUILD and in the list of //tools/cli:arenalab.
//
//   struct Flags { std::string trace; int rounds = 3; bool json = false; };
//   int Run(const Flags& flags);  // the exit status; throws InputError
//
//   void AddWeigh(CommandLine& line) {
//     auto flags = std::make_shared<Flags>();
//     Verb verb = line.AddVerb("weigh", "What a recording weighs");
//     verb.Positional("TRACE", &flags->trace, "The recording").Required();
//     verb.Value("--rounds", &flags->rounds, "Timed rounds")
//         .Between(1, 10000)
//         .ShowDefault();
//     verb.Flag("--json", &flags->json, "One JSON object on stdout");
//     verb.Footer("Examples:\n"
//                 "  arenalab weigh app.trace");
//     verb.Does([flags] { return Run(*flags); });
//   }
//
// An option's target keeps what it holds where the option is not given. It must
// live as long as the CommandLine: hence the shared_ptr that Does() captures.
// The verb's work runs after the whole command line was found to be right.
//
// Option and Verb are handles, to be copied freely; they die with their
// CommandLine. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace arenalab {

// The command line is wrong: one line, exit status 2. A verb's own checks throw
// it too.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Where a value goes. Of a vector, each use of the option adds its words.
using Target =
    std::variant<std::string*, std::vector<std::string>*, int*, unsigned*,
                 std::int64_t*, std::uint64_t*, double*, std::vector<int>*,
                 std::vector<std::uint64_t>*, std::vector<double>*>;

struct CommandLineState;

class Option {
 public:
  Option Required();
  Option OneOf(std::vector<std::string> words);
  Option Between(int least, int most);
  Option Between(std::int64_t least, std::int64_t most);
  Option Between(double least, double most);
  // A check of one's own: "" or what is wrong with the word.
  Option Check(std::function<std::string(const std::string&)> wrong_with);
  Option ShowDefault();           // in --help
  Option Comma();                 // a,b,c is three values
  Option OneEach();               // of a vector: one word each time it is given
  Option Excludes(Option other);  // conflicts name both
  Option Needs(Option other);
  Option Group(std::string name);  // its heading in --help

 private:
  friend class Verb;
  Option(CLI::Option* option, CommandLineState* state)
      : option_(option), state_(state) {}

  CLI::Option* option_;
  CommandLineState* state_;
};

class Verb {
 public:
  // `trace info` is the verb `info` of the verb `trace`, which then does
  // nothing without one.
  Verb AddVerb(const std::string& name, const std::string& purpose);

  Option Positional(const std::string& name, Target target,
                    const std::string& purpose);
  // Names: "--touch" or "-o,--output".
  Option Value(const std::string& names, Target target,
               const std::string& purpose);
  Option Flag(const std::string& names, bool* target,
              const std::string& purpose);
  // The words of a program to run, after `--`, which must be there where the
  // program is Required().
  Option Program(std::vector<std::string>* words, const std::string& purpose);

  // Examples first, then exit statuses. --help shows it above the options.
  void Footer(const std::string& text);
  void Does(std::function<int()> work);

 private:
  friend class CommandLine;
  Verb(CLI::App* app, CommandLineState* state) : app_(app), state_(state) {}

  CLI::App* app_;
  CommandLineState* state_;
};

// What was declared, for whoever writes it down.
struct OptionDescription {
  std::vector<std::string> names;  // "-o", "--output"; a positional has one
  bool positional = false;
  bool program = false;
  std::string value;               // "TEXT", "INT"; "" is a flag
  std::vector<std::string> words;  // those it may be, if only some
  std::string purpose;
};

struct VerbDescription {
  std::string name;
  std::string purpose;  // one line
  std::string footer;
  std::vector<OptionDescription> options;
  std::vector<VerbDescription> verbs;
};

class CommandLine {
 public:
  CommandLine(const std::string& name, const std::string& purpose,
              const std::string& version);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  Verb AddVerb(const std::string& name, const std::string& purpose);

  // Parses, does the verb's work and returns its exit status; prints --help and
  // --version. Throws UsageError, and whatever the work throws.
  int Run(int argc, const char* const* argv);

  // As `arenalab --help` and `arenalab VERB --help`.
  std::string Help() const;
  std::string HelpOf(const std::string& verb) const;
  VerbDescription Describe() const;

 private:
  std::unique_ptr<CommandLineState> state_;
};

}  // namespace arenalab
