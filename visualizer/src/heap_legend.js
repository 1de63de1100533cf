// What the map's colours mean, drawn from the palette itself.
import {byId, html, svg} from './element.js';

/** @param {(string | Node)[]} children */
function entry(...children) {
  return html('span', {}, children);
}

/** @param {string} color */
function swatch(color) {
  return svg('svg', {width: 14, height: 14, 'aria-hidden': 'true'},
             [svg('rect', {width: 14, height: 14, fill: color})]);
}

/** @param {import('./colouring.js').Colouring} colouring */
export function showHeapLegend(colouring) {
  const legend = colouring.legend();
  const hatch = svg('svg', {width: 18, height: 14, 'aria-hidden': 'true'}, [
    svg('rect', {width: 18, height: 14, class: 'ground'}),
    svg('path', {d: 'M-2 4 4 -2M-2 10 10 -2M-2 16 16 -2M4 16 20 0M10 16 20 6',
                 class: 'hatch'})]);
  const entries = [];
  if ('categories' in legend) {
    for (const [name, color] of legend.categories)
      entries.push(entry(swatch(color), name));
  } else {
    const stops = Array.from({length: 11}, (_, tenth) => {
      const color = colouring.colors[Math.min(Math.round(tenth * 25.5), 240)];
      return svg('stop', {offset: tenth / 10,
                          'stop-color': `rgb(${color.join(',')})`});
    });
    entries.push(entry(
        legend.from, svg('svg', {width: 140, height: 14, 'aria-hidden': 'true'},
        [svg('linearGradient', {id: 'map-scale'}, stops),
         svg('rect', {width: 140, height: 14, fill: 'url(#map-scale)'})]),
        legend.to));
    for (const [name, color] of legend.extra)
      entries.push(entry(swatch(color), name));
  }
  byId('heap-legend').replaceChildren(...entries, entry(hatch, 'free but held'));
}
