"""`arenalab exec` and `arenalab remedies`, on the python3 of PATH."""
import os
import re
import subprocess

import interpreters
import verb_case
import xml_report

GROWS = ("kept = [bytes(400) for _ in range(60000)]\n"
         "del kept[:]\n"
         "kept = [str(i) for i in range(100000)]\n")


class Exec(verb_case.VerbCase):

    def test_becomes_the_program(self):
        text = self.run_verb("exec", "--allocator", "mimalloc", "--", "python3", "-c",
                             "print('libmimalloc' in open('/proc/self/maps').read())")
        self.assertEqual(text, "True\n")
        self.run_verb("exec", "--", "python3", "-c", "raise SystemExit(7)", status=7)
        self.run_verb("exec", "--", "/no/such/python", status=127)

    def test_a_summary_line_of_a_form_that_is_kept(self):
        self.run_verb("exec", "-a", "pymalloc{cpython-3.9}", "--stats", "--", "python3", "-c", GROWS)
        lines = self.errors.splitlines()
        self.assertEqual(lines[0], "Small block threshold = 512, in 32 size classes.")
        self.assertRegex(lines[-1], re.compile(
            r"arenalab exec: allocator=pymalloc scope=mem\+obj hooks=kept pid=\d+ wall_s=\d+\.\d{3} "
            r"cpu_s=\d+\.\d{3} peak_kib=\d+ minor_faults=\d+ settings=geometry:cpython-3\.9 "
            r"arenas_created=\d+ arenas_high_water=\d+ arenas_live=\d+ held_bytes=\d+ "
            r"block_bytes=\d+$"))

    def test_marks_and_figures_of_a_program_that_runs(self):
        code = GROWS + "print('ready', flush=True)\ninput()\n"
        for allocator in ("pymalloc", "pass-through", "jemalloc"):
            place = self.path("figures." + allocator)
            program = subprocess.Popen(
                [verb_case.ARENALAB, "exec", "-a", allocator, "--stats-file", place, "--",
                 "python3", "-c", code],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, universal_newlines=True)
            self.assertEqual(program.stdout.readline(), "ready\n")
            now = self.run_verb("stats", str(program.pid))
            marked = self.run_verb("mark", str(program.pid), "cache filled")
            program.communicate("\n")
            form = (r"arenalab exec: allocator=%s scope=mem\+obj hooks=unread pid=%d "
                    r"wall_s=\d+\.\d{3} cpu_s=\d+\.\d{3} peak_kib=\d+ minor_faults=\d+ "
                    r"resident_kib=\d+" % (allocator, program.pid))
            if allocator != "jemalloc":
                form += r" arenas_live=\d+ held_bytes=\d+ block_bytes=\d+"
            self.assertRegex(now, form + "\n$")
            self.assertRegex(marked, form + " mark=cache filled\n$")
            with open(place) as file:
                text = file.read()
            self.assertTrue(text.startswith(marked), text)
            # What it said itself at its end, when the list was still there.
            last = text.splitlines()[-1]
            self.assertIn("hooks=kept pid=%d " % program.pid, last)
            if allocator == "pymalloc":
                held = int(re.search(r"held_bytes=(\d+)", now).group(1))
                self.assertGreaterEqual(held, 100000 * 64)
        self.run_verb("stats", str(os.getpid()), status=3)
        self.assertIn("is not run by `arenalab exec`", self.errors)
        self.run_verb("mark", str(os.getpid()), "x", status=3)
        self.assertIn("is not being recorded, nor run by", self.errors)

    def test_the_clones_statistics_are_those_that_the_interpreter_has_without_it(self):
        # To the last digit, with the free lists of types behind them.
        code = ("import sys\nkept = [str(i) * (i % 30) for i in range(90000)]\n"
                "table = {i: (i,) for i in range(30000)}\ndel kept[::3]\n"
                "print(sys.getallocatedblocks())\nsys._debugmallocstats()")
        environment = dict(os.environ, PYTHONHASHSEED="0")
        for version, python in interpreters.interpreters().items():
            def run(*before):
                done = subprocess.run(["setarch", "-R", *before, python, "-s", "-S", "-c", code],
                                      env=environment, cwd=self.folder, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, universal_newlines=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                return done.stdout + done.stderr
            with self.subTest(python=version):
                native = run()
                if native != run():
                    continue  # it does not agree with itself: nothing to show
                self.assertIn("# arenas allocated total", native)
                self.assertEqual(run(verb_case.ARENALAB, "exec", "--"), native)
                self.assertNotEqual(run(verb_case.ARENALAB, "exec", "-a",
                                        "pymalloc{keep_arenas:7,pool_bytes:8192}", "--"), native)

    def test_several_allocators_make_a_table(self):
        text = self.run_verb("exec", "-a", "pymalloc,system", "--rounds", "1", "--", "python3", "-c",
                             GROWS)
        self.assertEqual([line.split()[0] for line in text.splitlines()],
                         ["CPU", "native", "pymalloc", "system", "A/A:"])
        data = self.run_json("exec", "-a", "native,system", "--rounds", "1", "--json", "--",
                             "python3", "-c", GROWS)
        self.assertEqual([arm["name"] for arm in data["arms"]], ["native", "system"])
        for arm in data["arms"]:
            # 60,000 blocks of 433 bytes were live at once.
            self.assertGreater(arm["median"]["peak_bytes"], 60000 * 433)

    def test_what_cannot_be_is_refused_in_one_line(self):
        for words, status in ((["-a", "dlmalloc"], 3), (["-a", "pymalloc", "--scope", "raw"], 3),
                              (["-a", "native", "--stats"], 2), (["--scope", "all"], 2)):
            with self.subTest(words=words):
                self.run_verb("exec", *words, "--", "python3", "-c", "", status=status)
                self.assertEqual(self.errors.count("\n"), 1, self.errors)

    def test_a_run_that_ends_otherwise_is_told(self):
        code = "import os, sys; sys.exit('libarenalab_system' in open('/proc/self/maps').read())"
        self.run_verb("exec", "-a", "native,system", "--rounds", "1", "--", "python3", "-c", code,
                      status=125)
        self.assertIn("on system the program ended with status 1, on native with 0", self.errors)


class Remedies(verb_case.VerbCase):

    def test_each_is_tried_and_the_lines_of_those_that_save_are_there(self):
        text = self.run_verb("remedies", "--rounds", "1", "--", "python3", "-c", GROWS)
        for name in ("MALLOC_ARENA_MAX=2", "trim threshold 128 KiB", "jemalloc, raw only",
                     "mimalloc, raw only", "jemalloc, everything", "mimalloc, everything",
                     "PYTHONMALLOC=malloc", "pymalloc{cpython-3.9}",
                     "pymalloc{madvise_free_pools:1}"):
            self.assertRegex(text, re.compile("^" + re.escape(name) + " ", re.MULTILINE))
        self.assertNotIn("gc.freeze", text)

    def test_a_program_that_forks_is_frozen_before(self):
        # Whether it forks is what the first run tells, by looking while it runs:
        # there its child stays for long enough to be seen on any machine.
        code = ("import os, time\nif os.fork() == 0:\n"
                "    time.sleep(0 if os.path.exists('seen') else 5)\n"
                "    open('seen', 'w'); os._exit(0)\nos.wait()")
        data = self.run_json("remedies", "--rounds", "1", "--json", "--", "python3", "-c", code)
        frozen = [arm for arm in data["arms"] if arm["name"] == "gc.freeze before fork"]
        self.assertEqual(len(frozen), 1)
        self.assertIn("os.register_at_fork", frozen[0]["line"])


if __name__ == "__main__":
    xml_report.main()
