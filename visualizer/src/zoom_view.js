// One arena down to its blocks: arena -> pool -> block, with keys and words.
//
// Arrows move, Enter goes in, Escape or Backspace goes out, [ and ] go to the
// neighbour of the same kind. The level is the cursor's: no pool, the arena; a
// pool, its blocks; a block, what is known of it.
import {byId, html} from './element.js';
import {ZoomPicture} from './zoom_picture.js';

/** @typedef {import('./colouring.js').Colouring} Colouring */
/** @typedef {import('./cursor.js').Cursor} Cursor */
/** @typedef {import('./heap_history.js').HeapHistory} HeapHistory */
/** @typedef {import('./object_words.js').ObjectWords} ObjectWords */

export class ZoomView {
  /**
   * @param {HeapHistory} heap
   * @param {Cursor} cursor
   * @param {Colouring} colouring
   * @param {ObjectWords} words
   * @param {(cell: number) => string} describePool
   */
  constructor(heap, cursor, colouring, words, describePool) {
    this.heap = heap;
    this.cursor = cursor;
    this.words = words;
    this.describePool = describePool;
    this.panel = byId('pool-panel');
    this.frame = byId('zoom-frame');
    this.box = byId('zoom-focus');
    this.picture = new ZoomPicture(byId('pool-canvas'), heap, colouring);
    this.focus = 0;
    this.#listen();
  }

  #listening = new AbortController();
  /** The place last shown: where the focus starts anew. */
  #shown = '';

  /** No view of the same elements answers after this. */
  leave() {
    this.#listening.abort();
  }

  #listen() {
    const {signal} = this.#listening;
    const {canvas} = this.picture;
    const at = (/** @type {MouseEvent} */ event) => {
      const corner = canvas.getBoundingClientRect();
      return this.picture.at(event.clientX - corner.left,
                             event.clientY - corner.top);
    };
    canvas.addEventListener('pointermove', (event) => {
      const n = at(event);
      if (n !== null) byId('zoom-words').textContent = this.#describe(n);
    }, {signal});
    canvas.addEventListener('pointerleave', () => this.#placeFocus(), {signal});
    canvas.addEventListener('click', (event) => {
      const n = at(event);
      if (n === null) return;
      this.focus = n;
      this.#enter();
    }, {signal});
    this.frame.addEventListener('keydown', (event) => this.#key(event),
                                {signal});
    this.frame.addEventListener('focus', () => this.#announce(), {signal});
    byId('pool-close').addEventListener('click', () => this.close(), {signal});
  }

  close() {
    this.cursor.move({arena: null, pool: null, block: null});
    byId('heap-frame').focus();
  }

  /** The cell that the cursor's arena and pool stand for, or null. */
  chosen() {
    const {arena, pool} = this.cursor.place;
    if (arena === null) return null;
    const slot = this.heap.ordinals.indexOf(arena);
    return slot < 0 ? null : slot * this.heap.poolsPerArena +
        Math.min(pool ?? 0, this.heap.poolsPerArena - 1);
  }

  /**
   * The live objects of a cell by their blocks.
   * @param {number} cell
   */
  rowsOf = (cell) => {
    /** @type {Map<number, number>} */
    const rows = new Map();
    const {objects} = this.words;
    if (objects === null) return rows;
    const pool = this.poolNumber(cell);
    for (const row of objects.liveIn(this.heap.sample, pool, pool + 1))
      rows.set(objects.block[row], row);
    return rows;
  };

  /** As the payload numbers it. @param {number} cell */
  poolNumber(cell) {
    const slot = this.heap.slotOf(cell);
    return this.heap.ordinals[slot] * this.heap.poolsPerArena + cell -
        slot * this.heap.poolsPerArena;
  }

  /** Shows what the cursor says, at the sample that the heap was sought to. */
  show() {
    const {arena, pool, block} = this.cursor.place;
    this.panel.hidden = arena === null;
    if (arena === null) return;
    const cell = this.chosen();
    this.#showPath();
    byId('pool-title').textContent =
        pool === null ? `Arena ${arena}` : `Arena ${arena}, pool ${pool}`;
    this.frame.hidden = cell === null;
    byId('block-words').hidden = block === null || cell === null;
    if (cell === null) {
      byId('pool-words').textContent =
          'This arena is not held at this moment.';
      byId('zoom-words').textContent = '';
      return;
    }
    const place = `${arena}/${pool}`;
    if (place !== this.#shown) this.focus = block ?? this.#firstLive(cell);
    this.#shown = place;
    const width = Math.max(180, this.panel.clientWidth - 40);
    if (pool === null) {
      this.picture.paintArena(this.heap.slotOf(cell), width, this.rowsOf);
      byId('pool-words').textContent = this.#arenaWords(cell);
    } else {
      this.picture.paintPool(cell, width, this.rowsOf(cell), block);
      byId('pool-words').textContent = this.describePool(cell);
    }
    this.frame.hidden = this.picture.count === 0;
    if (block !== null) this.#showBlock(block);
    this.#placeFocus();
  }

  /** Where the keys begin. @param {number} cell */
  #firstLive(cell) {
    const {heap} = this;
    if (this.cursor.place.pool !== null)
      return Math.max(0, heap.blocksAt(cell, heap.sample).blocks.indexOf(1));
    const begin = heap.slotOf(cell) * heap.poolsPerArena;
    const used = heap.cls.subarray(begin, begin + heap.poolsPerArena)
        .findIndex((cls) => cls !== 0);
    return Math.max(0, used);
  }

  /** @param {number} cell one of the arena */
  #arenaWords(cell) {
    const {heap} = this;
    const begin = heap.slotOf(cell) * heap.poolsPerArena;
    let used = 0;
    let live = 0;
    for (let c = begin; c < begin + heap.poolsPerArena; ++c) {
      used += heap.cls[c] === 0 ? 0 : 1;
      live += heap.live[c];
    }
    return `${live} live block${live === 1 ? '' : 's'} in ${used} of ${
        heap.usablePools(heap.slotOf(cell))} pools: that many must go before ` +
        `the arena can.`;
  }

