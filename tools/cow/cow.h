// What a program's forked children copy of what they shared with their parent:
// memory over time, and page by page of pymalloc's arenas the cause.
//
// Errors: InputError if the command cannot be run or traced.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "tools/cow/fork_image.h"
#include "tools/inspect/process_group.h"

namespace arenalab {

struct CowOptions {
  std::vector<std::string> command;
  double every_seconds = 0.1;
  bool gc_freeze = false;  // gc.freeze() before each fork
  bool hook = true;        // gc_hook.h
};

struct CowSample {
  double seconds = 0;  // since the command began
  ProcessShares shares;
  std::uint64_t copied_pages = 0;  // of arenas
};

struct CowChild {
  int pid = 0;
  int parent = 0;
  std::string command;
  double forked_seconds = 0;
  double ended_seconds = -1;  // -1: it was gone before it could be looked at
  bool executed = false;      // another program since: looked at until then
  std::uint64_t collections = 0;  // of generation 1 or older
  bool has_arenas = false;
  std::vector<CowSample> samples;  // the first right after the fork
  CopyCounts counts;
};

struct CowResult {
  int status = 0;  // the command's own
  bool hook = true;
  bool gc_freeze = false;
  bool sees_frames = false;
  std::string command;
  std::vector<CowChild> children;  // in the order of their forks
};

CowResult WatchCopies(const CowOptions& options);

std::string CowText(const CowResult& result);
// Schema arenalab.cow/1.
nlohmann::ordered_json CowJson(const CowResult& result);

}  // namespace arenalab
