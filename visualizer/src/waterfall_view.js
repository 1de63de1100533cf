// Where every held byte of small requests goes at the cursor: one bar a part,
// each beginning where the one before it ends, and the floor that even a
// repacking allocator would need.
import {byId, svg} from './element.js';
import {formatBytes} from './quantity.js';

/** @typedef {import('./results.js').Results} Results */

/** @type {Record<string, string>} */
const kNames = {
  requested: 'requested',
  rounding: 'rounding to the class',
  pool_headers: 'pool headers',
  pool_tails: 'pool tails',
  free_blocks: 'free blocks in used pools',
  free_pools: 'free pools in held arenas',
  arena_rest: 'arena rest (alignment)',
  metadata: 'metadata',
};
const kRow = 26;

export class WaterfallView {
  /**
   * @param {Results} results
   * @param {import('./results.js').Allocator} allocator one with a waterfall
   */
  constructor(results, allocator) {
    this.results = results;
    this.allocator = allocator;
    this.host = byId('waterfall');
    this.largest = Math.max(1, ...(allocator.waterfall?.bytes ?? []).map(
        (row) => row.reduce((a, b) => a + b, 0)));
  }

  /** @param {number} sample */
  show(sample) {
    const {waterfall} = this.allocator;
    if (waterfall === null) return;
    const bytes = waterfall.bytes[sample];
    const total = bytes.reduce((a, b) => a + b, 0);
    const width = Math.max(280, this.host.clientWidth);
    const wide = width >= 560;
    const left = wide ? 190 : 0;
    const right = 86;
    const row = wide ? kRow : kRow + 16;
    const scale = (width - left - right) / Math.max(total, 1);
    const height = (bytes.length + 1) * row + 34;
    const root = svg('svg', {width, height, role: 'img',
      viewBox: `0 0 ${width} ${height}`,
      'aria-label': `Of ${formatBytes(total)} held: ` + bytes.map((b, i) =>
          `${kNames[waterfall.parts[i]] ?? waterfall.parts[i]} ${
              formatBytes(b)}`).join(', ')});
    let start = 0;
    const line = (/** @type {string} */ name, /** @type {number} */ from,
                  /** @type {number} */ size, /** @type {number} */ n,
                  /** @type {string} */ kind) => {
      const y = n * row + (wide ? 4 : 18);
      root.append(
          svg('text', {x: wide ? left - 8 : 0, y: wide ? y + 14 : y - 4,
                       class: wide ? 'name' : 'name start'}, [name]),
          svg('rect', {x: left + from * scale, y, height: 18,
                       width: Math.max(1, size * scale), class: kind}),
          svg('text', {x: left + (from + size) * scale + 6, y: y + 14},
              [formatBytes(size)]));
    };
    bytes.forEach((size, i) => {
      const part = waterfall.parts[i];
      line(kNames[part] ?? part, start, size, i, `part ${part}`);
      start += size;
    });
    line('held', 0, total, bytes.length, 'part held');
    const {limits} = this.results;
    const floor = limits.class_repack?.[sample];
    const generation = limits.generation ? ` (${limits.generation})` : '';
    if (floor !== undefined && floor !== null) {
      const x = left + Math.min(floor, total) * scale;
      const bottom = (bytes.length + 1) * row + 4;
      root.append(
          svg('line', {x1: x, x2: x, y1: 0, y2: bottom, class: 'floor'}),
          svg('text', {x: Math.min(x, width - 150), y: bottom + 18,
                       class: x > width / 2 ? 'floor-name end' : 'floor-name'},
              [`floor, repacked${generation}: ${formatBytes(floor)}`]));
    }
    this.host.replaceChildren(root);
  }
}
