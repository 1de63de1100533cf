// The modules' types hold: tsc in strict mode over JSDoc, and it would notice.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {test} from 'node:test';

const kModules = resolve(process.env.PAGE_MODULES ?? 'visualizer/node_modules');

/** tsc over the modules and one file more. */
function check(source) {
  const folder = mkdtempSync(
      join(process.env.TEST_TMPDIR ?? tmpdir(), 'types-'));
  writeFileSync(join(folder, 'more.js'), source);
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
    extends: resolve('visualizer/tsconfig.json'),
    compilerOptions: {baseUrl: resolve('.'), preserveSymlinks: true,
                      paths: {uplot: [join(kModules, 'uplot')]}},
    include: [resolve('visualizer/src/*.js'), join(folder, 'more.js')]}));
  return spawnSync(process.execPath,
                   [join(kModules, 'typescript/bin/tsc'), '-p', folder],
                   {encoding: 'utf8'});
}

test('every module type-checks', () => {
  const {status, stdout} = check('export {};\n');
  assert.equal(status, 0, stdout);
});

test('a wrong use of a module does not', () => {
  const path = resolve('visualizer/src/quantity.js');
  const {status, stdout} =
      check(`import {formatTime} from '${path}';\nformatTime('soon');\n`);
  assert.notEqual(status, 0);
  assert.match(stdout, /TS2345/);
});
