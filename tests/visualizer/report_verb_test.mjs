// `arenalab report` as a command: where it writes, what it refuses, and its
// exit statuses.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {test} from 'node:test';
import {makeResults} from './synthetic_results.mjs';

const kArenalab = process.env.ARENALAB ?? resolve('tools/cli/arenalab');
const folder = mkdtempSync(
    join(process.env.TEST_TMPDIR ?? tmpdir(), 'report-'));
const results = join(folder, 'run.json');
writeFileSync(results,
              JSON.stringify(makeResults({samples: 5, perSample: 200}).results));

/** Runs the verb; `input` goes to its stdin. */
function report(args, input) {
  return spawnSync(kArenalab, ['report', ...args],
                   {encoding: 'utf8', input, maxBuffer: 1 << 28});
}

test('writes beside the results and names the page on the last line', () => {
  const {status, stdout, stderr} = report([results]);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, '');
  assert.equal(stderr.trimEnd().split('\n').pop(),
               join(folder, 'run.report.html'));
  assert.match(readFileSync(join(folder, 'run.report.html'), 'utf8'),
               /^<!doctype html>[^]*<\/html>\s*$/);
});

test('replaces a page only when told to', () => {
  const page = join(folder, 'page.html');
  writeFileSync(page, 'mine');
  const refused = report([results, '-o', page]);
  assert.equal(refused.status, 3);
  assert.match(refused.stderr, /exists; -f overwrites it/);
  assert.equal(readFileSync(page, 'utf8'), 'mine');
  assert.equal(report([results, '-o', page, '-f']).status, 0);
  assert.notEqual(readFileSync(page, 'utf8'), 'mine');
});

test('reads stdin and writes stdout; --reproducible gives equal bytes', () => {
  const input = readFileSync(results, 'utf8');
  const first = report(['-', '-o', '-', '--reproducible'], input);
  assert.equal(first.status, 0);
  assert.match(first.stdout, /^<!doctype html>/);
  assert.equal(first.stderr, '');
  assert.equal(report(['-', '-o', '-', '--reproducible'], input).stdout,
               first.stdout);
});

test('input that cannot be used is status 3, with one line that says why', () => {
  const broken = join(folder, 'broken.json');
  const cases = [
    ['{"schema":', /broken\.json: byte \d+: not JSON/],
    ['{}', /names no schema/],
    ['[1]', /names no schema/],
    ['{"schema":"arenalab.results/1"}', /has no `allocators`/],
    ['', /not JSON/],
  ];
  for (const [text, words] of cases) {
    writeFileSync(broken, text);
    const {status, stderr} = report([broken, '-f']);
    assert.equal(status, 3, text);
    assert.match(stderr, words);
    assert.equal(stderr.trim().split('\n').length, 1);
  }
  assert.ok(!existsSync(join(folder, 'broken.report.html')));
  assert.equal(report([join(folder, 'none.json')]).status, 3);
  // Its folder would have to be a file.
  assert.equal(report([results, '-o', join(results, 'x.html')]).status, 3);
});

test('makes the folder of the page', () => {
  const page = join(folder, 'new', 'folder', 'page.html');
  assert.equal(report([results, '-o', page]).status, 0);
  assert.ok(existsSync(page));
});

test('--open shows the page; that nothing can is said and no failure', () => {
  const page = join(folder, 'opened.html');
  const tools = join(folder, 'tools');
  const env = {...process.env, PATH: `${tools}:${process.env.PATH}`};
  const open = () => spawnSync(kArenalab,
                               ['report', results, '-f', '--open', '-o', page],
                               {encoding: 'utf8', env});
  mkdirSync(tools);
  writeFileSync(join(tools, 'xdg-open'), `#!/bin/sh\necho "$1" > ${folder}/shown\n`,
                {mode: 0o755});
  assert.equal(open().status, 0);
  assert.equal(readFileSync(join(folder, 'shown'), 'utf8').trim(), page);
  writeFileSync(join(tools, 'xdg-open'), '#!/bin/sh\nexit 3\n');
  const failed = open();
  assert.equal(failed.status, 0);
  assert.match(failed.stderr, /xdg-open cannot show it/);
});

test('a wrong command line is status 2', () => {
  assert.equal(report([]).status, 2);
  assert.equal(report([results, '--nonsense']).status, 2);
  assert.equal(report([results, '--open', '-o', '-']).status, 2);
  for (const size of ['x', '32Q', '-1', '']) {
    assert.equal(report([results, '-f', '--max-size', size]).status, 2, size);
  }
  assert.equal(report([results, '-f', '--max-size', '1G']).status, 0);
});
