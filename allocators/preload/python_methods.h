// The table entry of a function that is written in C in the interpreter itself,
// found by its name in the memory of the object that has the interpreter's
// code.
//
//   PyMethodDef: { const char* ml_name; PyCFunction ml_meth; int ml_flags; ...
//   }
//
// unchanged since Python 2 (the C API reference, "Common Object Structures").
#pragma once

namespace arenalab::preload {

using PythonFunction = void* (*)(void* self, void* arguments);

// Where ml_meth of the function `name` is, or nullptr where there is not
// exactly one. `code` is any address in the object that is to be searched.
PythonFunction* FindPythonFunction(const void* code, const char* name);

}  // namespace arenalab::preload
