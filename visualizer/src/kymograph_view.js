// Time across, address down: what stays coloured after its phase has gone is
// what pins. And below it what each size class held over the run. Both are made
// when they first come into view.
import {byId, styleColor} from './element.js';
import {LineChart} from './line_chart.js';
import {kViridis, packed} from './palette.js';
import {formatBytes, formatBytesShort, formatShort} from './quantity.js';
import {scanRun} from './run_scan.js';

/** @typedef {import('./run_scan.js').Scan} Scan */

const kClassesDrawn = 6;
const kColors = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9',
                 '#e69f00', '#8c8c8c'];

export class KymographView {
  /**
   * @param {import('./results.js').Results} results
   * @param {import('./heap_history.js').HeapHistory} heap
   * @param {import('./cursor.js').Cursor} cursor
   */
  constructor(results, heap, cursor) {
    this.results = results;
    this.heap = heap;
    this.cursor = cursor;
    this.canvas = /** @type {HTMLCanvasElement} */ (
        /** @type {unknown} */ (byId('kymograph')));
    this.line = byId('kymograph-cursor');
    const {signal} = this.#listening;
    const pick = (/** @type {PointerEvent} */ event) => {
      const corner = this.canvas.getBoundingClientRect();
      cursor.move({sample: Math.floor(
          (event.clientX - corner.left) / corner.width * heap.header.samples)});
    };
    this.canvas.addEventListener('pointerdown', pick, {signal});
    this.canvas.addEventListener('pointermove', (event) => {
      if (event.buttons & 1) pick(event);
    }, {signal});
    this.#watch = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) this.#begin();
    }, {rootMargin: '600px'});
    this.#watch.observe(byId('kymograph-section'));
  }

  #listening = new AbortController();
  /** @type {IntersectionObserver} */
  #watch;
  /** @type {Scan | null} */
  #scan = null;
  /** @type {LineChart | null} */
  #chart = null;

  leave() {
    this.#listening.abort();
    this.#watch.disconnect();
    byId('class-chart').replaceChildren();
  }

  async #begin() {
    this.#watch.disconnect();
    this.#scan = await scanRun(this.heap, this.#listening.signal);
    if (this.#scan === null) return;
    this.refresh();
    document.documentElement.dataset.kymograph = 'yes';
  }

  /** After a change of theme. */
  refresh() {
    if (this.#scan === null) return;
    this.#paint(this.#scan);
    const options = this.#options(this.#scan);
    if (this.#chart) this.#chart.change(options);
    else this.#chart = new LineChart(byId('class-chart'), options);
    this.show(this.cursor.place.sample);
  }

  /** @param {Scan} scan */
  #paint(scan) {
    const samples = scan.filled.length;
    this.canvas.width = samples;
    this.canvas.height = Math.max(1, scan.rows);
    const context = this.canvas.getContext('2d');
    if (context === null) return;
    const image = context.createImageData(samples, Math.max(1, scan.rows));
    const pixels = new Uint32Array(image.data.buffer);
    const hex = (/** @type {string} */ name) => {
      const value = parseInt(styleColor(name).slice(1), 16);
      return packed([(value >> 16) & 255, (value >> 8) & 255, value & 255]);
    };
    const none = hex('--panel');
    const empty = hex('--cell-hatch');
    scan.filled.forEach((column, sample) => {
      for (let row = 0; row < scan.rows; ++row) {
        const share = column[row];
        pixels[row * samples + sample] = share < 0 ? none :
            share === 0 ? empty :
            packed(kViridis[Math.max(1, Math.round(255 * share))]);
      }
    });
    context.putImageData(image, 0, 0);
  }

  /** @param {Scan} scan */
  #options(scan) {
    const {header} = this.heap;
    const peak = Array.from({length: header.classes}, (_, c) =>
        Math.max(...scan.classBytes.map((bytes) => bytes[c])));
    const ranked = [...peak.keys()].filter((c) => peak[c] > 0)
        .sort((a, b) => peak[b] - peak[a]);
    const drawn = ranked.slice(0, kClassesDrawn).sort((a, b) => a - b);
    const curves = drawn.map((c, n) => ({
      label: `${this.heap.blockBytes(c + 1)} B`, color: kColors[n], width: 2,
      values: scan.classBytes.map((bytes) => bytes[c])}));
    const others = ranked.slice(kClassesDrawn);
    if (others.length > 0) {
      curves.push({label: `${others.length} others`, color: kColors[6],
        width: 1.5, values: scan.classBytes.map((bytes) =>
            others.reduce((sum, c) => sum + bytes[c], 0))});
    }
    return {xs: this.results.timeline.request, curves, marks: [], height: 210,
      formatX: formatShort, formatY: formatBytesShort, binary: true,
      binaryX: false, onPick: (/** @type {number} */ sample) =>
          this.cursor.move({sample})};
  }

  /** @param {number} sample */
  show(sample) {
    const {samples} = this.heap.header;
    this.line.style.left = `${(100 * (sample + 0.5)) / samples}%`;
    this.#chart?.showSample(sample);
    const column = this.#scan?.filled[sample];
    if (column === undefined) return;
    const held = column.filter((share) => share >= 0);
    const thin = held.filter((share) => share < 0.25).length;
    byId('kymograph-words').textContent = held.length === 0 ?
        'At this moment no arena is held.' :
        `At this moment ${Math.round((100 * thin) / held.length)} % of the ` +
            `held address space is less than a quarter full.`;
    const bytes = this.#scan?.classBytes[sample] ?? new Float64Array(0);
    const largest = bytes.indexOf(Math.max(...bytes));
    byId('class-chart-words').textContent = bytes[largest] > 0 ?
        `The ${this.heap.blockBytes(largest + 1)}-byte class holds the most ` +
            `here: ${formatBytes(bytes[largest])} in its pools.` : '';
  }
}
