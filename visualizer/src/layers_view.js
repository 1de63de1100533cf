// The layers as CPython's manual draws its managers, each with its share of the
// one above: resident, the C library beside pymalloc's arenas, pools, blocks,
// and in them what was asked for.
import {byId, html} from './element.js';
import {formatBytes} from './quantity.js';

/** @typedef {import('./results.js').Results} Results */
/** @typedef {import('./results.js').Allocator} Allocator */
/** @typedef {{name: string, bytes: number, kind: string}} Share
 * @typedef {{title: string, note: string, shares: Share[]}} Layer */

/**
 * The layers at a sample, outermost first. Those that the file does not tell
 * are left out.
 * @param {Results} results
 * @param {Allocator} allocator one with a waterfall
 * @param {number} sample
 * @returns {Layer[]}
 */
export function layersAt(results, allocator, sample) {
  const {waterfall} = allocator;
  if (waterfall === null) return [];
  /** @type {Record<string, number>} */
  const part = {};
  waterfall.parts.forEach((name, i) => {
    part[name] = waterfall.bytes[sample][i];
  });
  const poolsUsed = part.requested + part.rounding + part.free_blocks +
      part.pool_headers + part.pool_tails;
  const arenas = poolsUsed + part.free_pools + part.arena_rest;
  const blocks = part.requested + part.rounding;
  /** @type {Layer[]} */
  const layers = [];
  const rss = allocator.rss_bytes?.[sample];
  const committed = allocator.committed_bytes?.[sample];
  if (rss !== undefined && committed !== undefined && rss >= committed) {
    layers.push({title: 'resident', note: 'measured in the replay, all requests',
      shares: [
        {name: 'pages of arenas', bytes: committed, kind: 'used'},
        {name: 'C library: large requests, tables', bytes: rss - committed,
         kind: 'other'}]});
  }
  const {requested_bytes: all} = results.timeline;
  layers.push(
      {title: 'asked for', note: 'by domains mem and obj', shares: [
        {name: 'small, pymalloc’s', bytes: part.requested, kind: 'used'},
        {name: 'large, the C library’s',
         bytes: Math.max(0, all[sample] - part.requested), kind: 'other'}]},
      {title: 'arenas', note: 'mapped from the system', shares: [
        {name: 'pools in use', bytes: poolsUsed, kind: 'used'},
        {name: 'free pools', bytes: part.free_pools, kind: 'free'},
        {name: 'lost to alignment', bytes: part.arena_rest, kind: 'lost'}]},
      {title: 'pools', note: 'of one size class each', shares: [
        {name: 'live blocks', bytes: blocks, kind: 'used'},
        {name: 'free blocks', bytes: part.free_blocks, kind: 'free'},
        {name: 'headers and tails', bytes: part.pool_headers + part.pool_tails,
         kind: 'lost'}]},
      {title: 'blocks', note: 'one object each', shares: [
        {name: 'asked for', bytes: part.requested, kind: 'used'},
        {name: 'rounding', bytes: part.rounding, kind: 'lost'}]});
  const largest = Math.max(arenas, rss ?? 0);
  return largest > 0 ? layers : [];
}

/** @param {Layer} layer */
const sumOf = (layer) => layer.shares.reduce((sum, {bytes}) => sum + bytes, 0);

/**
 * @param {Results} results
 * @param {Allocator} allocator
 * @param {number} sample
 */
export function showLayers(results, allocator, sample) {
  const layers = layersAt(results, allocator, sample);
  const largest = Math.max(1, ...layers.map(sumOf));
  byId('layers').replaceChildren(...layers.map((layer) => {
    const sum = sumOf(layer);
    const bar = html('div', {class: 'layer-bar', 'aria-hidden': 'true'},
                     layer.shares.map(({bytes, kind}) => {
      const piece = html('span', {class: `piece ${kind}`});
      piece.style.width = `${(100 * bytes) / largest}%`;
      return piece;
    }));
    const words = layer.shares.filter(({bytes}) => bytes > 0).map(
        ({name, bytes, kind}) => html('li', {}, [
          html('span', {class: `key piece ${kind}`, 'aria-hidden': 'true'}),
          `${name} ${formatBytes(bytes)}, ${
              Math.round((100 * bytes) / Math.max(1, sum))} %`]));
    return html('div', {class: 'layer'}, [
      html('h3', {}, [layer.title, html('small', {}, [layer.note])]),
      html('b', {}, [formatBytes(sum)]), bar, html('ul', {}, words)]);
  }));
}
