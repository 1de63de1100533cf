// Where the numbers come from, and what this file would tell a stranger.
#include <cstdio>

#include "visualizer/quantity.h"
#include "visualizer/sections.h"

namespace arenalab {
namespace {

std::string Item(const std::string& term, const std::string& text) {
  if (text.empty()) return "";
  return "<dt>" + Escape(term) + "</dt><dd>" + Escape(text) + "</dd>\n";
}

std::string Joined(const nlohmann::json& words) {
  std::string out;
  if (!words.is_array()) return TextOf(words);
  for (const nlohmann::json& word : words) {
    if (!out.empty()) out += ' ';
    out += TextOf(word);
  }
  return out;
}

std::string Verified(const nlohmann::json& verify) {
  if (!verify.is_object()) return "not verified in this run";
  const std::string compared = CountOf(At(verify, "compared")) +
                               " recorded addresses compared with the "
                               "clone's, " +
                               CountOf(At(verify, "mismatches")) + " differ";
  return TextOf(At(verify, "status")) + ": " + compared;
}

std::string Machine(const nlohmann::json& machine) {
  std::string out = TextOf(At(machine, "cpu"));
  const std::string cores = TextOf(At(machine, "cores"));
  if (!cores.empty()) out += ", " + cores + " cores";
  if (At(machine, "memory_bytes").is_number()) {
    out += ", " + BytesOf(At(machine, "memory_bytes"));
  }
  return out;
}

std::string System(const nlohmann::json& machine) {
  std::string out;
  for (const auto& [key, name] : {std::pair{"kernel", "kernel "},
                                  {"libc", ""},
                                  {"page_bytes", "page bytes "},
                                  {"thp", "huge pages "},
                                  {"aslr", "address randomisation "}}) {
    const std::string text = TextOf(At(machine, key));
    if (text.empty()) continue;
    if (!out.empty()) out += ", ";
    out += name + text;
  }
  return out;
}

std::string Options(const nlohmann::json& options) {
  std::string out;
  if (!options.is_object()) return out;
  for (const auto& [key, value] : options.items()) {
    if (!out.empty()) out += ", ";
    std::string name = key;
    for (char& c : name) {
      if (c == '_') c = ' ';
    }
    out += name + ": " + TextOf(value);
  }
  return out;
}

std::string Versions(const nlohmann::json& allocators) {
  std::string out;
  for (const nlohmann::json& allocator : allocators) {
    if (!out.empty()) out += "; ";
    out += TextOf(At(allocator, "spelled"));
    const std::string version = TextOf(At(allocator, "version"));
    if (!version.empty()) out += " " + version;
    const std::string hash = TextOf(At(allocator, "sha256"));
    if (!hash.empty()) out += " (sha256 " + hash.substr(0, 16) + "…)";
  }
  return out;
}

std::string Duration(const nlohmann::json& ns) {
  if (!ns.is_number()) return "";
  char text[32];
  std::snprintf(text, sizeof text, "%.3f s", ns.get<double>() / 1e9);
  return text;
}

}  // namespace

std::string ProvenanceSection(const nlohmann::json& results) {
  const nlohmann::json& trace = At(results, "trace");
  std::string out = "<dl>\n";
  out += Item("Program", TextOf(At(trace, "program")));
  out += Item("Python", TextOf(At(trace, "python")) + ", geometry " +
                            TextOf(At(trace, "geometry")) + ", recorded on " +
                            TextOf(At(trace, "allocator")));
  out += Item("Recorded", TextOf(At(trace, "started")));
  out += Item("Lasted", Duration(At(trace, "duration_ns")));
  out += Item("Trace", TextOf(At(trace, "file")));
  out += Item("Trace hash", TextOf(At(trace, "hash")));
  out += Item("Requests", CountOf(At(trace, "requests")) + ", " +
                              CountOf(At(trace, "lost")) + " lost");
  out += Item("Verified", Verified(At(results, "verify")));
  out += Item("Command", Joined(At(results, "command")));
  out += Item("Replayed with", Options(At(results, "options")));
  out += Item("Allocators", Versions(At(results, "allocators")));
  out += Item("Machine", Machine(At(results, "machine")));
  out += Item("System", System(At(results, "machine")));
  return out + "</dl>";
}

std::string ContentsSection(const nlohmann::json& results) {
  const nlohmann::json& trace = At(results, "trace");
  std::size_t map_bytes = 0;
  std::size_t object_bytes = 0;
  std::int64_t objects = 0;
  bool addresses = false;
  std::string named;
  for (const nlohmann::json& allocator : At(results, "allocators")) {
    const nlohmann::json& map = At(At(allocator, "map"), "data");
    if (map.is_string()) map_bytes += map.get_ref<const std::string&>().size();
    const nlohmann::json& list = At(allocator, "objects");
    if (const nlohmann::json& data = At(list, "data"); data.is_string()) {
      object_bytes += data.get_ref<const std::string&>().size();
      objects += At(list, "count").get<std::int64_t>();
      if (At(list, "types").is_array()) named += " the names of their types,";
      if (At(list, "sites").is_array())
        named += " the source lines that made them (paths included),";
    }
    addresses =
        addresses || At(At(allocator, "arenas"), "addresses").is_array();
  }
  std::string out = "<p>Before you hand it on: this file names the program (“" +
                    Escape(TextOf(At(trace, "program"))) +
                    "”), its Python, this command line, the machine's "
                    "processor, kernel and library versions, and the names of "
                    "the recording's marks. ";
  out += map_bytes > 0
             ? "It holds the position of every block of the Python heap at " +
                   CountOf(At(results, "timeline")["request"].size()) +
                   " moments (" + FormatBytes(static_cast<double>(map_bytes)) +
                   " of this file). "
             : "It holds no heap map. ";
  if (object_bytes > 0) {
    out += "It lists " + FormatCount(objects) + " objects (" +
           FormatBytes(static_cast<double>(object_bytes)) + "):" + named +
           " sizes, threads, places and lifetimes. ";
  }
  out += addresses ? "It tells where the arenas of the recorded process lay. "
                   : "It holds no addresses of the recorded process. ";
  return out + "It holds no contents of memory and no source code.</p>";
}

}  // namespace arenalab
