// The topics of `arenalab help`.
#include "tools/cli/help.h"

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tools/cli/completion.h"
#include "tools/cli/nearest.h"
#include "tools/version.h"

namespace arenalab {
namespace {

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
       128 + N killed by signal N; exec, remedies: an allocator cannot serve
       this interpreter, or the program ended otherwise on one of several

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

void Print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

int Run(const CommandLine& line, const std::string& word) {
  if (word.empty()) {
    Print(line.Help());
    Print("\nTopics (arenalab help TOPIC)\n");
    for (const Topic& topic : kTopics) {
      std::printf("  %-26s%s\n", std::string(topic.name).c_str(),
                  std::string(topic.purpose).c_str());
    }
    return kOk;
  }
  std::vector<std::string> known;
  for (const Topic& topic : kTopics) {
    if (topic.name == word) {
      Print(topic.text);
      return kOk;
    }
    known.emplace_back(topic.name);
  }
  const VerbDescription program = line.Describe();
  if (word == "man") {
    Print(ManPage(program, kVersion));
    return kOk;
  }
  for (const VerbDescription& verb : program.verbs) {
    if (verb.name == word) {
      Print(line.HelpOf(word));
      return kOk;
    }
    known.push_back(verb.name);
  }
  throw UsageError(
      "no help on `" + word + "`" +
      DidYouMean(word, known, "; `arenalab help` lists what there is"));
}

}  // namespace

void AddHelp(CommandLine& line) {
  auto topic = std::make_shared<std::string>();
  Verb verb = line.AddVerb(
      "help", "Explain a verb or a topic: exit-codes, traces, results");
  verb.Positional("TOPIC", topic.get(), "A verb or a topic");
  verb.Footer(
      "Examples:\n"
      "  arenalab help\n"
      "  arenalab help exit-codes\n"
      "  arenalab help man > arenalab.1; man ./arenalab.1\n"
      "  arenalab help verify");
  verb.Does([&line, topic] { return Run(line, *topic); });
}

}  // namespace arenalab
