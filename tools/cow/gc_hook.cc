// Writes the module into a folder of its own, which is removed afterwards.
#include "tools/cow/gc_hook.h"

#include <stdlib.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tracer/format/input_error.h"

namespace arenalab {
namespace {

constexpr char kModule[] =
    R"(# Written by arenalab cow; see tools/cow/gc_hook.h.
def _arenalab():
    import gc, os, signal, sys
    try:
        import _thread
        send, thread = signal.pthread_kill, _thread.get_ident
        begins, ends, root, pid = signal.SIGURG, signal.SIGWINCH, os.getpid(), os.getpid

        def tell(phase, info):
            if info['generation'] and pid() != root:
                send(thread(), begins if phase == 'start' else ends)
        gc.callbacks.append(tell)
        if os.environ.get('ARENALAB_GC_FREEZE') and hasattr(os, 'register_at_fork'):
            os.register_at_fork(before=gc.freeze)
    except Exception:
        pass
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or '.') != here]
    ours = sys.modules.pop('sitecustomize', None)
    try:
        import sitecustomize
    except ImportError:
        if ours is not None:
            sys.modules['sitecustomize'] = ours
_arenalab()
)";

}  // namespace

GcHook::GcHook(bool freeze) {
  std::string name =
      (std::filesystem::temp_directory_path() / "arenalab-cow.XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr)
    throw InputError(name + ": cannot be made: " + std::strerror(errno));
  folder_ = name;
  std::ofstream(folder_ + "/sitecustomize.py") << kModule;
  const char* path = std::getenv("PYTHONPATH");
  variables_.push_back(
      "PYTHONPATH=" + folder_ +
      (path == nullptr || *path == '\0' ? "" : ":" + std::string(path)));
  if (freeze) variables_.push_back("ARENALAB_GC_FREEZE=1");
}

GcHook::~GcHook() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace arenalab
