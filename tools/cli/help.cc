// The topics of `arenalab help`, and the layout of every --help.
#include "tools/cli/help.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <numeric>
#include <sstream>
#include <string_view>
#include <vector>

namespace arenalab {
namespace {

// CLI11 has footers last; what most readers of --help want is an example.
class HelpFormat : public CLI::Formatter {
 public:
  HelpFormat() { column_width(28); }

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    if (mode == CLI::AppFormatMode::Sub) return make_expanded(app);
    std::ostringstream out;
    out << make_description(app);
    const std::string footer = make_footer(app);
    if (!footer.empty()) out << "\n" << footer;
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
};

struct Topic {
  std::string_view name;
  std::string_view purpose;
  std::string_view text;
};

constexpr std::array kTopics{
    Topic{"exit-codes", "what each exit status means",
          R"(Exit statuses

  0    everywhere: done, and nothing was found wrong
  1    verify: a mismatch; trace lint: an impossible history;
       compare: a regression; doctor: something is in the way
  2    everywhere: the command line is wrong
  3    everywhere: the input cannot be used (no trace, a bad checksum);
       verify: nothing can be proved (pymalloc was not beneath the hooks, an
       unknown generation, fewer than 99.99 % of the served requests compared);
       compare: the files cannot be compared
  4    compare --fail-on-inconclusive: nothing could be decided
  125  record: ours failed, or nothing was recorded; else record passes on the
       status of the program: its own, 126 not executable, 127 not found,
       128 + N killed by signal N

A trace without its end mark is incomplete: every verb warns, uses what is there
and exits as if it were whole. Numbers from it are marked `complete: false`.
)"},
    Topic{"traces", "what a recording holds and how files belong together",
          R"(Traces

`arenalab record` writes one file for each process in which a Python interpreter
started: the main process's under the name given by -o, the others' with their
process id before the suffix (app.trace, app.4711.trace).

A trace holds every request of Python's raw, mem and obj domains and of the
C library, with size and address, in one order, and every arena that pymalloc
acquired and released. Requests made while another is served are left out unless
--layers is given: memory would be counted twice.

EVENT in messages and in --placements is a request's number, from 0.

A child of a fork begins with its parent's heap. Its trace says `parent FILE N`:
keep both files in one folder, and `arenalab verify` replays the parent up to
fork N first.

  arenalab trace info app.trace      what is in it
  arenalab trace dump app.trace      as text, one line an event
  arenalab trace import app.txt      text (edited, or written by hand) to trace
  arenalab trace lint app.trace      whether it is possible at all

The format: tracer/TRACE_FORMAT.md.
)"},
    Topic{"results", "the file that replay writes",
          R"(Results

`arenalab replay app.trace -o app.json` writes one JSON object: what was
requested and held at some thousand moments, the same for each allocator, times,
and a verdict in words. `report` makes a page of it, `stats` a screen, `compare`
judges two. Bytes and nanoseconds are whole numbers; what is not known is null,
never 0.

pymalloc's memory is computed by a model that reproduces every address of the
recording, so it is the same on every run and machine. What other allocators
hold is measured in a process of its own, an empty replay subtracted.

The fields: tools/replay/RESULTS.md. The formulas of its summary:

  jw1..jw4       overhead over what is requested: mean, at the most requested,
                 at the most held, most held against most requested (minus 1)
  drain_bytes    held after the last event, less what was held before the first
)"},
};

std::vector<std::string> VerbNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands({})) {
    names.push_back(verb->get_name());
  }
  return names;
}

void Print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

int Run(CLI::App& app, const std::string& word) {
  if (word.empty()) {
    Print(app.help());
    Print("\nTopics (arenalab help TOPIC)\n");
    for (const Topic& topic : kTopics) {
      std::printf("  %-26s%s\n", std::string(topic.name).c_str(),
                  std::string(topic.purpose).c_str());
    }
    return kOk;
  }
  for (const Topic& topic : kTopics) {
    if (topic.name == word) {
      Print(topic.text);
      return kOk;
    }
  }
  std::vector<std::string> known = VerbNames(app);
  if (std::find(known.begin(), known.end(), word) != known.end()) {
    Print(app.get_subcommand(word)->help("arenalab"));
    return kOk;
  }
  for (const Topic& topic : kTopics) known.emplace_back(topic.name);
  const std::string nearest = Nearest(word, known);
  std::fprintf(stderr, "arenalab: no help on `%s`%s\n", word.c_str(),
               nearest.empty() ? "; `arenalab help` lists what there is"
                               : ("; did you mean `" + nearest + "`?").c_str());
  return kUsage;
}

}  // namespace

std::string UnknownVerb(const CLI::App& app, int argc,
                        const char* const* argv) {
  if (argc < 2 || argv[1][0] == '-') return "";
  const std::string word = argv[1];
  const std::vector<std::string> known = VerbNames(app);
  if (std::find(known.begin(), known.end(), word) != known.end()) return "";
  const std::string nearest = Nearest(word, known);
  return "no verb `" + word + "`" +
         (nearest.empty() ? "; `arenalab help` lists them"
                          : "; did you mean `" + nearest + "`?");
}

std::string MissingSeparator(const CLI::App& app, int argc,
                             const char* const* argv) {
  if (argc < 3) return "";
  const auto verbs = app.get_subcommands(
      [&](const CLI::App* verb) { return verb->get_name() == argv[1]; });
  const CLI::Option* const command =
      verbs.empty() ? nullptr : verbs[0]->get_option_no_throw("COMMAND");
  if (command == nullptr || !command->get_required()) return "";
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--" || word == "-h" || word == "--help") return "";
  }
  return std::string("put -- before the program: arenalab ") + argv[1] +
         " [OPTIONS] -- PROGRAM [ARGUMENTS]";
}

std::string Nearest(const std::string& word,
                    const std::vector<std::string>& known) {
  std::size_t best = 3;
  std::string nearest;
  for (const std::string& candidate : known) {
    // Levenshtein's distance, row by row.
    std::vector<std::size_t> row(candidate.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < word.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i + 1;
      for (std::size_t j = 0; j < candidate.size(); ++j) {
        const std::size_t replaced =
            diagonal + (word[i] == candidate[j] ? 0 : 1);
        diagonal = row[j + 1];
        row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
      }
    }
    // Not everything is near to a word of three letters.
    if (row.back() < best && row.back() * 2 <= word.size()) {
      best = row.back();
      nearest = candidate;
    }
  }
  return nearest;
}

void UseHelpFormat(CLI::App& app) {
  app.formatter(std::make_shared<HelpFormat>());
  app.set_help_flag("-h,--help", "Show this and exit");
}

void AddHelp(CLI::App& app, int* status) {
  CLI::App* verb = app.add_subcommand(
      "help", "Explain a verb or a topic: exit-codes, traces, results");
  auto topic = std::make_shared<std::string>();
  verb->add_option("TOPIC", *topic, "A verb or a topic");
  verb->footer(
      "Examples:\n"
      "  arenalab help\n"
      "  arenalab help exit-codes\n"
      "  arenalab help verify");
  verb->callback([&app, topic, status] { *status = Run(app, *topic); });
}

}  // namespace arenalab
