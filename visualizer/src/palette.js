// Colours. Sequential: viridis, by its eleven published tenths (CC0), linear
// between them: perceptually even, lightness grows with occupancy, readable
// with every colour-vision deficiency. Categorical: Okabe and Ito's, each with
// a dash of its own, so that colour never carries a curve alone.

const kViridisTenths = [
  0x440154, 0x482475, 0x414487, 0x355f8d, 0x2a788e, 0x21918c, 0x22a884,
  0x44bf70, 0x7ad151, 0xbddf26, 0xfde725,
];

/**
 * The 256 steps, each [red, green, blue].
 * @type {[number, number, number][]}
 */
export const kViridis = Array.from({length: 256}, (_, level) => {
  const at = (level / 255) * (kViridisTenths.length - 1);
  const below = Math.min(Math.floor(at), kViridisTenths.length - 2);
  const mix = (/** @type {number} */ shift) => {
    const a = (kViridisTenths[below] >> shift) & 255;
    const b = (kViridisTenths[below + 1] >> shift) & 255;
    return Math.round(a + (b - a) * (at - below));
  };
  return [mix(16), mix(8), mix(0)];
});

/**
 * The step for a pool: 255 only when full, at least 1 while a block lives.
 * @param {number} live
 * @param {number} capacity
 */
export function occupancyLevel(live, capacity) {
  if (live >= capacity) return 255;
  return Math.max(1, Math.floor((255 * live) / capacity));
}

/**
 * As one element of ImageData's buffer seen as Uint32Array. Every platform
 * that runs a browser is little-endian.
 * @param {readonly [number, number, number]} rgb
 */
export function packed([red, green, blue]) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** @typedef {{color: string, dash: number[]}} Stroke */

/** @type {Stroke[]} */
const kStrokes = [
  {color: '#0072b2', dash: []},
  {color: '#d55e00', dash: [9, 3]},
  {color: '#009e73', dash: [3, 3]},
  {color: '#cc79a7', dash: [9, 3, 2, 3]},
  {color: '#56b4e9', dash: [14, 4]},
  {color: '#e69f00', dash: [2, 2]},
  {color: '#8c8c8c', dash: [5, 2, 2, 2, 2, 2]},
];

/**
 * How the nth allocator is drawn, everywhere on the page.
 * @param {number} n
 * @returns {Stroke}
 */
export function strokeOf(n) {
  return kStrokes[n % kStrokes.length];
}
