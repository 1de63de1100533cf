// What keeps each arena at the cursor: the arenas with the fewest live blocks
// first, because those few blocks are all that stands between the arena and the
// operating system.
import {byId, html} from './element.js';
import {formatBytes, formatCount} from './quantity.js';

/** @typedef {import('./heap_history.js').HeapHistory} HeapHistory */
/** @typedef {{slot: number, blocks: number, bytes: number,
 *   classes: Map<number, number>}} Holding classes: class + 1 -> live blocks */

const kRows = 8;
const kClassesNamed = 4;

/**
 * Every held arena of the sample sought last, fewest live blocks first.
 * @param {HeapHistory} heap
 * @returns {Holding[]}
 */
export function holdings(heap) {
  /** @type {Holding[]} */
  const list = [];
  for (let slot = 0; slot < heap.slots; ++slot) {
    if (heap.ordinals[slot] < 0) continue;
    /** @type {Holding} */
    const holding = {slot, blocks: 0, bytes: 0, classes: new Map()};
    const begin = slot * heap.poolsPerArena;
    for (let cell = begin; cell < begin + heap.poolsPerArena; ++cell) {
      const cls = heap.cls[cell];
      if (cls === 0) continue;
      const live = heap.live[cell];
      holding.blocks += live;
      holding.bytes += live * heap.blockBytes(cls);
      holding.classes.set(cls, (holding.classes.get(cls) ?? 0) + live);
    }
    list.push(holding);
  }
  return list.sort((a, b) => a.blocks - b.blocks || a.slot - b.slot);
}

/**
 * How few blocks hold a share of the arenas, the cheapest arenas first.
 * @param {Holding[]} list as holdings() sorts it
 * @param {number} share of the arenas, 0 to 1
 * @returns {{arenas: number, blocks: number}}
 */
export function cheapest(list, share) {
  const arenas = Math.ceil(list.length * share);
  let blocks = 0;
  for (const holding of list.slice(0, arenas)) blocks += holding.blocks;
  return {arenas, blocks};
}

export class PinView {
  /**
   * @param {HeapHistory} heap
   * @param {import('./cursor.js').Cursor} cursor
   */
  constructor(heap, cursor) {
    this.heap = heap;
    this.rows = Array.from({length: kRows}, () => {
      const button = html('button', {type: 'button'});
      const cells = Array.from({length: 3}, () => html('td'));
      const row = html('tr', {}, [
        html('th', {scope: 'row'}, [button]), ...cells]);
      button.addEventListener('click', () => {
        cursor.move({arena: Number(button.textContent), pool: 0});
        byId('heap').scrollIntoView({block: 'nearest'});
      });
      return {row, button, cells};
    });
    byId('pins-rows').replaceChildren(...this.rows.map(({row}) => row));
  }

  /** Shows the sample that the heap was sought to. */
  show() {
    const {heap} = this;
    const list = holdings(heap);
    const all = list.reduce((sum, holding) => sum + holding.blocks, 0);
    const half = cheapest(list, 0.5);
    byId('pins-words').textContent = list.length === 0 ?
        'No arena is held at this moment.' :
        `${formatCount(half.arenas)} of the ${formatCount(list.length)} held ` +
            `arenas (${formatBytes(half.arenas * heap.header.arena_bytes)}) ` +
            `are kept by ${formatCount(half.blocks)} of the ` +
            `${formatCount(all)} live blocks. Those with the fewest:`;
    this.rows.forEach(({row, button, cells}, i) => {
      const holding = list[i];
      row.hidden = holding === undefined;
      if (holding === undefined) return;
      button.textContent = String(heap.ordinals[holding.slot]);
      cells[0].textContent = formatCount(holding.blocks);
      cells[1].textContent = formatBytes(holding.bytes);
      cells[2].textContent = this.#classes(holding);
    });
  }

  /** @param {Holding} holding */
  #classes({classes}) {
    const named = [...classes].sort((a, b) => b[1] - a[1]);
    const words = named.slice(0, kClassesNamed).map(
        ([cls, live]) => `${formatCount(live)} × ${this.heap.blockBytes(cls)} B`);
    if (named.length > kClassesNamed)
      words.push(`${named.length - kClassesNamed} more classes`);
    return words.join(', ');
  }
}
