// Arenas held over the run, and acquired and released so far.
import {byId} from './element.js';
import {LineChart} from './line_chart.js';
import {formatCount, formatShort} from './quantity.js';

export class ArenaView {
  /**
   * @param {import('./results.js').Results} results
   * @param {import('./results.js').Allocator} allocator one with arenas
   * @param {import('./heap_history.js').HeapHistory | null} heap
   * @param {import('./cursor.js').Cursor} cursor
   */
  constructor(results, allocator, heap, cursor) {
    this.allocator = allocator;
    // As far as samples show them: an arena that came and went between two is
    // not in the map.
    this.totals = heap?.arenaTotals() ?? null;
    const shared = {xs: results.timeline.request, marks: [], height: 190,
      formatX: formatShort, formatY: formatShort, binary: false, binaryX: false,
      onPick: (/** @type {number} */ sample) => cursor.move({sample})};
    this.held = new LineChart(byId('arena-chart'),
                              {...shared, curves: this.#heldCurves()});
    this.turnover = this.totals === null ? null :
        new LineChart(byId('arena-turnover'),
                      {...shared, curves: this.#turnoverCurves()});
  }

  #heldCurves() {
    return [{label: 'held', values: this.allocator.arenas?.live ?? [],
             color: '#0072b2', width: 2.5, steps: true}];
  }

  #turnoverCurves() {
    if (this.totals === null) return [];
    return [{label: 'acquired', values: this.totals.acquired,
             color: '#009e73', dash: [3, 3], steps: true},
            {label: 'released', values: this.totals.released,
             color: '#d55e00', dash: [9, 3], steps: true}];
  }

  /** After a change of theme. */
  refresh() {
    this.held.change({curves: this.#heldCurves()});
    this.turnover?.change({curves: this.#turnoverCurves()});
  }

  /** @param {number} sample */
  show(sample) {
    this.held.showSample(sample);
    this.turnover?.showSample(sample);
    const {arenas} = this.allocator;
    if (arenas === null) return;
    byId('arena-words').textContent =
        `${formatCount(arenas.live[sample])} held here; over the run ` +
        `${formatCount(arenas.created)} created, ` +
        `${formatCount(arenas.released)} released, at most ` +
        `${formatCount(arenas.high_water)} at once, ` +
        `${formatCount(arenas.live_at_end)} at the end.`;
  }
}
