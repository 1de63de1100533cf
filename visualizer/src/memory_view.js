// Memory over time, all allocators in one chart: the curves that the controls
// ask for, on the clock that they ask for.
import {byId, html, styleColor, svg} from './element.js';
import {LineChart} from './line_chart.js';
import {strokeOf} from './palette.js';
import {formatBytes, formatBytesShort, formatShort, formatTime} from './quantity.js';

/** @typedef {import('./results.js').Results} Results */
/** @typedef {import('./results.js').Allocator} Allocator */
/** @typedef {import('./line_chart.js').Curve} Curve */

const kClocks = {
  allocated_bytes: formatBytesShort,
  request: formatShort,
  time_ns: formatTime,
};

/** @typedef {'committed' | 'held' | 'rss'} Metric */

/**
 * What an allocator's curve shows for a metric, and how it is known. Resident
 * bytes are measured while all requests are served; the model of pymalloc knows
 * its own share, to which the second allocator's is added where that is known.
 * @param {Allocator} allocator
 * @param {Metric} metric
 * @param {boolean} [recordedClock] what it would give back by the program's
 *   clock, for those that look at one
 * @returns {{values: number[], how: string} | null}
 */
export function curveOf(allocator, metric, recordedClock = false) {
  const {rss_bytes: rss, held_bytes: held, committed_bytes: committed} =
      allocator;
  const modelled = allocator.waterfall != null || allocator.arenas != null;
  if (metric === 'rss' || (metric === 'committed' && !modelled)) {
    const recorded = recordedClock ? allocator.rss_recorded_bytes : null;
    if (recorded)
      return {values: recorded, how: 'measured by the recorded clock'};
    return rss && {values: rss, how: 'measured, all requests'};
  }
  const own = metric === 'held' ? held : committed;
  if (own == null) return null;
  if (!modelled) return {values: own, how: 'as the library tells'};
  const large = metric === 'held' ? allocator.large?.held_bytes ?? null : null;
  if (large === null) return {values: own, how: 'model, small requests only'};
  return {values: own.map((bytes, s) => bytes + large[s]),
          how: 'model + second allocator'};
}

export class MemoryView {
  /**
   * @param {Results} results
   * @param {import('./cursor.js').Cursor} cursor
   */
  constructor(results, cursor) {
    this.results = results;
    this.cursor = cursor;
    // The two yardsticks that never reuse memory would flatten all others.
    this.hidden = new Set(results.allocators.flatMap(
        (a, n) => a.name === 'null' || a.name === 'bump' ? [n] : []));
    byId('process-control').hidden = !results.timeline.process_rss_bytes;
    byId('clock-control').hidden =
        !results.allocators.some((a) => a.rss_recorded_bytes);
    this.#makeLegend();
    this.chart = new LineChart(byId('memory-chart'), {
      height: 380, onPick: (sample) => cursor.move({sample}), binary: true,
      ...this.#options()});
    byId('memory-controls').addEventListener('change', () => this.refresh());
  }

  /** After a change of theme or controls. */
  refresh() {
    this.chart.change(this.#options());
    this.#updateLegend();
  }

  /** @returns {Metric} */
  get metric() {
    const chosen = document.querySelector('input[name=metric]:checked');
    return /** @type {Metric} */ (
        chosen instanceof HTMLInputElement ? chosen.value : 'rss');
  }

  #checked(/** @type {string} */ id) {
    return /** @type {HTMLInputElement} */ (byId(id)).checked;
  }

  #recordedClock() {
    return this.#checked('recorded-clock');
  }

  #options() {
    const {timeline, marks, limits} = this.results;
    const recordedClock = this.#recordedClock();
    const clock = /** @type {HTMLSelectElement} */ (byId('clock'));
    const name = /** @type {keyof typeof kClocks} */ (clock.value);
    const xs = timeline[name];
    const soft = styleColor('--text-soft');
    /** @type {Curve[]} */
    const curves = [];
    if (this.#checked('show-requested'))
      curves.push({label: 'requested, recorded', values: timeline.requested_bytes,
                   color: soft, width: 1, fill: styleColor('--area')});
    this.results.allocators.forEach((allocator, n) => {
      const curve = curveOf(allocator, this.metric, recordedClock);
      if (curve === null || this.hidden.has(n)) return;
      curves.push({label: allocator.spelled, values: curve.values,
                   ...strokeOf(n), width: n === 0 ? 2.5 : 2});
    });
    const text = styleColor('--text');
    const {process_rss_bytes: process} = timeline;
    if (process && this.metric === 'rss' && this.#checked('show-process'))
      curves.push({label: 'the process, recorded', values: process,
                   color: text, width: 1.5, dash: [2, 2]});
    const {class_repack: repacked, page_load: pages} = limits;
    if (repacked && this.#checked('show-repacked'))
      curves.push({label: 'limit: repacked, counterfactual', values: repacked, color: text,
                   width: 1, dash: [6, 4]});
    if (pages && this.#checked('show-pages'))
      curves.push({label: 'limit: whole pages, counterfactual', values: pages, color: text,
                   width: 1, dash: [1, 4]});
    return {xs, curves, formatX: kClocks[name], formatY: formatBytesShort,
            binaryX: name === 'allocated_bytes',
            marks: this.#checked('show-marks') ?
                marks.map((m) => ({x: xs[m.sample], name: m.name})) :
                []};
  }

  #makeLegend() {
    const legend = byId('memory-legend');
    this.results.allocators.forEach((allocator, n) => {
      const stroke = strokeOf(n);
      const box = html('input', {type: 'checkbox', id: `curve-${n}`});
      box.checked = !this.hidden.has(n);
      box.addEventListener('change', () => {
        if (box.checked) this.hidden.delete(n);
        else this.hidden.add(n);
        this.refresh();
      });
      const line = svg('line', {x1: 1, y1: 7, x2: 29, y2: 7, 'stroke-width': 3,
        stroke: stroke.color, 'stroke-dasharray': stroke.dash.join(' ')});
      legend.append(html('label', {class: 'legend-entry', for: `curve-${n}`}, [
        box, svg('svg', {width: 30, height: 14, 'aria-hidden': 'true'}, [line]),
        html('b', {}, [allocator.spelled]),
        html('output', {class: 'value', id: `now-${n}`, for: 'slider'}),
        html('span', {class: 'how', id: `how-${n}`})]));
    });
    this.#updateLegend();
  }

  #updateLegend() {
    this.results.allocators.forEach((allocator, n) => {
      const curve =
          curveOf(allocator, this.metric, this.#recordedClock());
      byId(`how-${n}`).textContent = curve === null ?
          `${allocator.label}; the library does not tell` :
          `${allocator.label}, ${curve.how}`;
    });
    this.show(this.cursor.place.sample);
  }

  /** @param {number} sample */
  show(sample) {
    this.chart?.showSample(sample);
    this.results.allocators.forEach((allocator, n) => {
      const curve =
          curveOf(allocator, this.metric, this.#recordedClock());
      byId(`now-${n}`).textContent =
          curve === null ? 'n/a' : formatBytes(curve.values[sample]);
    });
  }
}
