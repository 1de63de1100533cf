// The map of an allocator that cannot be walked: where it put each object in a
// replay. Regions of addresses, in them 64 KiB cells, in those pages and blocks.
// Unlike pymalloc's map it cannot tell free memory that is held from memory that
// was given back: a cell without a live object may be either.
import {Colouring, kKindNames} from './colouring.js';
import {byId, html, styleColor} from './element.js';
import {hex, ObjectWords} from './object_words.js';
import {kCellBytes, kPageBytes} from './place_cells.js';
import {formatBytes, formatCount} from './quantity.js';

/** @typedef {import('./place_cells.js').PlaceCells} PlaceCells */
/** @typedef {import('./colouring.js').Kind} Kind */
/** @typedef {(row: number, sample: number) => Promise<string[]>} Elsewhere */

const kRowHeight = 20;

class PlaceColouring extends Colouring {
  kinds() {
    return super.kinds().filter((kind) => kind !== 'class');
  }
}

export class PlaceView {
  /**
   * @param {import('./results.js').Results} results
   * @param {import('./results.js').Allocator} allocator
   * @param {PlaceCells} cells
   * @param {import('./cursor.js').Cursor} cursor
   * @param {number} programEnd
   * @param {Elsewhere} elsewhere where the same object lies in the others
   */
  constructor(results, allocator, cells, cursor, programEnd, elsewhere) {
    this.cells = cells;
    this.cursor = cursor;
    this.elsewhere = elsewhere;
    this.colouring = new PlaceColouring(
        /** @type {any} */ ({cells: 0, header: {classes: 1}}),
        /** @type {any} */ (cells.live), programEnd);
    this.words = new ObjectWords(results, allocator, /** @type {any} */ (null),
                                 /** @type {any} */ (cells.live));
    this.canvas = /** @type {HTMLCanvasElement} */ (
        /** @type {unknown} */ (byId('places-canvas')));
    this.zoom = /** @type {HTMLCanvasElement} */ (
        /** @type {unknown} */ (byId('places-zoom-canvas')));
    this.focus = 0;
    this.size = 10;
    this.columns = 1;
    this.at = new Uint32Array(cells.cells);
    /** @type {number[]} rows in the open cell, by address */
    this.rows = [];
    const choice = byId('places-color');
    choice.replaceChildren(...this.colouring.kinds().map(
        (kind) => html('option', {value: kind}, [kKindNames[kind]])));
    this.#listen(choice);
    this.refresh();
  }

  #listening = new AbortController();

  leave() {
    this.#listening.abort();
  }

  /** After a change of theme or width. */
  refresh() {
    const {cells} = this;
    const width = Math.max(200, byId('places-frame').clientWidth - 8);
    const places = cells.cells + cells.regions.length;
    this.size = Math.max(5, Math.min(
        14, Math.floor(Math.sqrt((width * 420) / Math.max(1, places)))));
    this.columns = Math.max(1, Math.floor(width / this.size));
    let next = 0;
    let region = 0;
    for (let cell = 0; cell < cells.cells; ++cell) {
      if (cells.regions[region] === cell) {
        ++region;
        if (cell > 0) ++next;
      }
      this.at[cell] = next++;
    }
    this.canvas.width = this.columns * this.size;
    this.canvas.height = Math.ceil(next / this.columns) * this.size || 1;
    this.show(this.cursor.place.sample);
  }

  /** @param {number} sample */
  show(sample) {
    const {cells, colouring} = this;
    cells.seek(sample);
    const kind = colouring.kinds().find(
        (known) => known === this.cursor.place.color) ?? 'occupancy';
    const choice = /** @type {HTMLSelectElement} */ (byId('places-color'));
    choice.value = kind;
    if (kind !== colouring.kind) colouring.choose(kind);
    this.#legend();
    const looks = this.#looks(sample);
    const context = this.canvas.getContext('2d');
    if (context === null) return;
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const empty = styleColor('--cell-hatch');
    for (let cell = 0; cell < cells.cells; ++cell) {
      const level = looks[cell];
      context.fillStyle = level < 0 ? empty :
          `rgb(${colouring.colors[level].join(',')})`;
      const {x, y} = this.#corner(cell);
      context.fillRect(x, y, this.size - 1, this.size - 1);
    }
    let live = 0;
    let used = 0;
    for (const bytes of cells.bytes) {
      live += bytes;
      if (bytes > 0) ++used;
    }
    byId('places-totals').textContent =
        `${formatBytes(live)} of live objects lie in ${formatCount(used)} of ` +
        `the ${formatCount(cells.cells)} pieces of 64 KiB that were ever used, ` +
        `${formatBytes(used * kCellBytes)}; in ${
            formatCount(cells.regions.length)} ${
            cells.regions.length === 1 ? 'region' : 'regions'} of addresses` +
        (cells.live.complete(sample) ? '.' :
             '. Of this moment only those objects are known that live at the ' +
             'peak, a valley or another sample that is told in full.');
    this.#placeFocus();
    this.#showZoom(sample);
  }

