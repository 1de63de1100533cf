// Contract in results_file.h.
#include "tools/replay/results_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>

#include "tools/output/output_file.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

using Json = nlohmann::ordered_json;

void OpenResults(const std::string& path, std::ifstream* file) {
  struct stat status;
  if (stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    throw InputError(path + ": is a directory; name a results file in it");
  }
  file->open(path, std::ios::binary);
  if (!*file) {
    throw InputError(path + ": cannot open: " + std::strerror(errno));
  }
}

}  // namespace

Json ReadResults(const std::string& path) {
  std::ifstream file;
  if (path != "-") OpenResults(path, &file);
  Json results;
  try {
    results = Json::parse(path == "-" ? std::cin : file);
  } catch (const Json::parse_error& error) {
    throw InputError(path + ": byte " + std::to_string(error.byte) +
                     ": not JSON; results are what `arenalab replay -o` "
                     "writes");
  }
  const auto schema =
      results.is_object() ? results.find("schema") : results.end();
  if (schema == results.end()) {
    throw InputError(path +
                     ": names no schema; results are what `arenalab "
                     "replay -o` writes");
  }
  if (*schema != kResultsSchema) {
    throw InputError(path + ": its schema is " + schema->dump() + ", not " +
                     kResultsSchema);
  }
  const auto allocators = results.find("allocators");
  if (allocators == results.end() || !allocators->is_array()) {
    throw InputError(path + ": has no `allocators`");
  }
  for (const Json& allocator : *allocators) {
    if (!allocator.is_object() || !allocator.contains("name") ||
        !allocator["name"].is_string()) {
      throw InputError(path + ": an entry of `allocators` has no name");
    }
  }
  return results;
}

void WriteResults(const Json& results, const std::string& path,
                  bool overwrite) {
  // No escapes but JSON's own: program names are UTF-8 or made so.
  WriteWholeFile(
      path, overwrite,
      results.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace arenalab
