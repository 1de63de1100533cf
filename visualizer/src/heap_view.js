// The map of the heap with its keys and its words; zoom_view.js goes on from a
// pool inwards.
//
// Arrows move from pool to pool, [ and ] from arena to arena, Enter opens a
// pool, Escape closes it. What is under the focus or the pointer is said in one
// line of text; the live region repeats it only for the keyboard.
import {byId, styleColor} from './element.js';
import {showHeapLegend} from './heap_legend.js';
import {HeapPicture} from './heap_picture.js';
import {packed} from './palette.js';
import {formatBytes, formatCount} from './quantity.js';
import {ZoomView} from './zoom_view.js';

/** @typedef {import('./heap_history.js').HeapHistory} HeapHistory */
/** @typedef {import('./colouring.js').Kind} Kind */

/** @param {string} color #rrggbb */
function packedHex(color) {
  const value = parseInt(color.slice(1), 16);
  return packed([(value >> 16) & 255, (value >> 8) & 255, value & 255]);
}

export class HeapView {
  /**
   * @param {HeapHistory} heap
   * @param {import('./cursor.js').Cursor} cursor
   * @param {import('./colouring.js').Colouring} colouring
   * @param {import('./object_words.js').ObjectWords} words
   */
  constructor(heap, cursor, colouring, words) {
    this.heap = heap;
    this.cursor = cursor;
    this.colouring = colouring;
    this.frame = byId('heap-frame');
    this.picture = new HeapPicture(byId('heap-canvas'), heap);
    this.box = byId('heap-focus');
    this.focus = 0;
    this.zoom = new ZoomView(heap, cursor, colouring, words,
                             (cell) => this.describe(cell));
    this.#kind = this.#wanted();
    colouring.choose(this.#kind);
    showHeapLegend(colouring);
    this.refresh();
    this.#listen();
    this.#resize = new ResizeObserver(() => {
      const width = this.frame.clientWidth;
      if (width > 0 && width !== this.#width) this.refresh();
    });
    this.#resize.observe(this.frame);
  }

  #listening = new AbortController();
  /** @type {ResizeObserver} */
  #resize;
  /** @type {Kind} */
  #kind = 'occupancy';

  /** Before another view takes the same elements. */
  leave() {
    this.#listening.abort();
    this.#resize.disconnect();
    this.zoom.leave();
  }