  #showPath() {
    const {arena, pool, block} = this.cursor.place;
    const step = (/** @type {string} */ name, /** @type {() => void} */ go,
                  /** @type {boolean} */ here) => {
      if (here) return html('span', {'aria-current': 'location'}, [name]);
      const button = html('button', {type: 'button', class: 'link'}, [name]);
      button.addEventListener('click', go);
      return button;
    };
    const steps = [step('heap', () => this.close(), false)];
    steps.push(step(`arena ${arena}`, () => this.cursor.move(
        {pool: null, block: null}), pool === null));
    if (pool !== null) {
      steps.push(step(`pool ${pool}`, () => this.cursor.move({block: null}),
                      block === null));
    }
    if (block !== null) steps.push(step(`block ${block}`, () => {}, true));
    byId('zoom-path').replaceChildren(...steps.flatMap(
        (one, i) => i === 0 ? [one] : [html('span', {'aria-hidden': 'true'},
                                            [' › ']), one]));
  }

  /** @param {number} block */
  #showBlock(block) {
    byId('block-words').textContent = this.#describe(block);
  }

  /** The nth square in words. @param {number} n */
  #describe(n) {
    const cell = this.chosen();
    if (cell === null) return '';
    const {pool} = this.cursor.place;
    const {heap} = this;
    if (pool === null) {
      return this.describePool(heap.slotOf(cell) * heap.poolsPerArena + n);
    }
    const cls = heap.cls[cell];
    const {blocks} = heap.blocksAt(cell, heap.sample);
    const where = `block ${n} of ${blocks.length} (${
        heap.blockBytes(cls)} bytes at ${
        this.words.place(this.poolNumber(cell), n, cls)})`;
    if (!blocks[n]) return `${where}: free`;
    const row = this.rowsOf(cell).get(n);
    return row === undefined ? `${where}: live` :
        `${where}: live, ${this.words.sentence(row, heap.sample)}`;
  }

  #enter() {
    const {pool} = this.cursor.place;
    if (pool === null) this.cursor.move({pool: this.focus, block: null});
    else this.cursor.move({block: this.focus});
  }

  #out() {
    const {pool, block} = this.cursor.place;
    if (block !== null) {
      this.cursor.move({block: null});
    } else if (pool !== null) {
      this.cursor.move({pool: null});
      this.focus = pool;
      this.#shown = `${this.cursor.place.arena}/null`;
    } else {
      this.close();
    }
  }

  /** The next pool of the arena, or arena of the heap. @param {number} by */
  #sibling(by) {
    const {arena, pool} = this.cursor.place;
    const {heap} = this;
    if (pool !== null) {
      const next = pool + by;
      if (next >= 0 && next < heap.poolsPerArena)
        this.cursor.move({pool: next, block: null});
      return;
    }
    const held = [...heap.ordinals].filter((ordinal) => ordinal >= 0);
    const next = held[held.indexOf(arena ?? -1) + by];
    if (next !== undefined) this.cursor.move({arena: next});
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    /** @type {Record<string, number>} */
    const moves = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.picture.columns,
                   ArrowDown: this.picture.columns};
    const {count} = this.picture;
    if (event.key in moves) {
      const next = this.focus + moves[event.key];
      if (next >= 0 && next < count) this.focus = next;
    } else if (event.key === 'Home') this.focus = 0;
    else if (event.key === 'End') this.focus = Math.max(0, count - 1);
    else if (event.key === 'Enter') this.#enter();
    else if (event.key === 'Escape' || event.key === 'Backspace') this.#out();
    else if (event.key === '[') this.#sibling(-1);
    else if (event.key === ']') this.#sibling(1);
    else return;
    event.preventDefault();
    this.#placeFocus();
    this.#announce();
  }

  #placeFocus() {
    const {count} = this.picture;
    this.focus = Math.max(0, Math.min(this.focus, count - 1));
    this.box.hidden = count === 0;
    byId('zoom-words').textContent =
        count === 0 ? '' : this.#describe(this.focus);
    const {x, y, width, height} = this.picture.boxOf(this.focus);
    this.box.style.transform = `translate(${x}px, ${y}px)`;
    this.box.style.width = `${width}px`;
    this.box.style.height = `${height}px`;
  }

  #announce() {
    byId('live-region').textContent = byId('zoom-words').textContent;
  }
}
