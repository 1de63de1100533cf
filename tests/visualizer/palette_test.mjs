// Colours and numbers of the page. The cases of the numbers are those of
// quantity_test.cc.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {kViridis, occupancyLevel, packed, strokeOf} from '../../visualizer/src/palette.js';
import {formatBytes, formatBytesShort, formatCount, formatShort, formatTime} from '../../visualizer/src/quantity.js';

/** CIE lightness of an sRGB colour. */
function lightness([r, g, b]) {
  const linear = (c) =>
      c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4;
  const y = 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  return y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y;
}

test('occupancy grows in lightness, step by step', () => {
  const steps = kViridis.map(lightness);
  // Each channel is rounded to a whole number: worth a fifth of a unit.
  for (let i = 1; i < 256; ++i)
    assert.ok(steps[i] >= steps[i - 1] - 0.2, `step ${i}`);
  for (let i = 4; i < 256; ++i) assert.ok(steps[i] > steps[i - 4], `step ${i}`);
  assert.ok(steps[255] - steps[0] > 70);
});

test('full and almost empty pools have colours of their own', () => {
  const colors = kViridis.map(packed);
  assert.equal(colors.indexOf(colors[255]), 255);
  assert.equal(colors.lastIndexOf(colors[1]), 1);
});

test('only a full pool has the last step, and one live block never the first',
     () => {
       assert.equal(occupancyLevel(1021, 1021), 255);
       assert.equal(occupancyLevel(1020, 1021), 254);
       assert.equal(occupancyLevel(1, 1021), 1);
       assert.equal(occupancyLevel(1, 2), 127);
       assert.equal(occupancyLevel(1, 1), 255);
     });

test('neighbouring curves differ in colour and in dash', () => {
  const seen = new Set();
  for (let n = 0; n < 7; ++n) {
    const {color, dash} = strokeOf(n);
    assert.ok(!seen.has(color) && !seen.has(`${dash}`));
    seen.add(color).add(`${dash}`);
  }
});

test('bytes have three significant digits', () => {
  const cases = [[0, '0 B'], [999, '999 B'], [1000, '0.98 KiB'],
    [1024, '1.00 KiB'], [10240, '10.0 KiB'], [102400, '100 KiB'],
    [1048576, '1.00 MiB'], [54135808, '51.6 MiB'], [-2048, '−2.00 KiB'],
    [5e15, '4547 TiB'], [null, 'unknown']];
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
});

test('axes drop zeros that say nothing', () => {
  assert.equal(formatBytesShort(4 << 20), '4 MiB');
  assert.equal(formatBytesShort(10 * 1024), '10 KiB');
  assert.equal(formatBytesShort(1536), '1.5 KiB');
  assert.equal(formatBytesShort(100 << 20), '100 MiB');
  assert.equal(formatShort(250000), '250 k');
  assert.equal(formatShort(1.5e6), '1.5 M');
});

test('counts are grouped by threes', () => {
  assert.equal(formatCount(999), '999');
  assert.equal(formatCount(8890096), '8\u202f890\u202f096');
});

test('times choose their unit', () => {
  assert.equal(formatTime(5e5), '500 µs');
  assert.equal(formatTime(5e7), '50 ms');
  assert.equal(formatTime(1.43e9), '1.43 s');
  assert.equal(formatTime(65e9), '65.0 s');
});
