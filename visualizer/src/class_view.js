// The size classes at the cursor: a table, and in it the bars.
import {byId, html} from './element.js';
import {formatBytes, formatCount} from './quantity.js';

/** @typedef {import('./results.js').ClassRow} ClassRow */

export class ClassView {
  /** @param {number[]} sizes block bytes per class */
  constructor(sizes) {
    this.sizes = sizes;
    const body = byId('class-rows');
    this.rows = sizes.map((size) => {
      const cells = Array.from({length: 4}, () => html('td'));
      const used = html('span', {class: 'bar used'});
      const free = html('span', {class: 'bar free'});
      const row = html('tr', {}, [
        html('th', {scope: 'row'}, [`${size} B`]), ...cells,
        html('td', {class: 'bars', 'aria-hidden': 'true'}, [used, free])]);
      body.append(row);
      return {row, cells, used, free};
    });
  }

  /**
   * @param {ClassRow} totals
   * @param {string} note what moment this is, when it is not the cursor's
   */
  show(totals, note) {
    byId('class-note').textContent = note;
    const bytes = this.sizes.map(
        (size, c) => size * (totals.used_blocks[c] + totals.free_blocks[c]));
    const largest = Math.max(1, ...bytes);
    this.rows.forEach(({row, cells, used, free}, c) => {
      row.hidden = totals.pools[c] === 0;
      if (row.hidden) return;
      const usedBytes = totals.used_blocks[c] * this.sizes[c];
      const freeBytes = totals.free_blocks[c] * this.sizes[c];
      cells[0].textContent = formatCount(totals.pools[c]);
      cells[1].textContent = formatCount(totals.used_blocks[c]);
      cells[2].textContent = formatCount(totals.free_blocks[c]);
      cells[3].textContent = formatBytes(freeBytes);
      used.style.width = `${(100 * usedBytes) / largest}%`;
      free.style.width = `${(100 * freeBytes) / largest}%`;
    });
    byId('class-empty').hidden = totals.pools.some((n) => n > 0);
  }
}
