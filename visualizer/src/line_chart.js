// A line chart on uPlot with what every chart of the page has: dashes beside
// colours, labels at the lines' ends, named marks, and a line at the page's
// cursor that can be dragged. The caller keeps the table or text that says the
// same to those who cannot see it.
import uPlot from 'uplot';
import {styleColor} from './element.js';

/**
 * @typedef {{label: string, values: (number | null)[], color: string,
 *   dash?: number[], width?: number, fill?: string, steps?: boolean}} Curve
 * @typedef {{x: number, name: string}} VerticalMark
 * @typedef {{height: number, xs: number[], curves: Curve[],
 *   marks: VerticalMark[], formatX: (x: number) => string,
 *   formatY: (y: number) => string, binary: boolean, binaryX: boolean,
 *   onPick: (index: number) => void}} ChartOptions
 */

const kFont = '12px system-ui, sans-serif';
// Ticks of byte axes: powers of two, from one byte to 2^50.
const kBinarySteps = Array.from({length: 51}, (_, n) => 2 ** n);

/**
 * The text, cut so that it is no wider than the room.
 * @param {CanvasRenderingContext2D} ctx
 * @param {string} text
 * @param {number} room device pixels
 */
function fitted(ctx, text, room) {
  if (ctx.measureText(text).width <= room) return text;
  let length = text.length;
  while (length > 1 && ctx.measureText(text.slice(0, length) + '…').width > room)
    --length;
  return text.slice(0, length) + '…';
}

export class LineChart {
  /**
   * @param {HTMLElement} host
   * @param {ChartOptions} options
   */
  constructor(host, options) {
    this.host = host;
    this.options = options;
    this.sample = 0;
    this.plot = this.#make();
    this.resize = new ResizeObserver(() => {
      const width = host.clientWidth;
      if (width > 0 && width !== this.plot.width) this.remake();
    });
    this.resize.observe(host);
  }

  /** @type {HTMLElement | null} */
  #line = null;

  /** @param {Partial<ChartOptions>} options what is to be another */
  change(options) {
    this.options = {...this.options, ...options};
    this.remake();
  }

  /** Draws all anew: another width, theme or set of curves. */
  remake() {
    this.plot.destroy();
    this.plot = this.#make();
    this.showSample(this.sample);
  }

  /** @param {number} sample */
  showSample(sample) {
    this.sample = sample;
    this.#placeLine(this.plot);
  }

  /** Again whenever it is drawn: before that a new plot knows no places. */
  #placeLine(/** @type {uPlot} */ plot) {
    if (this.#line === null) return;
    const left = plot.valToPos(this.options.xs[this.sample], 'x');
    this.#line.style.transform = `translateX(${Math.round(left)}px)`;
  }

  #make() {
    const {xs, curves, height, formatX, formatY, binary, binaryX} =
        this.options;
    const width = Math.max(this.host.clientWidth, 200);
    const wide = width >= 440;
    const text = styleColor('--text-soft');
    const grid = {stroke: styleColor('--rule'), width: 1};
    const axis = {stroke: text, font: kFont, grid, ticks: grid};
    const longest = Math.max(0, ...curves.map((c) => c.label.length));
    /** @type {uPlot.Options} */
    const options = {
      width,
      height: width >= 640 ? height : Math.round(Math.max(height * 0.8, 170)),
      padding: [22, wide ? Math.min(width / 4, 26 + longest * 7.2) : 12, 0, 0],
      legend: {show: false},
      cursor: {y: false, points: {show: false}, drag: {x: false, y: false}},
      scales: {x: {time: false}, y: {range: (_, __, max) => [0, max * 1.04]}},
      axes: [
        {...axis, values: (_, ticks) => ticks.map(formatX),
         ...(binaryX ? {incrs: kBinarySteps} : {}),
         space: wide ? 90 : 76},
        {...axis, values: (_, ticks) => ticks.map(formatY), size: 74,
         ...(binary ? {incrs: kBinarySteps} : {})},
      ],
      series: [
        {},
        ...curves.map((curve) => ({
          label: curve.label,
          stroke: curve.color,
          width: curve.width ?? 2,
          dash: curve.dash ?? [],
          points: {show: false},
          ...(curve.fill ? {fill: curve.fill} : {}),
          ...(curve.steps && uPlot.paths.stepped ?
                  {paths: uPlot.paths.stepped({align: 1})} :
                  {}),
        })),
      ],
      hooks: {
        draw: [(u) => {
          this.#placeLine(u);
          this.#drawMarks(u);
          if (wide) this.#drawLabels(u);
        }],
      },
    };
    const plot = new uPlot(
        options, /** @type {uPlot.AlignedData} */ (
            [xs, ...curves.map((c) => c.values)]),
        this.host);
    this.#line = document.createElement('div');
    this.#line.className = 'chart-cursor';
    plot.over.append(this.#line);
    this.#listen(plot);
    return plot;
  }

