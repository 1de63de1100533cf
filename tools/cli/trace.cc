// Every reader of a trace says when it is incomplete or lost events, on
// stderr; the exit status stays what the verb found.
#include "tools/cli/trace.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "tools/cli/trace_info.h"
#include "tools/output/output_file.h"
#include "tools/verify/lineage.h"
#include "tools/version.h"
#include "tracer/format/anonymise.h"
#include "tracer/format/lint.h"
#include "tracer/format/pack.h"
#include "tracer/format/text.h"
#include "tracer/format/trim.h"

namespace arenalab {
namespace {

struct Flags {
  std::string input;
  std::string output = "-";
  bool force = false;
  bool json = false;
  std::uint64_t from = 0;
  std::uint64_t to = ~std::uint64_t{0};
};

void Warn(const TraceReader& reader) {
  if (!reader.complete()) {
    std::fprintf(stderr,
                 "arenalab: warning: %s is incomplete (no END mark: still "
                 "being written, or its recorder was killed)\n",
                 reader.path().c_str());
  }
  if (reader.totals().lost != 0) {
    std::fprintf(stderr, "arenalab: warning: %s: %llu events were lost\n",
                 reader.path().c_str(),
                 static_cast<unsigned long long>(reader.totals().lost));
  }
}

// stdout is data: a reader that went away or a full disk is an error.
void Print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() ||
      std::fflush(stdout) != 0) {
    throw InputError(std::string("cannot write to standard output: ") +
                     std::strerror(errno));
  }
}

int Info(const Flags& flags) {
  TraceReader reader(flags.input);
  Print(flags.json ? TraceInfoJson(reader) : TraceInfoText(reader));
  Warn(reader);
  return kOk;
}

int Dump(const Flags& flags) {
  TraceReader reader(flags.input);
  OutputFile output(flags.output, flags.force);
  if (output.path() == "-") {
    DumpText(reader, stdout);
  } else {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
        std::fopen(output.path().c_str(), "wb"), std::fclose);
    if (file == nullptr) {
      throw InputError(output.path() +
                       ": cannot create: " + std::strerror(errno));
    }
    DumpText(reader, file.get());
  }
  output.Commit();
  Warn(reader);
  return kOk;
}

int Import(const Flags& flags) {
  std::ifstream file;
  if (flags.input != "-") {
    file.open(flags.input, std::ios::binary);
    if (!file.is_open()) {
      throw InputError(flags.input + ": cannot open: " + std::strerror(errno));
    }
  }
  OutputFile output(flags.output, flags.force);
  TraceWriter writer(output.path(), /*exclusive=*/false);
  const bool from_stdin = flags.input == "-";
  ImportText(from_stdin ? std::cin : file, from_stdin ? "stdin" : flags.input,
             writer);
  output.Commit();
  std::fprintf(stderr, "arenalab: %s: %llu requests\n", flags.output.c_str(),
               static_cast<unsigned long long>(writer.requests()));
  return kOk;
}

// What makes a trace of a trace.
int Rewrite(const Flags& flags,
            const std::function<void(TraceReader&, TraceWriter&)>& rewrite) {
  TraceReader reader(flags.input);
  OutputFile output(flags.output, flags.force);
  TraceWriter writer(output.path(), /*exclusive=*/false);
  rewrite(reader, writer);
  output.Commit();
  std::fprintf(stderr, "arenalab: %s: %llu requests\n", flags.output.c_str(),
               static_cast<unsigned long long>(writer.requests()));
  Warn(reader);
  return kOk;
}

int TrimTrace(const Flags& flags) {
  return Rewrite(flags, [&flags](TraceReader& reader, TraceWriter& writer) {
    Trim(reader, flags.from, flags.to, writer);
  });
}

int AnonymiseTrace(const Flags& flags) { return Rewrite(flags, Anonymise); }

int PackTrace(const Flags& flags) {
  TraceReader reader(flags.input);
  OutputFile output(flags.output, flags.force);
  Packing packing = PackingOf(reader);
  TraceWriter writer(output.path(), /*exclusive=*/false,
                     std::move(packing.options));
  CopyTrace(reader, packing.packed, writer);
  const auto bytes = static_cast<double>(writer.bytes());
  output.Commit();
  std::fprintf(stderr, "arenalab: %s: %.1f MB, %.2f bytes an event%s\n",
               flags.output.c_str(), bytes / 1e6,
               bytes / static_cast<double>(
                           std::max<std::uint64_t>(1, reader.totals().events)),
               packing.packed.empty()
                   ? "; without the clone, which does not know its heap"
                   : "");
  Warn(reader);
  return kOk;
}

int UnpackTrace(const Flags& flags) {
  return Rewrite(flags, [](TraceReader& reader, TraceWriter& writer) {
    CopyTrace(reader, "", writer);
  });
}

std::string LintJson(const TraceReader& reader, const LintReport& report) {
  nlohmann::ordered_json counts = nlohmann::ordered_json::object();
  for (int i = 0; i < kLintRules; ++i) {
    counts[std::string(LintRuleName(static_cast<LintRule>(i)))] =
        report.counts[static_cast<std::size_t>(i)];
  }
  nlohmann::ordered_json first = nlohmann::ordered_json::array();
  for (const LintFinding& finding : report.first) {
    first.push_back({{"rule", LintRuleName(finding.rule)},
                     {"request", finding.request},
                     {"what", finding.what}});
  }
  const nlohmann::ordered_json json = {{"schema", "arenalab.lint/1"},
                                       {"tool", kVersion},
                                       {"file", reader.path()},
                                       {"legal", report.legal()},
                                       {"complete", report.complete},
                                       {"requests", report.requests},
                                       {"judged", report.judged},
                                       {"explained_reuses", report.explained},
                                       {"live_at_end", report.live_at_end},
                                       {"counts", counts},
                                       {"first", first}};
  return json.dump(2, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace) +
         "\n";
}

