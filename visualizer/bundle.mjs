// The page's modules and styles as one script and one style sheet.
//
//   node bundle.mjs NODE_MODULES MAIN_JS OUT_DIR     writes page.js, page.css
import {createRequire} from 'node:module';
import {resolve} from 'node:path';

const [, , modules, main, out] = process.argv;
const esbuild = createRequire(resolve(modules, 'x.js'))('esbuild');
esbuild.buildSync({
  entryPoints: {page: main},
  outdir: out,
  bundle: true,
  minify: true,
  charset: 'utf8',
  format: 'iife',
  target: 'es2022',
  nodePaths: [resolve(modules)],
  legalComments: 'none',  // the notice stands in the page's footer
  logLevel: 'warning',
});
