// Starts driver.py for each model and count, and sums what its processes hold.
#include "tools/workers/workers.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "tools/inspect/process_group.h"
#include "tools/workers/driver_text.h"
#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

constexpr int kSampleMs = 20;

struct Measured {
  std::string error;
  double start_up_seconds = 0;
  double work_seconds = 0;
  double peak_pss_bytes = 0;
  double end_pss_bytes = 0;
  double end_private_bytes = 0;
  double processes = 0;
};

class DriverFile {
 public:
  DriverFile() {
    path_ = (std::filesystem::temp_directory_path() / "arenalab-workers.XXXXXX")
                .string();
    if (mkdtemp(path_.data()) == nullptr)
      throw InputError(path_ + ": cannot be made: " + std::strerror(errno));
    std::ofstream(file()) << kDriverText;
  }
  ~DriverFile() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  DriverFile(const DriverFile&) = delete;
  DriverFile& operator=(const DriverFile&) = delete;
  std::string file() const { return path_ + "/driver.py"; }

 private:
  std::string path_;
};

// One run of the driver.
class Run {
 public:
  Run(const WorkersOptions& options, const std::string& driver,
      const std::string& model, int count) {
    std::vector<std::string> words = {options.command[0], driver, model,
                                      std::to_string(count),
                                      options.pin ? "1" : "0"};
    words.insert(words.end(), options.command.begin() + 1,
                 options.command.end());
    int told[2], release[2];
    if (pipe2(told, O_CLOEXEC) != 0 || pipe2(release, O_CLOEXEC) != 0)
      throw InputError(std::string("no pipe: ") + std::strerror(errno));
    child_ = fork();
    if (child_ == 0) {
      setpgid(0, 0);
      // Above 4 first: either may be 3 or 4 already.
      const int out = fcntl(told[1], F_DUPFD, 10);
      const int in = fcntl(release[0], F_DUPFD, 10);
      dup2(out, 3);
      dup2(in, 4);
      close(out);
      close(in);
      std::vector<char*> argv;
      for (std::string& word : words) argv.push_back(word.data());
      argv.push_back(nullptr);
      execvp(argv[0], argv.data());
      dprintf(3, "{\"error\": \"%s\"}\n", std::strerror(errno));
      _exit(127);
    }
    close(told[1]);
    close(release[0]);
    told_ = told[0];
    release_ = release[1];
    if (child_ < 0) throw InputError("the program cannot be started");
  }
  ~Run() {
    close(release_);
    close(told_);
    // Whatever is left of it: the group is its own.
    kill(-child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  Measured Watch() {
    Measured measured;
    for (;;) {
      pollfd ready = {told_, POLLIN, 0};
      const int found = poll(&ready, 1, kSampleMs);
      Sample(&measured);
      if (found <= 0) continue;
      char piece[4096];
      const ssize_t n = read(told_, piece, sizeof(piece));
      if (n <= 0) {
        measured.error = "it ended before it was done";
        return measured;
      }
      said_.append(piece, static_cast<std::size_t>(n));
      for (std::size_t end; (end = said_.find('\n')) != std::string::npos;
           said_.erase(0, end + 1)) {
        const auto line =
            nlohmann::json::parse(said_.substr(0, end), nullptr, false);
        if (line.contains("error")) {
          measured.error = line["error"].get<std::string>();
          return measured;
        }
        if (line.contains("ready"))
          measured.start_up_seconds = line["ready"].get<double>();
        if (line.contains("done")) {
          measured.work_seconds = line["done"].get<double>();
          const ProcessGroup all = Sample(&measured);
          for (const GroupMember& member : all.members) {
            measured.end_pss_bytes +=
                static_cast<double>(member.shares.pss_bytes);
            measured.end_private_bytes +=
                static_cast<double>(member.shares.private_bytes);
          }
          measured.processes = static_cast<double>(all.members.size());
          if (write(release_, "x", 1) != 1) measured.error = "it ended";
          return measured;
        }
      }
    }
  }

 private:
  ProcessGroup Sample(Measured* measured) const {
    ProcessGroup all = TreeSharesOf(child_);
    double pss = 0;
    for (const GroupMember& member : all.members)
      pss += static_cast<double>(member.shares.pss_bytes);
    measured->peak_pss_bytes = std::max(measured->peak_pss_bytes, pss);
    return all;
  }

  pid_t child_ = 0;
  int told_ = -1;
  int release_ = -1;
  std::string said_;
};

double MedianOf(const std::vector<Measured>& rounds, double Measured::*field) {
  std::vector<double> values;
  for (const Measured& round : rounds) values.push_back(round.*field);
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle]
                                : (values[middle - 1] + values[middle]) / 2;
}

std::string VersionOf(const std::string& python) {
  std::string command = "'";
  for (const char c : python) {
    if (c == '\'')
      command += "'\\''";
    else
      command.push_back(c);
  }
  command +=
      "' -c 'import sys; print(\"%d.%d.%d\" % sys.version_info[:3])' "
      "2>/dev/null";
  std::string version;
  if (FILE* pipe = popen(command.c_str(), "r"); pipe != nullptr) {
    char line[64];
    if (std::fgets(line, sizeof(line), pipe) != nullptr) version = line;
    pclose(pipe);
  }
  while (!version.empty() && version.back() == '\n') version.pop_back();
  if (version.empty() || version[0] != '3')
    throw InputError(python + ": is no Python 3 that can be run");
  return version;
}

}  // namespace

