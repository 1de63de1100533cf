// The page's modules and styles as one script and one style sheet.
//
//   node bundle.mjs NODE_MODULES MAIN_JS OUT_DIR     writes page.js, page.css
import {createRequire} from 'node:module';
import {dirname, resolve} from 'node:path';

const [, , modules, main, out] = process.argv;
const esbuild = createRequire(resolve(modules, 'x.js'))('esbuild');
const kShared = {
  bundle: true,
  minify: true,
  charset: 'utf8',
  format: 'iife',
  target: 'es2022',
};
// The worker's script travels inside the page's, as text.
const worker = esbuild.buildSync({
  ...kShared,
  entryPoints: [resolve(dirname(main), 'payload_worker.js')],
  write: false,
}).outputFiles[0].text;
esbuild.buildSync({
  ...kShared,
  entryPoints: {page: main},
  outdir: out,
  define: {'globalThis.ARENALAB_WORKER_SOURCE': JSON.stringify(worker)},
  nodePaths: [resolve(modules)],
  legalComments: 'none',  // the notice stands in the page's footer
  logLevel: 'warning',
});