  /** @param {uPlot} plot */
  #listen(plot) {
    const pick = (/** @type {PointerEvent} */ event) => {
      const left = event.clientX - plot.over.getBoundingClientRect().left;
      this.options.onPick(plot.posToIdx(left));
    };
    plot.over.addEventListener('pointerdown', (event) => {
      plot.over.setPointerCapture(event.pointerId);
      pick(event);
    });
    plot.over.addEventListener('pointermove', (event) => {
      if (event.buttons & 1) pick(event);
    });
  }

  /** @param {uPlot} u */
  #drawMarks(u) {
    const {ctx, bbox} = u;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    ctx.fillStyle = ctx.strokeStyle = styleColor('--text-soft');
    ctx.setLineDash([2 * ratio, 3 * ratio]);
    ctx.lineWidth = ratio;
    ctx.textBaseline = 'bottom';
    ctx.textAlign = 'left';
    let free = 0;
    for (const {x, name} of this.options.marks) {
      const left = Math.round(u.valToPos(x, 'x', true));
      ctx.beginPath();
      ctx.moveTo(left, bbox.top);
      ctx.lineTo(left, bbox.top + bbox.height);
      ctx.stroke();
      const room = ctx.measureText(name).width;
      const start = Math.min(left - room / 2, u.width * ratio - room);
      // A name that would lie on the one before it is left out.
      if (start < free) continue;
      ctx.fillText(name, start, bbox.top - 3 * ratio);
      free = start + room + 8 * ratio;
    }
    ctx.restore();
  }

  /** @param {uPlot} u */
  #drawLabels(u) {
    const {ctx, bbox} = u;
    const ratio = devicePixelRatio;
    const height = 14 * ratio;
    const labels = this.options.curves.map((curve) => {
      const known = curve.values.filter((v) => v !== null);
      const last = known[known.length - 1] ?? 0;
      return {text: curve.label, color: curve.color,
              y: u.valToPos(last, 'y', true)};
    });
    labels.sort((a, b) => b.y - a.y);
    // From the lowest upwards, each at least one line above the last.
    let limit = bbox.top + bbox.height;
    for (const label of labels) {
      label.y = Math.min(label.y, limit);
      limit = label.y - height;
    }
    ctx.save();
    ctx.font = `600 ${11.5 * ratio}px system-ui, sans-serif`;
    ctx.textBaseline = 'middle';
    ctx.textAlign = 'left';
    for (const {text, color, y} of labels) {
      const x = bbox.left + bbox.width + 8 * ratio;
      ctx.fillStyle = color;
      ctx.fillRect(x, y - 4 * ratio, 4 * ratio, 8 * ratio);
      // Text in the text's colour: not every curve's colour is dark enough.
      ctx.fillStyle = styleColor('--text');
      ctx.fillText(fitted(ctx, text, u.width * ratio - x - 10 * ratio),
                   x + 8 * ratio, y);
    }
    ctx.restore();
  }
}
