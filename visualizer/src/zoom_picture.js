// The picture of one arena down to its blocks, or of one pool: squares in
// address order. Pixels and places only; zoom_view.js has the keys and words.
import {styleColor} from './element.js';

/** @typedef {import('./colouring.js').Colouring} Colouring */
/** @typedef {import('./heap_history.js').HeapHistory} HeapHistory */
/** @typedef {{x: number, y: number, width: number, height: number}} Box */

const kLargestBlock = 26;

export class ZoomPicture {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HeapHistory} heap
   * @param {Colouring} colouring
   */
  constructor(canvas, heap, colouring) {
    this.canvas = canvas;
    this.heap = heap;
    this.colouring = colouring;
    /** Squares of the last picture: pools of an arena, or blocks of a pool. */
    this.count = 0;
    this.columns = 1;
    this.side = 1;
  }

  /**
   * @param {number} count
   * @param {number} width CSS pixels
   * @param {number} most the largest side
   */
  #layout(count, width, most) {
    this.count = count;
    this.columns = Math.max(1, Math.ceil(Math.sqrt(count)));
    this.side = Math.max(4, Math.min(most, Math.floor(width / this.columns)));
    const rows = Math.ceil(count / this.columns);
    const scale = Math.max(1, Math.round(globalThis.devicePixelRatio ?? 1));
    this.canvas.width = this.columns * this.side * scale;
    this.canvas.height = Math.max(1, rows * this.side) * scale;
    this.canvas.style.width = `${this.columns * this.side}px`;
    this.canvas.style.height = `${rows * this.side}px`;
    const context = this.canvas.getContext('2d');
    context?.scale(scale, scale);
    return context;
  }

  /** @param {number} n @returns {Box} */
  boxOf(n) {
    return {x: (n % this.columns) * this.side,
            y: Math.floor(n / this.columns) * this.side,
            width: this.side - 1, height: this.side - 1};
  }

  /**
   * @param {number} x CSS pixels
   * @param {number} y
   * @returns {number | null}
   */
  at(x, y) {
    const column = Math.floor(x / this.side);
    const n = Math.floor(y / this.side) * this.columns + column;
    return x < 0 || y < 0 || column >= this.columns || n >= this.count ? null :
        n;
  }

  /**
   * The colour of each block of a cell; null: free.
   * @param {number} cell
   * @param {Map<number, number>} rows block -> object, as far as it is known
   * @returns {{cls: number, colors: (string | null)[]}}
   */
  #blocks(cell, rows) {
    const {heap, colouring} = this;
    const {sample} = heap;
    const {cls, blocks} = heap.blocksAt(cell, sample);
    const css = (/** @type {number} */ level) =>
        `rgb(${colouring.colors[level].join(' ')})`;
    const plain = colouring.kind === 'class' ? css(colouring.classLevel(cls)) :
        css(Math.min(120, colouring.colors.length - 1));
    const ofPool = colouring.kind === 'occupancy' || colouring.kind === 'class';
    return {cls, colors: Array.from(blocks, (live, block) => {
      if (live === 0) return null;
      const row = rows.get(block);
      return ofPool || row === undefined ? plain :
          css(colouring.levelOf(row, sample));
    })};
  }

  /**
   * @param {number} slot
   * @param {number} width CSS pixels
   * @param {(cell: number) => Map<number, number>} rowsOf
   */
  paintArena(slot, width, rowsOf) {
    const {heap} = this;
    const context = this.#layout(heap.poolsPerArena, width, 80);
    if (context === null) return;
    const free = styleColor('--cell-empty');
    const vacant = styleColor('--cell-vacant');
    const ground = styleColor('--cell-hatch');
    const usable = heap.usablePools(slot);
    for (let index = 0; index < heap.poolsPerArena; ++index) {
      const cell = slot * heap.poolsPerArena + index;
      const {x, y, width: side} = this.boxOf(index);
      if (heap.cls[cell] === 0) {
        context.fillStyle = index < usable ? free : vacant;
        context.fillRect(x, y, side, side);
        continue;
      }
      context.fillStyle = ground;
      context.fillRect(x, y, side, side);
      const {colors} = this.#blocks(cell, rowsOf(cell));
      const columns = Math.ceil(Math.sqrt(colors.length));
      const step = (side - 2) / columns;
      const gap = step > 4 ? 1 : 0;
      colors.forEach((color, block) => {
        context.fillStyle = color ?? free;
        context.fillRect(x + 1 + (block % columns) * step,
                         y + 1 + Math.floor(block / columns) * step,
                         Math.max(0.8, step - gap), Math.max(0.8, step - gap));
      });
    }
  }

  /**
   * @param {number} cell
   * @param {number} width CSS pixels
   * @param {Map<number, number>} rows
   * @param {number | null} chosen block
   */
  paintPool(cell, width, rows, chosen) {
    const {colors} = this.#blocks(cell, rows);
    const context = this.#layout(colors.length, width, kLargestBlock);
    if (context === null) return;
    const free = styleColor('--cell-empty');
    colors.forEach((color, block) => {
      const box = this.boxOf(block);
      context.fillStyle = color ?? free;
      context.fillRect(box.x, box.y, box.width, box.height);
    });
    if (chosen === null || chosen >= colors.length) return;
    const box = this.boxOf(chosen);
    context.strokeStyle = styleColor('--floor');
    context.lineWidth = 2;
    context.strokeRect(box.x + 1, box.y + 1, box.width - 2, box.height - 2);
  }
}