const std::vector<std::string>& WorkerModels() {
  static const std::vector<std::string> models = {"threads", "fork", "spawn",
                                                  "forkserver", "interpreters"};
  return models;
}

WorkersResult RunWorkers(const WorkersOptions& options) {
  if (options.command.size() < 2)
    throw InputError(
        "workers: wants an interpreter and a program: -- python3 app.py");
  if (access(options.command[1].c_str(), R_OK) != 0)
    throw InputError(options.command[1] +
                     ": cannot be read; the word after the interpreter must be "
                     "a program's file");
  WorkersResult result;
  result.python = VersionOf(options.command[0]);
  result.rounds = options.rounds;
  result.pinned = options.pin;
  for (const std::string& word : options.command)
    result.command += (result.command.empty() ? "" : " ") + word;
  const DriverFile driver;
  using Key = std::pair<std::size_t, int>;  // model, workers
  std::vector<Key> keys;
  for (std::size_t model = 0; model < options.models.size(); ++model)
    for (const int count : options.counts) keys.push_back({model, count});
  std::map<Key, std::vector<Measured>> rounds;
  std::mt19937 dice(1);
  std::vector<Key> order = keys;
  for (int round = 0; round < options.rounds; ++round) {
    std::shuffle(order.begin(), order.end(), dice);
    for (const Key& key : order) {
      const std::string& model = options.models[key.first];
      if (options.phase)
        options.phase("round " + std::to_string(round + 1) + ": " +
                      std::to_string(key.second) + " " + model);
      Run run(options, driver.file(), model, key.second);
      rounds[key].push_back(run.Watch());
    }
  }
  for (const Key& key : keys) {
    WorkersRow row;
    row.model = options.models[key.first];
    row.workers = key.second;
    const std::vector<Measured>& all = rounds[key];
    for (const Measured& measured : all)
      if (!measured.error.empty()) row.error = measured.error;
    row.start_up_seconds = MedianOf(all, &Measured::start_up_seconds);
    row.work_seconds = MedianOf(all, &Measured::work_seconds);
    row.peak_pss_bytes = MedianOf(all, &Measured::peak_pss_bytes);
    row.end_pss_bytes = MedianOf(all, &Measured::end_pss_bytes);
    row.end_private_bytes = MedianOf(all, &Measured::end_private_bytes);
    row.processes = MedianOf(all, &Measured::processes);
    result.rows.push_back(std::move(row));
  }
  return result;
}

}  // namespace arenalab
