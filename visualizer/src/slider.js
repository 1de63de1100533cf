// The page's one slider: a native range, so that it has the keys everybody
// knows. Shift with an arrow goes to the next moment at which something
// happened: a mark, a peak, a valley, an arena that came or went.
import {byId, html} from './element.js';
import {formatBytes, formatCount, formatTime} from './quantity.js';

/** @typedef {import('./results.js').Results} Results */

export class Slider {
  /**
   * @param {Results} results
   * @param {import('./cursor.js').Cursor} cursor
   */
  constructor(results, cursor) {
    this.results = results;
    this.input = /** @type {HTMLInputElement} */ (byId('slider'));
    this.input.max = String(results.timeline.request.length - 1);
    const {moments, marks} = results;
    this.moments = new Set([0, moments.peak, ...moments.valleys, moments.end,
                            ...marks.map((m) => m.sample)]);
    this.input.addEventListener(
        'input', () => cursor.move({sample: Number(this.input.value)}));
    this.input.addEventListener('keydown', (event) => {
      const forward = event.key === 'ArrowRight' || event.key === 'ArrowUp';
      const back = event.key === 'ArrowLeft' || event.key === 'ArrowDown';
      if (!event.shiftKey || !(forward || back)) return;
      event.preventDefault();
      cursor.move({sample: this.#next(cursor.place.sample, forward ? 1 : -1)});
    });
    const jumps = byId('jumps');
    const jump = (/** @type {string} */ name, /** @type {number | null} */ to) => {
      if (to === null) return;
      const button = html('button', {type: 'button'}, [name]);
      button.addEventListener('click', () => cursor.move({sample: to}));
      jumps.append(button);
    };
    this.#makePlay(jumps, cursor);
    jump('peak', moments.peak);
    jump('last valley', moments.last_valley);
    jump('end', moments.end);
  }

  /** @type {ReturnType<typeof setInterval> | null} */
  #playing = null;

  /**
   * Goes through the run in about ten seconds, until it is stopped or anything
   * else moves the cursor.
   * @param {HTMLElement} host
   * @param {import('./cursor.js').Cursor} cursor
   */
  #makePlay(host, cursor) {
    const last = this.results.timeline.request.length - 1;
    const button = html('button', {type: 'button', id: 'play'}, ['play']);
    let expected = 0;
    const stop = () => {
      if (this.#playing !== null) clearInterval(this.#playing);
      this.#playing = null;
      button.textContent = 'play';
    };
    button.addEventListener('click', () => {
      if (this.#playing !== null) return stop();
      expected = cursor.place.sample >= last ? 0 : cursor.place.sample;
      cursor.move({sample: expected});
      button.textContent = 'stop';
      this.#playing = setInterval(() => {
        if (cursor.place.sample !== expected || expected >= last) return stop();
        expected = Math.min(last, expected + Math.max(1, Math.round(last / 200)));
        cursor.move({sample: expected});
      }, 50);
    });
    host.append(button);
  }

  /** @param {Iterable<number>} samples more places where Shift stops */
  addMoments(samples) {
    for (const sample of samples) this.moments.add(sample);
  }

  /**
   * @param {number} from
   * @param {number} direction
   */
  #next(from, direction) {
    const last = this.results.timeline.request.length - 1;
    let at = from + direction;
    while (at > 0 && at < last && !this.moments.has(at)) at += direction;
    return Math.max(0, Math.min(last, at));
  }

  /** @param {number} sample */
  show(sample) {
    const {timeline, marks} = this.results;
    this.input.value = String(sample);
    const passed = marks.filter((m) => m.sample <= sample).pop();
    const words = `request ${formatCount(timeline.request[sample])}, ` +
        `${formatTime(timeline.time_ns[sample])}, ` +
        `${formatBytes(timeline.requested_bytes[sample])} requested and live` +
        (passed ? `, after “${passed.name}”` : '');
    this.input.setAttribute('aria-valuetext', words);
    byId('cursor-words').textContent = words;
  }
}
