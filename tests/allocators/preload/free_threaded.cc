// What a free-threaded CPython shows of itself to a preload library, and
// nothing else of one: there is none in Debian to try.
extern "C" {
void PyMem_GetAllocator() {}
void PyMem_SetAllocator() {}
void PyObject_GetArenaAllocator() {}
void PyObject_SetArenaAllocator() {}
const char* Py_GetVersion() {
  return "3.13.0 experimental free-threading build (main, Oct  7 2024)";
}
}
