// Runs when the library is loaded: where there is an interpreter in the
// process and a recording to take part in, makes the ring and puts the hooks
// in. Anywhere else the library stays a pass-through.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allocators/interpreter/environment.h"
#include "tracer/preload/python_hooks.h"
#include "tracer/preload/recorder.h"

namespace arenalab::preload {
namespace {

ring::Reading Wanted(const char* variable) {
  const char* value = Variable(variable);
  return value != nullptr && strcmp(value, "1") == 0 ? ring::Reading::kWorks
                                                     : ring::Reading::kOff;
}

// Whether this process is the one that is recorded where only one is: the first
// to ask, or the same that has become another program.
bool IsMain() {
  char link[sizeof(settings.directory) + sizeof(ring::kMainLink)];
  char own[16];
  char other[16] = {};
  snprintf(link, sizeof(link), "%s/%s", settings.directory, ring::kMainLink);
  snprintf(own, sizeof(own), "%d", getpid());
  if (symlink(own, link) == 0) return true;
  return readlink(link, other, sizeof(other) - 1) > 0 &&
         strcmp(own, other) == 0;
}

bool Joins() {
  if (kCountOnly) return settings.enabled = FindPython();
  const char* directory = Variable(ring::kRunVariable);
  if (directory == nullptr || strlen(directory) >= sizeof(settings.directory) ||
      !FindPython()) {
    return false;
  }
  strcpy(settings.directory, directory);
  const char* alone = Variable(ring::kAloneVariable);
  settings.alone = alone != nullptr && strcmp(alone, "1") == 0;
  if (settings.alone && !IsMain()) return false;
  const char* layers = Variable(ring::kLayersVariable);
  settings.layers = layers != nullptr && strcmp(layers, "1") == 0;
  const char* collector = Variable(ring::kCollectorVariable);
  settings.collector = collector != nullptr ? atoi(collector) : 0;
  const char* lossy = Variable(ring::kLossyVariable);
  settings.lossy = lossy != nullptr && strcmp(lossy, "1") == 0;
  const char* window = Variable(ring::kWindowVariable);
  settings.window = window != nullptr && strcmp(window, "1") == 0;
  settings.types = Wanted(ring::kTypesVariable);
  settings.sites = Wanted(ring::kSitesVariable);
  if (Wanted(ring::kStacksVariable) != ring::Reading::kOff) {
    settings.sites = Wanted(ring::kStacksVariable);
    settings.stacks = true;
  }
  PlanAttribution();
  PlanDumps(Variable(ring::kStatsAtVariable));
  local.fork = ring::kUnknownFork;
  settings.enabled = true;
  return EnsureRing();
}

[[gnu::constructor]] void Start() {
  const bool joins = Joins();
  settings.decision = joins ? Decision::kRecord : Decision::kPassThrough;
  if (!joins) return;
  RecordEarly();
  WrapAllocators();
  // First registered, so our prepare handler is the last thing before the fork
  // and our child handler the first thing after it.
  pthread_atfork(BeforeFork, nullptr, AfterForkInChild);
}

// What replaced our hooks for good asks for no arena through them any more.
[[gnu::destructor]] void LookOnceMore() {
  if (!kCountOnly && settings.enabled) LookForOtherTools(false);
}

// Says how many events the tracer would have stored.
[[gnu::destructor]] void TellCount() {
  const char* path = kCountOnly ? Variable("ARENALAB_COUNT") : nullptr;
  if (path == nullptr || !settings.enabled) return;
  settings.enabled = false;
  if (FILE* out = fopen(path, "w")) {
    fprintf(out, "%lu\n", static_cast<unsigned long>(settings.counted.load()));
    fclose(out);
  }
}

}  // namespace
}  // namespace arenalab::preload