  /** @returns {Kind} */
  #wanted() {
    const {color} = this.cursor.place;
    return this.colouring.kinds().find((kind) => kind === color) ?? 'occupancy';
  }

  #width = 0;
  #announced = '';

  /** After a change of theme or width. */
  refresh() {
    const hex = (/** @type {string} */ name) => packedHex(styleColor(name));
    this.shades = {background: hex('--panel'), empty: hex('--cell-empty'),
                   hatch: hex('--cell-hatch'), vacant: hex('--cell-vacant'),
                   outline: hex('--cell-outline')};
    this.#width = this.frame.clientWidth;
    this.picture.layout(Math.max(160, this.#width - 8));
    this.show(this.cursor.place.sample);
  }

  /** @param {number} sample */
  show(sample) {
    this.heap.seek(sample);
    const kind = this.#wanted();
    if (kind !== this.#kind) {
      this.#kind = kind;
      this.colouring.choose(kind);
      showHeapLegend(this.colouring);
    }
    this.colouring.prepare(sample);
    if (this.shades) this.picture.paint(this.shades, this.colouring);
    const chosen = this.zoom.chosen();
    if (chosen !== null) this.focus = chosen;
    this.#showTotals();
    this.#placeFocus();
    this.zoom.show();
  }

  /**
   * The pool in words.
   * @param {number} cell
   */
  describe(cell) {
    const {heap} = this;
    const slot = heap.slotOf(cell);
    const index = cell - slot * heap.poolsPerArena;
    const ordinal = heap.ordinals[slot];
    if (ordinal === undefined || ordinal < 0)
      return `place ${slot + 1}: no arena is held here at this sample`;
    const where = `arena ${ordinal}, pool ${index}`;
    const cls = heap.cls[cell];
    if (cls === 0) {
      return index < heap.usablePools(slot) ?
          `${where}: free but held, no block is live` :
          `${where}: lost to alignment, the arena's base is not a multiple ` +
              `of the pool size`;
    }
    const capacity = heap.capacity(cls);
    const live = heap.live[cell];
    return `${where}: ${heap.blockBytes(cls)}-byte class, ` +
        `${live} of ${capacity} blocks live, ` +
        `${live < capacity / 100 ? 'under 1' :
            Math.round((100 * live) / capacity)} %`;
  }

  /** @param {number} cell */
  #choose(cell) {
    const slot = this.heap.slotOf(cell);
    const arena = this.heap.ordinals[slot];
    if (arena < 0) return;
    this.focus = cell;
    this.cursor.move({arena, pool: cell - slot * this.heap.poolsPerArena,
                      block: null});
  }

  #listen() {
    const {signal} = this.#listening;
    const canvas = this.picture.canvas;
    const cellOf = (/** @type {PointerEvent | MouseEvent} */ event) => {
      const corner = canvas.getBoundingClientRect();
      return this.picture.cellAt(event.clientX - corner.left,
                                 event.clientY - corner.top);
    };
    canvas.addEventListener('pointermove', (event) => {
      byId('heap-words').textContent =
          this.describe(cellOf(event) ?? this.focus);
    }, {signal});
    canvas.addEventListener('pointerleave', () => this.#placeFocus(), {signal});
    canvas.addEventListener('click', (event) => {
      const cell = cellOf(event);
      if (cell !== null) this.#choose(cell);
    }, {signal});
    this.frame.addEventListener('keydown', (event) => this.#key(event),
                                {signal});
    this.frame.addEventListener('focus', () => {
      this.#placeFocus();
      this.#announce();
    }, {signal});
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const {heap, picture} = this;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === 'Enter') {
      this.#choose(this.focus);
      // The keys go on inside, as soon as it is drawn.
      requestAnimationFrame(() => requestAnimationFrame(
          () => byId('zoom-frame').focus()));
    } else if (event.key === 'Escape') {
      this.cursor.move({arena: null, pool: null, block: null});
    } else {
      const square = picture.squareOf(this.focus);
      const middle = square.size / 2;
      /** @type {Record<string, number | null>} */
      const places = {
        ArrowLeft: this.focus - 1,
        ArrowRight: this.focus + 1,
        ArrowUp: this.#beyond(square, middle, -1),
        ArrowDown: this.#beyond(square, middle, 1),
        '[': this.focus - heap.poolsPerArena,
        ']': this.focus + heap.poolsPerArena,
        Home: 0,
        End: heap.cells - 1,
      };
      if (!(event.key in places)) return;
      const next = places[event.key];
      if (next !== null && next >= 0 && next < heap.cells) this.focus = next;
      this.#placeFocus();
      this.#announce();
    }
    event.preventDefault();
  }

  /**
   * The cell above or below, over the gap between two tiles.
   * @param {{x: number, y: number, size: number}} square
   * @param {number} middle
   * @param {number} direction -1 up, 1 down
   */
  #beyond(square, middle, direction) {
    const {picture} = this;
    const x = square.x + middle;
    const y = square.y + middle + direction * picture.cell;
    return picture.cellAt(x, y) ??
        picture.cellAt(x, y + direction * picture.tileGap);
  }

  #placeFocus() {
    this.focus = Math.max(0, Math.min(this.focus, this.heap.cells - 1));
    const empty = this.heap.cells === 0;
    this.box.hidden = empty;
    byId('heap-words').textContent =
        empty ? 'No arena was made in this run.' : this.describe(this.focus);
    if (empty) return;
    const square = this.picture.squareOf(this.focus);
    this.box.style.transform = `translate(${square.x}px, ${square.y}px)`;
    this.box.style.width = this.box.style.height = `${square.size}px`;
  }

  #announce() {
    const words = this.describe(this.focus);
    if (words === this.#announced) return;
    this.#announced = words;
    byId('live-region').textContent = words;
  }

  #showTotals() {
    const {heap} = this;
    let held = 0;
    let usable = 0;
    let used = 0;
    let full = 0;
    for (let slot = 0; slot < heap.slots; ++slot) {
      if (heap.ordinals[slot] < 0) continue;
      ++held;
      usable += heap.usablePools(slot);
    }
    for (let cell = 0; cell < heap.cells; ++cell) {
      if (heap.cls[cell] === 0) continue;
      ++used;
      if (heap.live[cell] === heap.capacity(heap.cls[cell])) ++full;
    }
    byId('heap-totals').textContent =
        `${formatCount(held)} arenas of ` +
        `${formatBytes(heap.header.arena_bytes)} held: ` +
        `${formatCount(full)} pools full, ${formatCount(used - full)} partly ` +
        `used, ${formatCount(usable - used)} free but held`;
  }
}
