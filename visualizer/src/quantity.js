// Numbers as people read them. The C++ side (visualizer/quantity.cc) prints
// the static part of the page by the same rules; quantity_test.mjs and
// quantity_test.cc share their cases.

const kUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/**
 * Three significant digits and a binary unit; "unknown" for null.
 * @param {number | null | undefined} bytes
 */
export function formatBytes(bytes) {
  if (bytes === null || bytes === undefined) return 'unknown';
  let value = Math.abs(bytes);
  let unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.length) {
    value /= 1024;
    ++unit;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${bytes < 0 ? '−' : ''}${value.toFixed(digits)} ${kUnits[unit]}`;
}

/**
 * For axes: 4 MiB, not 4.00 MiB.
 * @param {number} bytes
 */
export function formatBytesShort(bytes) {
  return formatBytes(bytes).replace(/\.0+(?= )|(\.\d)0(?= )/, '$1');
}

/**
 * An integer in groups of three, set apart by narrow no-break spaces.
 * @param {number | null | undefined} count
 */
export function formatCount(count) {
  if (count === null || count === undefined) return 'unknown';
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** @param {number} ns */
export function formatTime(ns) {
  if (ns < 1e6) return `${(ns / 1e3).toFixed(0)} µs`;
  if (ns < 1e9) return `${(ns / 1e6).toFixed(0)} ms`;
  return `${(ns / 1e9).toFixed(ns < 1e10 ? 2 : 1)} s`;
}

/**
 * A count for an axis: 250 k, 1.5 M.
 * @param {number} count
 */
export function formatShort(count) {
  for (const [scale, letter] of /** @type {const} */ (
           [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']])) {
    if (Math.abs(count) >= scale)
      return `${Number((count / scale).toPrecision(4))} ${letter}`;
  }
  return String(Number(count.toPrecision(4)));
}