  /** The level of each cell; -1: no live object. @param {number} sample */
  #looks(sample) {
    const {cells, colouring} = this;
    const looks = new Int16Array(cells.cells).fill(-1);
    if (colouring.kind === 'occupancy') {
      cells.bytes.forEach((bytes, cell) => {
        if (bytes > 0)
          looks[cell] = Math.min(255, Math.round(255 * bytes / kCellBytes));
      });
      return looks;
    }
    const categorical = !['age', 'free'].includes(colouring.kind);
    const most = new Float64Array(categorical ? cells.cells * 8 : 0);
    cells.live.forLive(sample, (row) => {
      const level = colouring.levelOf(row, sample);
      cells.forCells(row, (cell, bytes) => {
        if (!categorical) looks[cell] = Math.max(looks[cell], level);
        else if ((most[cell * 8 + level] += bytes) >=
                 most[cell * 8 + Math.max(0, looks[cell])])
          looks[cell] = level;
      });
    });
    return looks;
  }

  #legend() {
    const legend = this.colouring.legend();
    const swatch = (/** @type {string} */ color) => {
      const box = html('span', {class: 'key'});
      box.style.background = color;
      return box;
    };
    const scale = (/** @type {number} */ level) =>
        `rgb(${this.colouring.colors[level].join(',')})`;
    const entries = 'categories' in legend ? legend.categories :
        [[this.colouring.kind === 'occupancy' ? 'hardly used' : legend.from,
          scale(20)],
         [legend.to, scale(240)], ...legend.extra];
    byId('places-legend').replaceChildren(
        ...[...entries, ['no live object: held, or given back',
                         styleColor('--cell-hatch')]].map(
            ([name, color]) => html('span', {}, [swatch(color), name])));
  }

  /** @param {number} cell */
  #corner(cell) {
    const at = this.at[cell];
    return {x: (at % this.columns) * this.size,
            y: Math.floor(at / this.columns) * this.size};
  }

  /** @param {number} cell */
  describe(cell) {
    const {cells} = this;
    if (cells.cells === 0) return 'No object lived at a sample.';
    const bytes = cells.bytes[cell];
    return `${hex(cells.numbers[cell] * kCellBytes)}, 64 KiB: ` + (bytes > 0 ?
        `${formatBytes(bytes)} live, ${
            bytes < kCellBytes / 100 ? 'under 1' :
                Math.round((100 * bytes) / kCellBytes)} %` :
        'no live object at this moment');
  }

  #placeFocus() {
    const {arena} = this.cursor.place;
    if (arena !== null) this.focus = arena;
    this.focus = Math.max(0, Math.min(this.focus, this.cells.cells - 1));
    const {x, y} = this.#corner(this.focus);
    const box = byId('places-focus');
    box.style.transform = `translate(${x}px, ${y}px)`;
    box.style.width = box.style.height = `${this.size}px`;
    byId('places-words').textContent = this.describe(this.focus);
  }

  /** @param {string} words */
  #say(words) {
    byId('live-region').textContent = words;
  }

  /** @param {number} sample */
  #showZoom(sample) {
    const {arena, block} = this.cursor.place;
    const cell = arena !== null && arena < this.cells.cells ? arena : null;
    byId('places-panel').hidden = cell === null;
    if (cell === null) return;
    this.rows = this.cells.liveIn(cell);
    const begin = this.cells.numbers[cell] * kCellBytes;
    const pages = new Set(this.rows.flatMap((row) => {
      const first = Math.max(begin, this.cells.places[row] * 8);
      const last = Math.min(begin + kCellBytes - 1, this.cells.places[row] * 8 +
          Math.max(1, this.cells.live.size[row]) - 1);
      return Array.from(
          {length: Math.floor(last / kPageBytes) -
               Math.floor(first / kPageBytes) + 1},
          (_, n) => Math.floor(first / kPageBytes) + n);
    }));
    byId('places-title').textContent = `64 KiB at ${hex(begin)}`;
    byId('places-panel-words').textContent =
        `${formatCount(this.rows.length)} live objects keep ${pages.size} of ` +
        `its 16 pages. Each line is a page of 4 KiB.`;
    const width = Math.max(160, byId('places-zoom').clientWidth - 8);
    this.zoom.width = width;
    this.zoom.height = 16 * kRowHeight;
    const context = this.zoom.getContext('2d');
    if (context === null) return;
    for (let page = 0; page < 16; ++page) {
      context.fillStyle = styleColor('--cell-empty');
      context.fillRect(0, page * kRowHeight, width, kRowHeight - 3);
    }
    for (const row of this.rows) {
      context.fillStyle = this.#colorOf(row, sample);
      this.#pieces(row, begin, (page, from, to) => {
        const x = (from / kPageBytes) * width;
        context.fillRect(x, page * kRowHeight, Math.max(
            1, ((to - from) / kPageBytes) * width - 0.5), kRowHeight - 3);
        if (row !== block) return;
        context.strokeStyle = styleColor('--text');
        context.lineWidth = 2;
        context.strokeRect(x, page * kRowHeight + 1,
                           ((to - from) / kPageBytes) * width, kRowHeight - 5);
      });
    }
    this.#showBlock(sample);
  }

  /** @param {number} row @param {number} sample */
  #colorOf(row, sample) {
    const {colouring} = this;
    const level = colouring.kind === 'occupancy' ? 150 :
        colouring.levelOf(row, sample);
    return `rgb(${colouring.colors[level].join(',')})`;
  }

  /**
   * @param {number} row
   * @param {number} begin of the cell
   * @param {(page: number, from: number, to: number) => void} visit
   */
  #pieces(row, begin, visit) {
    const at = this.cells.places[row] * 8 - begin;
    const behind = Math.min(kCellBytes,
                            at + Math.max(1, this.cells.live.size[row]));
    for (let from = Math.max(0, at); from < behind;) {
      const page = Math.floor(from / kPageBytes);
      const to = Math.min(behind, (page + 1) * kPageBytes);
      visit(page, from - page * kPageBytes, to - page * kPageBytes);
      from = to;
    }
  }

  /** @param {number} sample */
  async #showBlock(sample) {
    const {block: row} = this.cursor.place;
    const there = row !== null && this.rows.includes(row);
    byId('places-block').hidden = !there;
    if (!there || row === null) return;
    const sentence = `${hex(this.cells.places[row] * 8)}: ` +
        this.words.sentence(row, sample);
    byId('places-block-words').textContent = sentence;
    const lines = await this.elsewhere(row, sample);
    if (this.cursor.place.block !== row) return;
    byId('places-elsewhere').replaceChildren(
        ...lines.map((line) => html('li', {}, [line])));
  }

  /** @param {number | null} cell */
  #open(cell) {
    this.cursor.move({arena: cell, pool: cell === null ? null : 0, block: null});
  }

  /** @param {number} row */
  #chooseRow(row) {
    this.cursor.move({block: row});
    this.#say(this.words.sentence(row, this.cursor.place.sample));
  }

  /** @param {HTMLElement} choice */
  #listen(choice) {
    const {signal} = this.#listening;
    choice.addEventListener('change', () => this.cursor.move({color:
        /** @type {HTMLSelectElement} */ (choice).value}), {signal});
    this.canvas.addEventListener('click', ({offsetX, offsetY}) => {
      const at = Math.floor(offsetY / this.size) * this.columns +
          Math.floor(offsetX / this.size);
      const cell = this.at.indexOf(at);
      if (cell >= 0) this.#open(cell);
    }, {signal});
    this.zoom.addEventListener('click', ({offsetX, offsetY}) => {
      const offset = (Math.floor(offsetY / kRowHeight) +
                      offsetX / this.zoom.width) * kPageBytes;
      const at = this.cells.numbers[this.cursor.place.arena ?? 0] * kCellBytes +
          offset;
      const row = this.rows.find((one) => this.cells.places[one] * 8 <= at &&
          at < this.cells.places[one] * 8 + this.cells.live.size[one]);
      if (row !== undefined) this.#chooseRow(row);
    }, {signal});
    byId('places-close').addEventListener('click', () => this.#open(null),
                                          {signal});
    byId('places-frame').addEventListener(
        'keydown', (event) => this.#key(event), {signal});
    byId('places-zoom').addEventListener(
        'keydown', (event) => this.#zoomKey(event), {signal});
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const {regions} = this.cells;
    const region = regions.findLastIndex((first) => first <= this.focus);
    /** @type {Record<string, number>} */
    const places = {
      ArrowLeft: this.focus - 1, ArrowRight: this.focus + 1,
      ArrowUp: this.focus - this.columns, ArrowDown: this.focus + this.columns,
      '[': regions[region - 1] ?? 0, ']': regions[region + 1] ?? this.focus,
      Home: 0, End: this.cells.cells - 1};
    if (event.key === 'Enter') {
      this.#open(this.focus);
      requestAnimationFrame(() => requestAnimationFrame(
          () => byId('places-zoom').focus()));
    } else if (event.key === 'Escape') {
      this.#open(null);
    } else if (event.key in places) {
      this.focus = Math.max(0, Math.min(this.cells.cells - 1,
                                        places[event.key]));
      if (this.cursor.place.arena !== null) this.#open(this.focus);
      this.#placeFocus();
      this.#say(this.describe(this.focus));
    } else {
      return;
    }
    event.preventDefault();
  }

  /** @param {KeyboardEvent} event */
  #zoomKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const at = this.rows.indexOf(this.cursor.place.block ?? -1);
    /** @type {Record<string, number>} */
    const places = {ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - 8,
                    ArrowDown: at + 8, Home: 0, End: this.rows.length - 1};
    if (event.key === 'Escape') {
      this.#open(null);
      byId('places-frame').focus();
    } else if (event.key in places && this.rows.length > 0) {
      this.#chooseRow(this.rows[Math.max(
          0, Math.min(this.rows.length - 1, places[event.key]))]);
    } else {
      return;
    }
    event.preventDefault();
  }
}
