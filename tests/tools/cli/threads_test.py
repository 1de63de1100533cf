"""`arenalab threads` and `arenalab models` on real workers: a small trace of two
threads, in which all that can be counted is counted by hand."""
import json
import os

import verb_case
import xml_report

# Two threads; each round thread 0 makes 10 blocks of 100 bytes, thread 1 frees
# nine of them and makes one of 1000 that thread 0 frees a round later.
ROUNDS = 200


def two_threads():
    lines = ["meta addresses none"]
    for r in range(ROUNDS):
        a, b = 20 * r, 20 * r + 10
        lines += ["malloc %d 100 thread=0" % (a + i) for i in range(10)]
        lines += ["free %d thread=1" % (a + i) for i in range(9)]
        lines += ["malloc %d 1000 thread=1" % b]
        if r:
            lines += ["free %d thread=0" % (b - 20)]
    return "\n".join(lines) + "\n"


REQUESTS = 20 * ROUNDS + ROUNDS - 1
HANDED = 9 * ROUNDS + ROUNDS - 1
CORES = len(os.sched_getaffinity(0))


class ThreadsTest(verb_case.VerbCase):

    def cells(self, *arguments):
        trace = self.path("t.trace")
        if not os.path.exists(trace):
            self.import_trace("t.trace", two_threads())
        table = self.run_json("threads", "--json", "--rounds", "1", *arguments,
                              trace)
        self.assertEqual(table["schema"], "arenalab.threads/1")
        self.assertEqual(table["requests"], REQUESTS)
        self.assertEqual(table["recorded_threads"], 2)
        self.assertEqual(table["handovers"], HANDED)
        self.assertEqual(table["content_proved"], True)
        return {(c["allocator"], c["threads"]): c for c in table["cells"]}

    def test_every_allocator_proves_its_content(self):
        for mode in ("faithful", "free"):
            cells = self.cells("--mode", mode, "--threads", "1,2",
                               "-a", "system,mimalloc,jemalloc,pymalloc")
            for name in ("system", "mimalloc", "jemalloc"):
                for threads in range(1, min(CORES, 2) + 1):
                    check = cells[name, threads]["check"]
                    self.assertEqual(check, {
                        "requests": REQUESTS, "expected": REQUESTS, "failed": 0,
                        "corrupted": 0, "overlaps": 0}, (mode, name, threads))
                    # The last round's large block is made while the one
                    # before it lives; of each round one small block stays.
                    self.assertEqual(cells[name, threads]["peak_requested_bytes"],
                                     100 * ROUNDS + 2 * 1000)
            if CORES >= 2:
                self.assertEqual(cells["pymalloc", 2]["not_measured"],
                                 "n/a: one thread at a time")

    def test_serial_is_one_thread_and_more_than_cores_is_not_measured(self):
        cells = self.cells("--mode", "serial", "-a", "system")
        self.assertEqual(list(cells), [("system", 1)])
        self.assertEqual(cells["system", 1]["blowup"], 1)
        self.assertEqual(cells["system", 1]["waiting_share"], 0)
        cells = self.cells("-a", "system", "--threads", "1,1000")
        self.assertRegex(cells["system", 1000]["not_measured"], "^not measured")

    def test_one_lock_lets_every_allocator_serve(self):
        if CORES < 2:
            self.skipTest("one core")
        cells = self.cells("--behind-lock", "--threads", "2",
                           "-a", "pymalloc,bump,null")
        for name in ("pymalloc", "bump", "null"):
            self.assertTrue(cells[name, 2]["lock"])
            self.assertEqual(cells[name, 2]["check"]["requests"], REQUESTS)

    def test_waiting_is_warned_of(self):
        # Each block goes back and forth: two threads can do nothing but wait.
        lines = ["meta addresses none", "malloc 1 8 thread=0"]
        lines += ["realloc 1 %d thread=%d" % (8 + i % 7, i % 2)
                  for i in range(4000)]
        trace = self.import_trace("w.trace", "\n".join(lines) + "\n")
        text = self.run_verb("threads", "--rounds", "1", "--threads", "2",
                             "--mode", "free", "-a", "system", trace)
        if CORES >= 2:
            self.assertIn("is waiting for other threads", text)

    def test_what_is_no_trace_is_3_and_a_wrong_word_2(self):
        self.run_verb("threads", self.write("x", "hello"), status=3)
        self.run_verb("threads", "--mode", "fast", self.path("x"), status=2)
        self.run_verb("models", self.path("missing"), status=3)


