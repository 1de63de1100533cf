// Finding interpreters, and their generation; contract in subjects.h.
#include "tools/experiments/subjects.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>

#include "allocators/pymalloc/generation.h"
#include "tools/experiments/op_stream.h"
#include "tools/replay/measure.h"
#include "tools/replay/native_spec.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> FoundPythons() {
  std::vector<fs::path> candidates{"/usr/bin/python3"};
  if (const char* path = std::getenv("PATH")) {
    std::istringstream folders(path);
    for (std::string folder; std::getline(folders, folder, ':');)
      candidates.push_back(fs::path(folder) / "python3");
  }
  std::error_code error;
  if (const char* home = std::getenv("HOME")) {
    for (const auto& version :
         fs::directory_iterator(fs::path(home) / ".pyenv/versions", error))
      candidates.push_back(version.path() / "bin/python3");
  }
  std::vector<std::string> found;
  std::set<fs::path> seen;
  for (const fs::path& candidate : candidates) {
    const fs::path real = fs::canonical(candidate, error);
    if (!error && seen.insert(real).second) found.push_back(real);
  }
  return found;
}

// pyenv gives 3.5.10 and 3.6.15 the classes of 3.7.4, so the interpreter itself
// is asked: 20,000 blocks of 8 bytes fill 40 pools where classes are 8 bytes
// apart, and 80, more than an arena has, where they are 16.
std::string GeometryOfSubject(const Subject& subject) {
  const auto named = ResolveGeometry(GeometryNameOfVersion(subject.version));
  if (!named.has_value()) return "cpython-3.11";
  if (*named != "classic") return std::string(*named);
  OpStream stream;
  for (std::uint32_t i = 0; i < 20000; ++i) stream.Allocate(i, 8);
  stream.At();
  const MemoryRun run =
      MeasureMemory(subject.native, stream.Close(), {.touch = Touch::kNone});
  return run.samples.back().heap.arenas_created == 1 ? "classic"
                                                     : "cpython-3.7.4";
}

std::vector<int> Numbers(const std::string& label) {
  std::vector<int> numbers;
  std::istringstream parts(label);
  for (std::string part; std::getline(parts, part, '.');)
    numbers.push_back(std::atoi(part.c_str()));
  return numbers;
}

}  // namespace

AllocatorSpec CloneOf(const std::string& settings) {
  return ParseAllocatorSpec("pymalloc{" + settings + "}");
}

std::vector<Subject> Subjects(const ExperimentRequest& request) {
  std::vector<Subject> subjects;
  const bool named = !request.pythons.empty();
  for (const std::string& path : named ? request.pythons : FoundPythons()) {
    Subject subject;
    subject.path = path;
    try {
      subject.native = ParseAllocatorSpec(std::string(kNativePrefix) + path);
      subject.version = ProbeAllocator(subject.native).version;
      subject.label = subject.version.substr(0, subject.version.find(' '));
      subject.geometry = GeometryOfSubject(subject);
      subject.clone = CloneOf("geometry:" + subject.geometry);
    } catch (const InputError&) {
      if (named) throw;
      continue;
    }
    subjects.push_back(std::move(subject));
  }
  std::ranges::stable_sort(subjects, {}, [](const Subject& subject) {
    return Numbers(subject.label);
  });
  return subjects;
}

std::string Figure(double value, int decimals, int width) {
  char text[64];
  const int length = std::snprintf(text, sizeof(text), "%.*f", decimals, value);
  const int point = decimals == 0 ? length : length - decimals - 1;
  const int first = text[0] == '-' ? 1 : 0;
  std::string figure;
  for (int i = 0; i < length; ++i) {
    const int digits_left = point - i;
    if (i > first && digits_left > 0 && digits_left % 3 == 0) figure += ',';
    figure += text[i];
  }
  const int missing = width - static_cast<int>(figure.size());
  return std::string(static_cast<std::size_t>(std::max(missing, 0)), ' ')
      .append(figure);
}

std::string Cell(const std::string& text, std::size_t width) {
  std::string cell = text;
  cell.resize(std::max(width, text.size() + 1), ' ');
  return cell;
}

}  // namespace arenalab
