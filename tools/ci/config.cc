// Reads arenalab.toml; contract in config.h.
// Header-only: its library has no archive, and tools/package links statically.
#define TOML_HEADER_ONLY 1
#include "tools/ci/config.h"

#include <toml++/toml.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  [[noreturn]] void Fail(const toml::node& at, const std::string& what) const {
    std::ostringstream where;
    where << path_ << ":" << at.source().begin.line << ": " << what;
    throw InputError(where.str());
  }

  const toml::table& Table(const toml::node& node, const char* what) const {
    if (!node.is_table()) Fail(node, std::string(what) + " is a table");
    return *node.as_table();
  }

  // Refuses keys that nobody reads: a misspelt budget is no budget.
  void OnlyKnow(const toml::table& table,
                const std::set<std::string>& known) const {
    for (const auto& [key, value] : table) {
      if (known.contains(std::string(key.str()))) continue;
      std::string names;
      for (const std::string& name : known) {
        names += (names.empty() ? "" : ", ") + name;
      }
      Fail(value,
           "unknown key '" + std::string(key.str()) + "'; there are " + names);
    }
  }

  template <typename T>
  void Take(const toml::table& table, const char* key, T* target) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return;
    const auto value = node->value<T>();
    if (!value.has_value()) {
      Fail(*node, std::string(key) + " has the wrong type");
    }
    *target = *value;
  }

  void TakeNumber(const toml::table& table, const char* key, double least,
                  double most, double* target) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return;
    const auto value = node->value<double>();
    if (!value.has_value() || *value < least || *value > most) {
      std::ostringstream what;
      what << key << " is a number from " << least << " to " << most;
      Fail(*node, what.str());
    }
    *target = *value;
  }

  void TakeInt(const toml::table& table, const char* key, int least, int most,
               int* target) const {
    double number = *target;
    TakeNumber(table, key, least, most, &number);
    *target = static_cast<int>(number);
  }

  void TakeWords(const toml::table& table, const char* key,
                 std::vector<std::string>* target) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return;
    const toml::array* words = node->as_array();
    if (words == nullptr) Fail(*node, std::string(key) + " is a list");
    target->clear();
    for (const toml::node& word : *words) {
      const auto text = word.value<std::string>();
      if (!text.has_value()) {
        Fail(word, std::string(key) + " is a list of strings");
      }
      target->push_back(*text);
    }
  }

  // Calls take(table) for each [[key]].
  template <typename Visit>
  void EachOf(const toml::table& root, const char* key, Visit take) const {
    const toml::node* node = root.get(key);
    if (node == nullptr) return;
    const toml::array* tables = node->as_array();
    if (tables == nullptr) {
      Fail(*node, std::string("write [[") + key + "]]");
    }
    for (const toml::node& table : *tables) take(Table(table, key));
  }

 private:
  const std::string& path_;
};

void TakeTrace(const Reader& reader, const toml::table& table,
               CiConfig* config) {
  reader.OnlyKnow(table, {"name", "path", "base", "new"});
  CiTrace trace;
  reader.Take(table, "path", &trace.path);
  reader.Take(table, "name", &trace.name);
  reader.Take(table, "base", &trace.base);
  reader.Take(table, "new", &trace.now);
  if (trace.path.empty()) reader.Fail(table, "a [[trace]] needs a path");
  if (trace.base.empty() != trace.now.empty()) {
    reader.Fail(table, "base and new are given together");
  }
  // A folder stands for all traces in it.
  namespace fs = std::filesystem;
  const fs::path path =
      fs::path(config->file).parent_path() / fs::path(trace.path);
  std::set<std::string> files;
  if (fs::is_directory(path)) {
    for (const auto& entry : fs::directory_iterator(path)) {
      if (entry.path().extension() == ".trace") {
        files.insert(entry.path().string());
      }
    }
    if (files.empty()) {
      reader.Fail(table, path.string() + " has no .trace files");
    }
  } else {
    files.insert(path.string());
  }
  for (const std::string& file : files) {
    CiTrace one = trace;
    one.path = file;
    if (one.name.empty() || files.size() > 1) {
      one.name = fs::path(file).stem().string();
    }
    config->traces.push_back(one);
  }
}

void TakeProgram(const Reader& reader, const toml::table& table,
                 CiConfig* config) {
  reader.OnlyKnow(table, {"name", "command", "recordings"});
  CiProgram program;
  reader.Take(table, "name", &program.name);
  reader.TakeWords(table, "command", &program.command);
  reader.TakeInt(table, "recordings", 1, 100, &program.recordings);
  if (program.name.empty()) reader.Fail(table, "a [[program]] needs a name");
  if (program.command.empty()) {
    reader.Fail(table, "a [[program]] needs a command, a list of words");
  }
  config->programs.push_back(program);
}

}  // namespace

CiConfig ReadCiConfig(const std::string& path) {
  CiConfig config;
  config.file = path;
  if (!std::ifstream(path)) {
    throw InputError(path + ": cannot be read; `arenalab ci --help` shows one");
  }
  toml::table root;
  try {
    root = toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    std::ostringstream what;
    what << path << ":" << error.source().begin.line << ": "
         << error.description();
    throw InputError(what.str());
  }
  const Reader reader(path);
  reader.OnlyKnow(root, {"ci", "gate", "trace", "program"});
  if (const toml::node* node = root.get("ci")) {
    const toml::table& table = reader.Table(*node, "ci");
    reader.OnlyKnow(table, {"output", "baseline"});
    reader.Take(table, "output", &config.folder);
    reader.Take(table, "baseline", &config.baseline);
  }
  if (const toml::node* node = root.get("gate")) {
    const toml::table& table = reader.Table(*node, "gate");
    reader.OnlyKnow(table,
                    {"allocators", "scope", "budget", "range", "time_threshold",
                     "rounds", "samples", "fail_on_inconclusive"});
    reader.Take(table, "allocators", &config.allocators);
    reader.Take(table, "scope", &config.scope);
    reader.TakeWords(table, "budget", &config.budgets);
    reader.TakeNumber(table, "range", 0, 1000, &config.range_percent);
    reader.TakeNumber(table, "time_threshold", 0, 1000,
                      &config.time_threshold_percent);
    reader.TakeInt(table, "rounds", 0, 10000, &config.rounds);
    reader.TakeInt(table, "samples", 1, 100000, &config.samples);
    reader.Take(table, "fail_on_inconclusive", &config.fail_on_inconclusive);
  }
  reader.EachOf(root, "trace", [&](const toml::table& table) {
    TakeTrace(reader, table, &config);
  });
  reader.EachOf(root, "program", [&](const toml::table& table) {
    TakeProgram(reader, table, &config);
  });
  if (config.traces.empty() && config.programs.empty()) {
    throw InputError(path + ": names no [[trace]] and no [[program]]");
  }
  std::set<std::string> names;
  for (const CiTrace& trace : config.traces) names.insert(trace.name);
  for (const CiProgram& program : config.programs) names.insert(program.name);
  if (names.size() != config.traces.size() + config.programs.size()) {
    throw InputError(path + ": two traces or programs have one name");
  }
  return config;
}

}  // namespace arenalab
