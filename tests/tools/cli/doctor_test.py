"""`arenalab doctor`: each trouble is found, named and given a cure."""
import os
import struct

import verb_case
import xml_report


def elf(bits=64, segments=()):
    """The headers of an ELF file with these program header types."""
    start = b"\x7fELF" + bytes([2 if bits == 64 else 1, 1, 1]) + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56,
                         len(segments), 0, 0, 0)
    return start + header + b"".join(
        struct.pack("<II", kind, 0) + bytes(48) for kind in segments)


def elf_of_loader(loader):
    """An ELF file that names its dynamic loader."""
    name = loader.encode() + b"\0"
    header = elf(segments=(3,))[:64]
    return header + struct.pack("<IIQQQQQQ", 3, 4, 120, 0, 0, len(name),
                                len(name), 1) + name


DYNAMIC = elf(segments=(1, 3))  # PT_LOAD, PT_INTERP
ANSWERS = {"version": "3.12.1", "implementation": "cpython", "debug": "0",
           "free-threaded": "0", "shared": "1", "pymalloc": "1"}


class DoctorTest(verb_case.VerbCase):

    def interpreter(self, program=DYNAMIC, mode=0o755, **answers):
        """A `python3` that tells of itself what the test says."""
        told = dict(ANSWERS, executable=self.write("real", program, mode))
        told.update((k.replace("_", "-"), v) for k, v in answers.items())
        lines = "".join("echo '%s %s'\n" % item for item in told.items())
        return self.write("python3", "#!/bin/sh\n" + lines, 0o755)

    def examine(self, *command, **env):
        """Findings by id, of the target only."""
        clean = {"PYTHONMALLOC": "", "PYTHONDEVMODE": "", "LD_PRELOAD": ""}
        clean.update(env)
        done = verb_case.subprocess.run(
            [verb_case.ARENALAB, "doctor", "--json", "-C", self.folder, "--",
             *command], stdout=verb_case.subprocess.PIPE,
            env=dict(os.environ, **clean))
        report = verb_case.json.loads(done.stdout.decode())
        bad = [f for f in report["findings"] if f["severity"] == "bad"]
        self.assertEqual(done.returncode, 1 if bad else 0)
        self.assertEqual(report["well"], not bad)
        return {f["id"]: f for f in report["findings"]}

    def expect(self, findings, name, severity, word):
        self.assertIn(name, findings)
        self.assertEqual(findings[name]["severity"], severity, findings[name])
        self.assertIn(word, findings[name]["verdict"])
        if severity == "bad":
            self.assertNotEqual(findings[name]["fix"], "", name)

    def test_musl_is_refused_by_doctor_record_and_exec(self):
        alpine = elf_of_loader("/lib/ld-musl-x86_64.so.1")
        findings = self.examine(self.interpreter(alpine))
        self.expect(findings, "musl", "bad", "ld-musl-x86_64")
        program = self.write("alpine", alpine, 0o755)
        script = self.write("app.py", "#!/usr/bin/env -S " + program, 0o755)
        for command in (program, script):
            self.run_verb("record", "-o", "t.trace", "--", command, status=125)
            self.assertIn("is linked with musl", self.errors)
            self.assertEqual(self.errors.count("\n"), 1, self.errors)
            self.run_verb("exec", "-a", "mimalloc", "--", command, status=125)
            self.assertIn("is linked with musl", self.errors)
        glibc = elf_of_loader("/lib64/ld-linux-x86-64.so.2")
        self.assertNotIn("musl", self.examine(self.interpreter(glibc)))

    def test_a_real_interpreter_is_fine(self):
        findings = self.examine("/usr/bin/python3")
        self.expect(findings, "elf", "fine", "dynamically linked")
        self.expect(findings, "version", "fine", "CPython 3.")
        self.assertNotIn("shim", findings)
        self.expect(findings, "recorder", "fine", "library is there")
        self.expect(findings, "worker-pymalloc", "fine", "pymalloc")

    def test_a_shell_shim_is_followed_and_named(self):
        findings = self.examine(self.interpreter())
        self.expect(findings, "shim", "note", "script of /bin/sh")
        self.assertIn(self.path("real"), findings["shim"]["fix"])
        self.expect(findings, "version", "fine", "cpython-3.11")

    def test_a_script_is_followed_to_its_interpreter(self):
        folder = os.path.dirname(self.interpreter())
        script = self.write("app", "#!/usr/bin/env python3\n", 0o755)
        findings = self.examine(script, PATH=folder + ":/usr/bin:/bin")
        self.expect(findings, "version", "fine", "3.12.1")

    def test_what_is_not_there(self):
        self.expect(self.examine("no-such-program"), "found", "bad", "no-such")
        script = self.write("app", "#!/no/such/python\n", 0o755)
        self.expect(self.examine(script), "found", "bad", "/no/such/python")
        broken = self.write("python3", "#!/bin/sh\nexit 1\n", 0o755)
        self.expect(self.examine(broken), "interpreter", "bad",
                    "does not run")
        self.expect(self.examine("/bin/ls"), "interpreter", "note", "no Python")

    def test_programs_that_the_loader_cannot_help_with(self):
        for program, mode, name in (
                (b"text", 0o755, "elf"), (elf(bits=32), 0o755, "elf"),
                (elf(segments=(1,)), 0o755, "static"),
                (DYNAMIC, 0o4755, "setuid"), (DYNAMIC, 0o2755, "setuid")):
            with self.subTest(name):
                findings = self.examine(self.interpreter(program, mode))
                self.assertEqual(findings[name]["severity"], "bad")

    def test_builds_without_pymalloc_as_it_is(self):
        for told, name, word in (
                ({"free_threaded": "1"}, "free-threaded", "free-threaded"),
                ({"debug": "1"}, "debug-build", "debug"),
                ({"pymalloc": "0"}, "without-pymalloc", "--without-pymalloc"),
                ({"implementation": "pypy"}, "implementation", "pypy"),
                ({"version": "3.99.0"}, "version", "no clone")):
            with self.subTest(name):
                findings = self.examine(self.interpreter(**told))
                self.expect(findings, name, "bad", word)

    def test_an_environment_that_changes_the_allocator(self):
        python = self.interpreter()
        for name, value, finding in (("PYTHONMALLOC", "malloc", "python-malloc"),
                                     ("PYTHONDEVMODE", "1", "python-malloc"),
                                     ("LD_PRELOAD", "libm.so.6", "preload")):
            with self.subTest(name):
                findings = self.examine(python, **{name: value})
                self.expect(findings, finding, "bad", name + "=" + value)
        self.assertNotIn("python-malloc",
                         self.examine(python, PYTHONMALLOC="pymalloc"))

    def test_a_folder_that_cannot_be_written_to(self):
        text = self.run_verb("doctor", "-C", self.path("missing"), "--",
                             self.interpreter(), status=1)
        self.assertIn("missing cannot be written to", text)
        self.assertIn("-> ", text)


if __name__ == "__main__":
    xml_report.main()
