// One pass over the whole run, in slices that leave the page alive: how full
// each part of the address space was at each sample, and what each size class
// held. For the pictures that show all moments at once.

/** @typedef {import('./heap_history.js').HeapHistory} HeapHistory */

const kMostRows = 220;
const kSliceMs = 12;

/**
 * @typedef {{rows: number, cellsPerRow: number,
 *   filled: Float32Array[], classBytes: Float64Array[]}} Scan
 *   filled: by sample, a row's live share of its held blocks, -1 where no arena
 *   is held; classBytes: by sample, bytes of used pools by class
 */

/**
 * @param {HeapHistory} heap
 * @param {AbortSignal} signal
 * @returns {Promise<Scan | null>} null when it was called off
 */
export async function scanRun(heap, signal) {
  const {columns, header, cells} = heap;
  const cellsPerRow = Math.max(1, Math.ceil(cells / kMostRows));
  const rows = Math.ceil(cells / cellsPerRow);
  /** @type {Scan} */
  const scan = {rows, cellsPerRow, filled: [], classBytes: []};
  const cls = new Uint8Array(cells);
  const live = new Uint16Array(cells);
  const ordinals = new Int32Array(heap.slots).fill(-1);
  const capacities = Array.from({length: header.classes + 1},
                                (_, c) => heap.capacity(c));
  let until = performance.now() + kSliceMs;
  for (let sample = 0; sample < header.samples; ++sample) {
    const {sampleEntry, sampleChange} = columns;
    for (let e = sampleEntry[sample]; e < sampleEntry[sample + 1]; ++e) {
      cls[columns.entryCell.data[e]] = columns.entryClass.data[e];
      live[columns.entryCell.data[e]] = columns.entryLive.data[e];
    }
    for (let c = sampleChange[sample]; c < sampleChange[sample + 1]; ++c)
      ordinals[columns.changeSlot.data[c]] = columns.changeOrdinal.data[c];
    const filled = new Float32Array(rows);
    const classBytes = new Float64Array(header.classes);
    let cell = 0;
    for (let row = 0; row < rows; ++row) {
      let held = 0;
      let share = 0;
      const end = Math.min(cells, cell + cellsPerRow);
      for (; cell < end; ++cell) {
        if (ordinals[Math.floor(cell / heap.poolsPerArena)] < 0) continue;
        ++held;
        const c = cls[cell];
        if (c === 0) continue;
        share += live[cell] / capacities[c];
        classBytes[c - 1] += header.pool_bytes;
      }
      filled[row] = held === 0 ? -1 : share / held;
    }
    scan.filled.push(filled);
    scan.classBytes.push(classBytes);
    if (performance.now() < until) continue;
    await new Promise((done) => setTimeout(done));
    if (signal.aborted) return null;
    until = performance.now() + kSliceMs;
  }
  return scan;
}
