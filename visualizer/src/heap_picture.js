// Where each arena and pool stands in the map, and its painting: pixels only,
// no words, no events.
//
// An arena is a tile, nearly square, of its pools in address order, row by
// row; tiles flow like text. The picture is one ImageData at device pixels.

/** @typedef {import('./heap_history.js').HeapHistory} HeapHistory */
/** @typedef {import('./colouring.js').Colouring} Colouring */

const kLargestCell = 15;
const kSmallestCell = 2;
const kGoalHeight = 430;
// Looks of a cell beside the palette's steps.
const kFree = -1;
const kVacant = -2;
const kUnpainted = -3;

/** @typedef {{background: number, empty: number, hatch: number,
 *   vacant: number, outline: number}} Shades packed colours that depend on the
 *   theme; outline: around used pools, where the ground is as dark as the
 *   palette's first steps */

export class HeapPicture {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HeapHistory} heap
   */
  constructor(canvas, heap) {
    this.canvas = canvas;
    this.heap = heap;
    this.columns = Math.ceil(Math.sqrt(heap.poolsPerArena));
    this.rows = Math.ceil(heap.poolsPerArena / this.columns);
    this.scale = 1;
    this.cell = kLargestCell;
    this.tilesPerRow = 1;
    this.layout(600);
  }

  /** @type {ImageData | null} */
  #image = null;

  get gap() {
    return this.cell >= 5 ? 1 : 0;
  }
  get tileGap() {
    return Math.max(3, Math.round(this.cell * 0.7));
  }
  get tileWidth() {
    return this.columns * this.cell + this.tileGap;
  }
  get tileHeight() {
    return this.rows * this.cell + this.tileGap;
  }

  /**
   * Chooses the largest cell with which all slots fit.
   * @param {number} width in CSS pixels
   */
  layout(width) {
    const slots = Math.max(1, this.heap.slots);
    for (this.cell = kLargestCell;; --this.cell) {
      this.tilesPerRow = Math.max(1, Math.floor(width / this.tileWidth));
      const height = Math.ceil(slots / this.tilesPerRow) * this.tileHeight;
      if (height <= kGoalHeight || this.cell === kSmallestCell) break;
    }
    this.scale = Math.max(1, Math.round(globalThis.devicePixelRatio ?? 1));
    const rows = Math.ceil(slots / this.tilesPerRow);
    const inUse = Math.min(this.tilesPerRow, slots);
    const size = {width: inUse * this.tileWidth, height: rows * this.tileHeight};
    this.canvas.width = size.width * this.scale;
    this.canvas.height = size.height * this.scale;
    this.canvas.style.width = `${size.width}px`;
    this.canvas.style.height = `${size.height}px`;
    this.#image = null;
  }

  /**
   * A cell's square, in CSS pixels from the canvas's corner.
   * @param {number} cell
   */
  squareOf(cell) {
    const slot = this.heap.slotOf(cell);
    const index = cell - slot * this.heap.poolsPerArena;
    return {
      x: (slot % this.tilesPerRow) * this.tileWidth +
          (index % this.columns) * this.cell,
      y: Math.floor(slot / this.tilesPerRow) * this.tileHeight +
          Math.floor(index / this.columns) * this.cell,
      size: this.cell - this.gap,
    };
  }

  /**
   * The cell at a place of the canvas, or null between tiles.
   * @param {number} x CSS pixels
   * @param {number} y
   */
  cellAt(x, y) {
    const column = Math.floor(x / this.tileWidth);
    const row = Math.floor(y / this.tileHeight);
    const inX = Math.floor((x - column * this.tileWidth) / this.cell);
    const inY = Math.floor((y - row * this.tileHeight) / this.cell);
    const slot = row * this.tilesPerRow + column;
    const index = inY * this.columns + inX;
    if (x < 0 || y < 0 || column >= this.tilesPerRow ||
        inX >= this.columns || index >= this.heap.poolsPerArena ||
        slot >= this.heap.slots)
      return null;
    return slot * this.heap.poolsPerArena + index;
  }

  /**
   * Paints the sample that the heap was sought to: the cells whose look is
   * another than the one painted last.
   * @param {Shades} shades
   * @param {Colouring} colouring prepared for that sample
   */
  paint(shades, colouring) {
    const context = this.canvas.getContext('2d');
    if (context === null || this.canvas.width === 0) return;
    const {heap} = this;
    if (this.#image === null || this.#shades !== shades ||
        this.#palette !== colouring.palette) {
      this.#image =
          context.createImageData(this.canvas.width, this.canvas.height);
      this.#pixels = new Uint32Array(this.#image.data.buffer);
      this.#pixels.fill(shades.background);
      this.#painted = new Int16Array(heap.cells).fill(kUnpainted);
      this.#shades = shades;
      this.#palette = colouring.palette;
    }
    for (let slot = 0; slot < heap.slots; ++slot) {
      const usable = heap.usablePools(slot);
      for (let index = 0; index < heap.poolsPerArena; ++index) {
        const cell = slot * heap.poolsPerArena + index;
        const cls = heap.cls[cell];
        const look = cls !== 0 ? colouring.looks[cell] :
            index < usable ? kFree : kVacant;
        if (look === this.#painted[cell]) continue;
        this.#paintCell(cell, look, shades);
        this.#painted[cell] = look;
      }
    }
    context.putImageData(this.#image, 0, 0);
  }

  /** @type {Shades | null} */
  #shades = null;
  #palette = new Uint32Array(0);
  #pixels = new Uint32Array(0);
  /** What each cell looks like: a step of the palette, kFree or kVacant. */
  #painted = new Int16Array(0);

  /**
   * @param {number} cell
   * @param {number} look
   * @param {Shades} shades
   */
  #paintCell(cell, look, shades) {
    const pixels = this.#pixels;
    const {width} = this.canvas;
    const {x: left, y: top} = this.squareOf(cell);
    const scale = this.scale;
    const size = (this.cell - this.gap) * scale;
    const whole = this.cell * scale;
    const used = look >= 0;
    const color = used ? this.#palette[look] :
        look === kFree ? shades.empty : shades.vacant;
    const period = 4 * scale;
    // The gap to the right and below belongs to the cell: its outline.
    const edge = used ? shades.outline : shades.background;
    let at = top * scale * width + left * scale;
    for (let y = 0; y < whole; ++y, at += width) {
      for (let x = 0; x < whole; ++x) {
        pixels[at + x] = x >= size || y >= size ? edge :
            look === kFree && (x + y) % period < scale ? shades.hatch : color;
      }
    }
  }
}