std::string LintText(const TraceReader& reader, const LintReport& report) {
  std::string text;
  for (const LintFinding& finding : report.first) {
    text += reader.path() + ": request " + std::to_string(finding.request) +
            ": " + std::string(LintRuleName(finding.rule)) + ": " +
            finding.what + "\n";
  }
  for (int i = 0; i < kLintRules; ++i) {
    const std::uint64_t count = report.counts[static_cast<std::size_t>(i)];
    if (count > LintReport::kFindings) {
      text += reader.path() + ": " +
              std::string(LintRuleName(static_cast<LintRule>(i))) + ": " +
              std::to_string(count) + " in all\n";
    }
  }
  text += reader.path() + ": " + (report.legal() ? "legal" : "not legal") +
          ": " + std::to_string(report.judged) + " requests judged, " +
          std::to_string(report.requests - report.judged) + " nested, " +
          std::to_string(report.explained) +
          " addresses reused within a realloc, " +
          std::to_string(report.live_at_end) + " objects live at the end\n";
  const std::uint64_t foreign =
      report.counts[static_cast<std::size_t>(LintRule::kForeign)];
  if (!reader.Meta("window").empty()) {
    text += reader.path() + ": " + std::to_string(foreign) +
            " blocks from before the window given up or grown\n";
  }
  return text;
}

int LintTrace(const Flags& flags) {
  TraceReader reader(flags.input);
  std::vector<Ancestor> lineage;
  if (!reader.Meta("parent").empty()) {
    if (flags.input == "-") {
      throw InputError(
          "stdin: is the trace of a forked child; its parent's is looked for "
          "beside it, so name the file");
    }
    lineage = LineageOf(flags.input);
    lineage.pop_back();  // the trace itself
  }
  std::deque<TraceReader> parents;
  std::vector<LintAncestor> ancestors;
  for (const Ancestor& ancestor : lineage) {
    ancestors.push_back({&parents.emplace_back(ancestor.path), ancestor.fork});
  }
  const LintReport report = Lint(reader, ancestors);
  Print(flags.json ? LintJson(reader, report) : LintText(reader, report));
  Warn(reader);
  return report.legal() ? kOk : kDifferent;
}

Verb AddInner(Verb trace, const char* name, const char* purpose,
              const std::shared_ptr<Flags>& flags, int (*run)(const Flags&)) {
  Verb verb = trace.AddVerb(name, purpose);
  verb.Does([flags, run] { return run(*flags); });
  return verb;
}

void AddOutput(Verb verb, Flags& flags) {
  verb.Value("-o,--output", &flags.output, "The trace; - is stdout").Required();
  verb.Flag("-f,--force", &flags.force, "Overwrite the output");
}

}  // namespace

void AddTrace(CommandLine& line) {
  Verb trace = line.AddVerb(
      "trace", "A trace file as such: what it holds, as text, from text");
  trace.Footer(
      "Examples:\n"
      "  arenalab trace info app.trace\n"
      "  arenalab trace dump app.trace | less\n"
      "  arenalab trace lint app.trace");
  const auto flags = std::make_shared<Flags>();
  const char* const kTrace = "The trace; - is standard input";

  Verb info =
      AddInner(trace, "info", "What a trace holds, in numbers", flags, Info);
  info.Positional("TRACE", &flags->input, kTrace).Required();
  info.Flag("--json", &flags->json, "Schema arenalab.trace-info/1");

  Verb dump = AddInner(
      trace, "dump",
      "The text form: one line an event, as tracer/TRACE_FORMAT.md tells",
      flags, Dump);
  dump.Positional("TRACE", &flags->input, kTrace).Required();
  dump.Value("-o,--output", &flags->output, "The text; - is stdout")
      .ShowDefault();
  dump.Flag("-f,--force", &flags->force, "Overwrite the output");

  Verb import =
      AddInner(trace, "import", "A trace from its text form", flags, Import);
  import.Positional("TEXT", &flags->input, "The text; - is standard input")
      .Required();
  AddOutput(import, *flags);

  Verb lint = AddInner(
      trace, "lint",
      "Is the trace possible? Exit status 0: legal, 1: it holds what no "
      "program and no allocator does",
      flags, LintTrace);
  lint.Positional("TRACE", &flags->input, kTrace).Required();
  lint.Flag("--json", &flags->json, "Schema arenalab.lint/1");

  Verb trim = AddInner(
      trace, "trim",
      "A piece of a trace, what is live at its begin standing first; it can "
      "be replayed, and verified if it begins at request 0",
      flags, TrimTrace);
  trim.Positional("TRACE", &flags->input, kTrace).Required();
  trim.Value("--from", &flags->from, "The piece's first request [0]");
  trim.Value("--to", &flags->to, "The request behind it [the end]");
  AddOutput(trim, *flags);

  Verb pack = AddInner(
      trace, "pack",
      "The same trace in fewer bytes, for keeping: the addresses that the "
      "clone tells are left out; every verb reads it",
      flags, PackTrace);
  pack.Positional("TRACE", &flags->input, kTrace).Required();
  AddOutput(pack, *flags);

  Verb unpack = AddInner(trace, "unpack", "What was packed, as it was recorded",
                         flags, UnpackTrace);
  unpack.Positional("TRACE", &flags->input, kTrace).Required();
  AddOutput(unpack, *flags);

  Verb anonymise = AddInner(
      trace, "anonymise",
      "A trace without command line, paths, process ids and names of marks",
      flags, AnonymiseTrace);
  anonymise.Positional("TRACE", &flags->input, kTrace).Required();
  AddOutput(anonymise, *flags);
}

}  // namespace arenalab
