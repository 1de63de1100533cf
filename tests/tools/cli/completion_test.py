"""Completion: the shells that are there are asked what they would offer."""
import os
import re
import shutil
import subprocess

import verb_case
import xml_report

# Calls the function as bash does at TAB, the cursor in the last word.
BASH = """\
source %s
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_TYPE=9
_arenalab
printf '%%s\\n' "${COMPREPLY[@]}"
"""

# A terminal of zsh's own, in which TAB is pressed.
ZSH = """\
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1= ; autoload -Uz compinit; compinit -u -D; source %s'
zpty -w shell 'LISTMAX=0; zstyle ":completion:*" list-prompt ""; bindkey "^I" menu-complete'
zpty -w shell 'zstyle ":completion:*" format ""; echo re''ady'
zpty -r -m shell line '*ready*' >/dev/null
zpty -n -w shell $'%s\\t'
sleep 0.5
zpty -w shell ''
zpty -w shell 'echo fin''ished'
zpty -r -m shell line '*finished*'
print -r -- $line
"""


class CompletionTest(verb_case.VerbCase):

    def script(self, shell):
        return self.write("arenalab." + shell,
                          self.run_verb("completion", shell))

    def need(self, shell):
        if shutil.which(shell) is None:
            self.skipTest(shell + " is not installed")

    def bash(self, *words):
        return subprocess.check_output(
            ["bash", "-c", BASH % self.script("bash"), "bash", "arenalab",
             *words], cwd=self.folder).decode().split()

    def fish(self, line):
        text = subprocess.check_output(
            ["fish", "--no-config", "-c", "source %s; complete -C '%s'"
             % (self.script("fish"), line)], cwd=self.folder,
            env=dict(os.environ, HOME=self.folder)).decode()
        return [each.split("\t")[0] for each in text.splitlines()]

    def test_bash_offers_verbs_options_and_words(self):
        verbs = self.bash("")
        self.assertEqual(verbs, re.findall(
            r"^  (\S+) ", self.run_verb("--help").split("Subcommands:\n")[1],
            re.M))
        self.assertEqual(self.bash("ver"), ["verify"])
        self.assertEqual(self.bash("verify", "--se"), ["--self-test"])
        self.assertEqual(self.bash("replay", "--touch", ""),
                         ["none", "header", "line", "fill"])
        self.assertEqual(self.bash("replay", "--touch", "f"), ["fill"])
        self.assertEqual(self.bash("trace", "li"), ["lint"])
        self.assertIn("--json", self.bash("trace", "lint", "--"))
        self.assertNotIn("--from", self.bash("trace", "lint", "--"))
        self.assertEqual(self.bash("completion", ""), ["bash", "zsh", "fish"])

    def test_bash_offers_files_where_it_knows_no_words(self):
        # An empty answer, and `complete -o default` makes it files.
        self.assertEqual(self.bash("verify", ""), [])
        self.assertEqual(self.bash("replay", "-o", ""), [])
        self.assertIn("complete -o default",
                      self.run_verb("completion", "bash"))

    def test_bash_leaves_the_program_behind_two_dashes_alone(self):
        self.assertIn("bash", self.bash("record", "--", "bas"))
        self.assertEqual(self.bash("record", "--", "bash", "--ver"), [])

    def test_fish_offers_verbs_options_and_words(self):
        self.need("fish")
        self.assertIn("verify", self.fish("arenalab ver"))
        self.assertEqual(self.fish("arenalab verify --se"), ["--self-test"])
        self.assertEqual(sorted(self.fish("arenalab replay --touch ")),
                         ["fill", "header", "line", "none"])
        self.assertEqual(self.fish("arenalab trace li"), ["lint"])
        self.assertIn("--json", self.fish("arenalab trace lint --j"))

    def test_zsh_offers_verbs_options_and_words(self):
        self.need("zsh")
        script = self.script("zsh")
        subprocess.check_call(["zsh", "-n", script])
        for line, wanted in (("arenalab veri", "arenalab verify"),
                             ("arenalab verify --self", "--self-test"),
                             ("arenalab replay --touch fi", "--touch fill"),
                             ("arenalab trace lin", "arenalab trace lint")):
            with self.subTest(line):
                text = subprocess.check_output(
                    ["zsh", "-f", "-c", ZSH % (script, line)], timeout=120,
                    cwd=self.folder, env=dict(os.environ, TERM="dumb",
                                              HOME=self.folder)).decode()
                self.assertIn(wanted, re.sub(r"\x1b\[[0-9;?]*\w|[\r\x08]", "",
                                             text))

    def test_the_manual_page_names_every_verb_and_is_proper_roff(self):
        page = self.run_verb("help", "man")
        for verb in ("record", "verify", "trace dump"):
            self.assertIn("\n.SS " + verb, page)
        for line in page.splitlines():
            if line.startswith((".", "'")):
                self.assertRegex(line, r"^\.(TH|SH|SS|TP|PP|B|I|nf|fi)\b")
        if shutil.which("groff") is not None:
            done = subprocess.run(
                ["groff", "-man", "-Tutf8", "-ww"], input=page.encode(),
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertIn("self-test", done.stdout.decode())

    def test_another_shell_is_refused(self):
        self.run_verb("completion", "tcsh", status=2)
        self.assertIn("tcsh not in", self.errors)


if __name__ == "__main__":
    xml_report.main()
