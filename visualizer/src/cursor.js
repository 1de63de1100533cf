// Where the page looks: one sample for all views, one allocator, one pool. The
// only state of the page; everything that shows it listens to `change`. It is
// mirrored in the address as #s=120&a=pymalloc&arena=3&pool=41&block=7&c=age, so
// that a link brings back the view.

/**
 * @typedef {{sample: number, allocator: string, arena: number | null,
 *   pool: number | null, block: number | null, color: string}} Place
 *   arena: its ordinal; pool: its index in it; color: what colours stand for
 */

export class Cursor extends EventTarget {
  /**
   * @param {Place} start
   * @param {number} samples
   * @param {string[]} allocators the names that `a=` may take
   */
  constructor(start, samples, allocators) {
    super();
    this.place = start;
    this.samples = samples;
    this.allocators = allocators;
    this.place = {...start, ...this.#fromHash(location.hash)};
    addEventListener('hashchange', (event) => {
      // The event's address, not the page's: a write of ours that was waiting
      // may have replaced it before this event came.
      clearTimeout(this.#writing);
      this.move(this.#fromHash(new URL(event.newURL).hash));
    });
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #writing;

  /**
   * Goes there; tells the listeners if that is somewhere else.
   * @param {Partial<Place>} place
   */
  move(place) {
    const next = {...this.place, ...place};
    next.sample = Math.max(0, Math.min(this.samples - 1, next.sample));
    const keys = /** @type {(keyof Place)[]} */ (Object.keys(next));
    if (keys.every((key) => next[key] === this.place[key])) return;
    this.place = next;
    this.dispatchEvent(new Event('change'));
    // Browsers refuse more than some hundred address changes in ten seconds.
    clearTimeout(this.#writing);
    this.#writing = setTimeout(
        () => history.replaceState(null, '', this.hash()), 120);
  }

  hash() {
    const {sample, allocator, arena, pool, block, color} = this.place;
    const parts = [`s=${sample}`, `a=${encodeURIComponent(allocator)}`];
    if (arena !== null) parts.push(`arena=${arena}`);
    if (pool !== null) parts.push(`pool=${pool}`);
    if (block !== null) parts.push(`block=${block}`);
    if (color !== 'occupancy') parts.push(`c=${color}`);
    return '#' + parts.join('&');
  }

  /**
   * What an address says, where it makes sense.
   * @param {string} hash
   * @returns {Partial<Place>}
   */
  #fromHash(hash) {
    const given = new URLSearchParams(hash.slice(1));
    const number = (/** @type {string} */ key) => {
      const text = given.get(key);
      return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
    };
    /** @type {Partial<Place>} */
    const place = {};
    const sample = number('s');
    if (sample !== null) place.sample = Math.min(sample, this.samples - 1);
    const allocator = given.get('a');
    if (allocator !== null && this.allocators.includes(allocator))
      place.allocator = allocator;
    if (sample !== null) {
      place.arena = number('arena');
      place.pool = place.arena === null ? null : number('pool');
      place.block = place.pool === null ? null : number('block');
      place.color = /^[a-z]{1,12}$/.exec(given.get('c') ?? '')?.[0] ??
          'occupancy';
    }
    return place;
  }
}