class ModelsTest(verb_case.VerbCase):

    def test_every_pair_is_measured_or_says_why_not(self):
        trace = self.import_trace("t.trace", two_threads())
        table = self.run_json("models", "--json", "--rounds", "2", "-n", "1,2",
                              "-a", "pymalloc,system", trace)
        cells = {(c["model"], c["allocator"], c["workers"]): c
                 for c in table["cells"]}
        self.assertEqual(len(cells), 5 * 2 * 2)
        self.assertEqual(len(table["cells"][0]["time"]["again_ns_per_request"]), 2)
        for (model, allocator, workers), cell in cells.items():
            if workers > CORES:
                self.assertRegex(cell["not_measured"], "^not measured")
            elif (model, allocator) == ("interpreters", "system"):
                self.assertEqual(cell["not_measured"], "n/a: one heap a process")
            elif (model, allocator) == ("shared", "pymalloc"):
                self.assertEqual(cell["not_measured"], "n/a: one thread at a time")
            else:
                self.assertEqual(len(cell["time"]["ns_per_request"]), 2)
                # 22,000 bytes live at the peak of each worker.
                self.assertGreaterEqual(cell["peak_bytes"], 22000 * workers)
        if CORES >= 2:
            one = cells["processes", "pymalloc", 1]["end_bytes"]
            two = cells["processes", "pymalloc", 2]["end_bytes"]
            self.assertAlmostEqual(two / one, 2, delta=0.2)


class BenchTest(verb_case.VerbCase):

    def test_every_workload_on_every_allocator_and_its_json_as_it_was(self):
        text = self.run_verb("bench", "--rounds", "0", "--divide", "200",
                             "--threads", "1,2", "-o", self.path("runs"),
                             "-a", "system,mimalloc,jemalloc,pymalloc,null")
        names = [line.split()[0] for line
                 in self.run_verb("bench", "list").splitlines()]
        self.assertEqual(len(names), 12)
        for name in names:
            self.assertIn("\n%s\n" % name, text)
            path = self.path("runs/mimalloc/%s-1-0.json" % name)
            with open(path) as output:
                run = json.load(output)
            self.assertEqual(run["context"]["allocator_version"], "2.0.9")
            self.assertEqual(run["benchmarks"][0]["iterations"], 1)
            self.assertEqual(run["benchmarks"][0]["wrong"], 0)
        self.assertNotIn("CONTENT LOST", text)

    def held(self, divide):
        folder = self.path("held%d" % divide)
        self.run_verb("bench", "survivor-per-pool", "--rounds", "0", "-a",
                      "pymalloc", "--divide", str(divide), "-o", folder)
        with open(folder + "/pymalloc/survivor-per-pool-1-0.json") as output:
            run = json.load(output)["benchmarks"][0]
        # One block of 64 bytes in each of 2048 / divide pools.
        self.assertEqual(run["live_bytes"], 2048 // divide * 64)
        return run["held_bytes"]

    def test_a_survivor_per_pool_holds_an_arena_for_each_63_or_64_pools(self):
        one, more = self.held(64), self.held(8)
        # 32 pools are in one arena of 1 MiB, 256 in four or five.
        self.assertIn((more - one) / 2**20, (3, 4))
        self.assertEqual(self.held(8), more)  # the same on every run

    def test_an_unknown_workload_is_3(self):
        self.run_verb("bench", "larsen", status=3)
        self.assertIn("arenalab bench list", self.errors)


if __name__ == "__main__":
    xml_report.main()
