// main() of the workers that are programs of their own.
#include <unistd.h>

#include "tools/replay/worker_main.h"

int main() { _exit(arenalab::RunReplayWorker()); }
