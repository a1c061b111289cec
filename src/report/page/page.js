// Draws the page from its data. Every figure in it was worked out before; texts go in as text, never as HTML.
'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);

  // ---- Elements

  function put(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, '');
      else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
    return element;
  }
  const html = (tag, attributes, ...children) => put(document.createElement(tag), attributes, children);
  const svg = (tag, attributes, ...children) =>
    put(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);

  function section(id) {
    const element = document.getElementById(id);
    element.hidden = false;
    return element;
  }

  // Long names may break after their signs, not in the middle of a word.
  const breakable = (text) => text.split(/(?<=[,:/=_])/).flatMap((part, i) => i ? [html('wbr'), part] : [part]);

  // ---- Words for figures

  const times = (multiple) => multiple + 'x';
  const short = (value) => Number(value.toPrecision(3)).toLocaleString('en');
  function valueText(value, metric) {
    if (value === null || value === undefined) return '-';
    return metric.is_share ? (100 * value).toFixed(1) : value.toFixed(3);
  }
  function rangeText(low, high, metric) {
    return '[' + valueText(low, metric) + ', ' + valueText(high, metric) + ']';
  }
  const signed = (value, metric) => (value > 0 ? '+' : '') + valueText(value, metric);
  function secondsText(seconds) {
    return seconds === null ? '-' : seconds < 100 ? short(seconds) + ' s' : short(seconds / 60) + ' min';
  }
  function spreadText(spread, write) {
    if (spread.mean === null) return '-';
    return spread.min === spread.max ? write(spread.mean)
      : write(spread.mean) + ' (' + write(spread.min) + ' to ' + write(spread.max) + ')';
  }
  const share = { is_share: true };

  // ---- Variants: each has a colour, a dash and a mark of its own, the same in every figure

  const variants = [];
  for (const block of data.blocks)
    for (const row of block.rows) if (!variants.includes(row.variant)) variants.push(row.variant);
  const shown = new Set(variants);
  const dashes = ['', '7 3', '2 2', '9 3 2 3', '12 4'];
  const style = (variant) => {
    const index = variants.indexOf(variant);
    return { color: `var(--c${index % 8})`, dash: dashes[index % dashes.length], mark: (index + Math.floor(index / 8)) % 6 };
  };
  function mark(kind, x, y, attributes) {
    const paths = [
      'M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0', 'M-3.5,-3.5h7v7h-7z', 'M0,-4.6L4.4,3.4H-4.4z', 'M0,-5L5,0L0,5L-5,0z',
      'M0,4.6L4.4,-3.4H-4.4z', 'M-4.5,-1.5h3v-3h3v3h3v3h-3v3h-3v-3h-3z'];
    return svg('path', { d: paths[kind], transform: `translate(${x},${y})`, ...attributes });
  }
  function swatch(variant) {
    const { color, dash, mark: kind } = style(variant);
    return svg('svg', { class: 'swatch', viewBox: '0 0 34 14', 'aria-hidden': 'true' },
      svg('line', { x1: 0, x2: 34, y1: 7, y2: 7, class: 'mean', stroke: color, 'stroke-dasharray': dash }),
      mark(kind, 17, 7, { fill: color }));
  }

  // ---- Charts

  // What draws each chart; those that left the page are dropped.
  let charts = [];
  let drawn = 0;
  function redraw() {
    charts = charts.filter(({ plot }) => plot.isConnected);
    charts.forEach(({ draw }) => draw());
  }

  function niceTicks(low, high) {
    const rough = (high - low) / 5 || 1;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
    const ticks = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) ticks.push(Number((i * step).toPrecision(12)));
    return ticks;
  }

  // describe() gives {title, x: {values, log, text, label}, y: {low, high, text, label, zero},
  // lines: [{variant, points: [{x, y, low, high, hollow}], seeds: [[{x, y}]]}],
  // rules: [{kind, name, points: [{x, y}]}], tip(x): {head, lines: [[variant or null, name, text]]}}
  function chart(host, describe) {
    const plot = html('div', { class: 'plot' });
    const tip = html('div', { class: 'tip', role: 'status', 'aria-live': 'polite', hidden: true });
    host.append(plot);
    let at = null;  // place of the figures shown, among the values of x
    let width = 0;
    const clip = 'clip' + drawn++;
    function draw() {
      const focused = plot.contains(document.activeElement);
      const spec = describe();
      width = Math.round(plot.clientWidth) || 640;
      const height = Math.max(230, Math.min(340, Math.round(width * 0.6)));
      const left = 48, right = 16, top = 12, bottom = 44;
      const { x, y } = spec;
      const scale = x.log ? Math.log : Number;
      const first = x.values.length ? scale(x.values[0]) : 0;
      const last = x.values.length ? scale(x.values[x.values.length - 1]) : 1;
      const px = (value) => last === first ? (left + width - right) / 2
        : left + 8 + (scale(value) - first) / (last - first) * (width - left - right - 16);
      const py = (value) => top + (y.high - value) / (y.high - y.low) * (height - top - bottom);
      
      const path = (points) => points.map((point, i) => (i ? 'L' : 'M') + px(point.x).toFixed(1) + ',' + py(point.y).toFixed(1)).join('');

      const root = svg('svg', {
        viewBox: `0 0 ${width} ${height}`, tabindex: 0, role: 'group', 'aria-roledescription': 'chart',
        'aria-label': spec.title + '. Arrow keys show the figures.' });
      root.append(svg('clipPath', { id: clip },
        svg('rect', { x: left, y: top - 6, width: width - left - right, height: height - top - bottom + 12 })));
      for (const tick of niceTicks(y.low, y.high))
        root.append(svg('line', { class: y.zero && tick === 0 ? 'zero' : 'grid', x1: left, x2: width - right, y1: py(tick), y2: py(tick) }),
          svg('text', { x: left - 6, y: py(tick) + 4, 'text-anchor': 'end', class: 'quiet' }, y.text(tick)));
      let free = -Infinity;
      for (const tick of x.log ? x.values : niceTicks(0, x.values[x.values.length - 1] || 1)) {
        if (!x.log && scale(tick) < first) continue;
        const text = x.text(tick), half = text.length * 3.6 + 4;
        root.append(svg('line', { class: 'grid', x1: px(tick), x2: px(tick), y1: height - bottom, y2: height - bottom + 4 }));
        if (px(tick) - half < free) continue;
        free = px(tick) + half;
        root.append(svg('text', { x: px(tick), y: height - bottom + 18, 'text-anchor': 'middle', class: 'quiet' }, text));
      }
      root.append(svg('text', { x: (left + width - right) / 2, y: height - 6, 'text-anchor': 'middle' }, x.label),
        svg('text', { x: 12, y: (top + height - bottom) / 2, 'text-anchor': 'middle', transform: `rotate(-90 12 ${(top + height - bottom) / 2})` }, y.label));

      const drawing = svg('g', { 'clip-path': `url(#${clip})` });
      const lines = spec.lines.filter((line) => line.always || shown.has(line.variant));
      for (const line of lines) {
        const { color } = style(line.variant);
        const banded = line.points.filter((point) => point.low !== undefined && point.low !== null);
        if (banded.length > 1)
          drawing.append(svg('path', { class: 'band', fill: color,
            d: path([...banded.map((point) => ({ x: point.x, y: point.high })),
                     ...banded.slice().reverse().map((point) => ({ x: point.x, y: point.low }))]) + 'Z' }));
        for (const seed of line.seeds) drawing.append(svg('path', { class: 'seed', stroke: color, d: path(seed) }));
      }
      for (const rule of spec.rules || [])
        if (rule.points.length) drawing.append(svg('path', { class: 'rule ' + rule.kind, d: path(rule.points) }));
      for (const line of lines) {
        const { color, dash, mark: kind } = style(line.variant);
        drawing.append(svg('path', { class: 'mean', stroke: color, 'stroke-dasharray': dash, d: path(line.points) }));
        if (line.points.length <= 24)
          for (const point of line.points)
            drawing.append(mark(kind, px(point.x), py(point.y), { fill: color, stroke: color, class: point.hollow ? 'hollow' : null }));
      }
      root.append(drawing);
      const cross = svg('line', { class: 'cross', y1: top, y2: height - bottom, visibility: 'hidden' });
      root.append(cross);

      function show(place) {
        at = place;
        cross.setAttribute('visibility', place === null ? 'hidden' : 'visible');
        tip.hidden = place === null;
        if (place === null) return;
        const value = x.values[place], position = px(value);
        cross.setAttribute('x1', position);
        cross.setAttribute('x2', position);
        const { head, lines: said } = spec.tip(value);
        tip.replaceChildren(html('strong', {}, head), html('table', {}, html('tbody', {}, said.map(([variant, name, text]) =>
          html('tr', {}, html('td', {}, variant === null ? null : swatch(variant)), html('td', {}, name), html('td', {}, text))))));
        tip.style.top = '8px';
        tip.style.left = position < width / 2 ? position + 10 + 'px' : 'auto';
        tip.style.right = position < width / 2 ? 'auto' : width - position + 10 + 'px';
        // On a narrow page there is no room beside the line.
        if (width < 520) { tip.style.left = '0'; tip.style.right = 'auto'; tip.style.top = height - 8 + 'px'; }
      }
      function nearest(event) {
        const box = root.getBoundingClientRect();
        const pointer = (event.clientX - box.left) * width / box.width;
        let best = null;
        x.values.forEach((value, i) => {
          if (best === null || Math.abs(px(value) - pointer) < Math.abs(px(x.values[best]) - pointer)) best = i;
        });
        return best;
      }
      root.addEventListener('pointermove', (event) => show(nearest(event)));
      root.addEventListener('pointerdown', (event) => show(nearest(event)));
      root.addEventListener('pointerleave', (event) => { if (event.pointerType === 'mouse') show(null); });
      root.addEventListener('focus', () => { if (at === null && root.matches(':focus-visible') && x.values.length) show(0); });
      root.addEventListener('blur', () => show(null));
      root.addEventListener('keydown', (event) => {
        const end = x.values.length - 1;
        const places = { ArrowLeft: at === null ? end : Math.max(0, at - 1), ArrowRight: at === null ? 0 : Math.min(end, at + 1),
                         Home: 0, End: end, Escape: null };
        if (!(event.key in places) || end < 0) return;
        event.preventDefault();
        show(places[event.key]);
      });
      const before = at;
      plot.replaceChildren(root, tip);
      if (focused) root.focus();
      show(before !== null && before < x.values.length ? before : null);
    }
    charts.push({ plot, draw });
    draw();
    new ResizeObserver(() => { if (plot.isConnected && Math.round(plot.clientWidth) !== width) draw(); }).observe(plot);
  }

  function figure(parent, title, describe, ...after) {
    const element = html('figure', {}, html('h3', {}, breakable(title)));
    parent.append(element);
    chart(element, () => ({ title, ...describe() }));
    element.append(...after);
  }

  function grid(lines, caption) {
    return html('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
      html('table', {}, html('thead', {}, html('tr', {}, lines[0].map((cell) => html('th', { scope: 'col' }, cell)))),
        html('tbody', {}, lines.slice(1).map((line) => html('tr', {}, line.map((cell, i) =>
          i === 0 ? html('th', { scope: 'row' }, cell) : html('td', {}, cell)))))));
  }

  // ---- Tools: theme and downloads

  function save(name, type, text) {
    const link = html('a', { href: URL.createObjectURL(new Blob([text], { type })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
  function addTools() {
    const dark = () => (document.documentElement.dataset.theme ||
      (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
    const theme = html('button', { type: 'button', id: 'theme', onclick: () => {
      document.documentElement.dataset.theme = dark() ? 'light' : 'dark';
      label();
    } });
    const label = () => { theme.textContent = dark() ? 'Light' : 'Dark'; };
    label();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', label);
    const { csv, ...rest } = data;
    document.getElementById('tools').append(theme,
      html('button', { type: 'button', id: 'save-json', onclick: () => save('attnspan-report.json', 'application/json', JSON.stringify(rest, null, 1) + '\n') }, 'Save JSON'),
      html('button', { type: 'button', id: 'save-csv', onclick: () => save('attnspan-report.csv', 'text/csv', csv) }, 'Save CSV'),
      html('button', { type: 'button', onclick: () => print() }, 'Print'));
  }

  // ---- Sections

  function addMatrix() {
    const host = section('matrix');
    host.append(html('p', { class: 'note' }, data.figures_note), data.one_seed_note ? html('p', { class: 'note' }, data.one_seed_note) : '');
    const head = html('tr', {}, html('th', { scope: 'col' }, 'task'), variants.map((variant) => html('th', { scope: 'col', class: 'center' }, breakable(variant))));
    const body = data.blocks.map((block, place) => html('tr', {},
      html('th', { scope: 'row' }, html('a', { href: '#block-' + place }, breakable(block.title))),
      variants.map((variant) => {
        const row = block.rows.find((one) => one.variant === variant);
        if (!row) return html('td', { class: 'level' }, '');
        const { sure } = row.span, { multiples } = block;
        if (sure === null) return html('td', { class: 'level lost' }, row.seeds_text);
        const range = Math.log(multiples[multiples.length - 1] / multiples[0]);
        const level = sure === 0 ? 0 : 1 + (range > 0 ? Math.min(3, Math.floor(3 * Math.log(sure / multiples[0]) / range + 1e-9)) : 3);
        return html('td', { class: 'level level' + level }, html('strong', {}, row.span_text.sure),
          html('small', {}, 'mean ' + row.span_text.point + ', possible ' + row.span_text.possible));
      })));
    host.append(html('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Sure span by task and variant' },
      html('table', {}, html('thead', {}, head), html('tbody', {}, body))));
  }

  function addVariants() {
    document.getElementById('accuracy').before(html('fieldset', { class: 'variants' }, html('legend', { class: 'note' }, 'Variants shown'),
      variants.map((variant) => html('label', {},
        html('input', { type: 'checkbox', checked: true, value: variant, onchange: (event) => {
          if (event.target.checked) shown.add(variant); else shown.delete(variant);
          redraw();
        } }), swatch(variant), html('span', {}, breakable(variant))))));
  }

  // Of what is at least 0, with some room.
  function rangeOf(values) {
    const low = Math.min(...values), high = Math.max(...values), pad = (high - low || 1) * 0.08;
    return values.length ? { low: Math.max(0, low - pad), high: high + pad } : { low: 0, high: 1 };
  }
  function range(block) {
    if (block.metric.is_share) return { low: 0, high: 1 };
    return rangeOf(block.rows.filter((row) => shown.has(row.variant)).flatMap((row) => row.accuracy.flatMap((accuracy) => [accuracy.min, accuracy.max]))
      .concat(block.best_shortcut.filter(Boolean).map((shortcut) => shortcut.value)));
  }

  function addAccuracy() {
    const host = section('accuracy');
    if (data.blocks.every((block) => !block.metric.is_share)) host.querySelector('h2').textContent = data.blocks[0].metric.title + ' against length';
    host.append(html('p', { class: 'note' }, 'Line: mean over seeds. Band: its 95% interval. Faint lines: each seed. ' + (data.blocks.some((block) => block.metric.is_share) ? 'Dots: chance. ' : '') +
      'Dashes and dots: the best shortcut. Hollow marks: given up.'));
    addVariants();
    const charts = html('div', { class: 'charts' });
    host.append(charts);
    data.blocks.forEach((block, place) => {
      const { metric, multiples } = block;
      const at = (row, x) => row.accuracy.find((accuracy) => accuracy.multiple === x);
      const lines = block.rows.map((row) => ({
        variant: row.variant,
        points: row.accuracy.map((one) => ({ x: one.multiple, y: one.mean, low: one.ci95[0], high: one.ci95[1], hollow: one.samples === 0 })),
        seeds: [...new Set(row.accuracy.flatMap((one) => one.seeds.map((seed) => seed.seed)))].map((seed) =>
          row.accuracy.flatMap((one) => one.seeds.filter((own) => own.seed === seed).map((own) => ({ x: one.multiple, y: own.value })))) }));
      const rules = [];
      if (metric.is_share) rules.push({ kind: 'chance', points: multiples.map((x) => ({ x, y: block.chance })) });
      rules.push({ kind: 'shortcut', points: multiples.flatMap((x, i) => block.best_shortcut[i] ? [{ x, y: block.best_shortcut[i].value }] : []) });
      const tip = (x) => {
        const said = block.rows.filter((row) => shown.has(row.variant)).map((row) => {
          const one = at(row, x);
          return [row.variant, row.variant, !one ? '-' : one.samples === 0 ? 'given up'
            : valueText(one.mean, metric) + ' ' + rangeText(one.ci95[0], one.ci95[1], metric) + (one.seeds.length > 1
              ? ', seeds ' + valueText(one.min, metric) + ' to ' + valueText(one.max, metric) : ', 1 seed')];
        });
        const shortcut = block.best_shortcut[multiples.indexOf(x)];
        if (shortcut) said.push([null, 'best shortcut: ' + shortcut.name, valueText(shortcut.value, block.metric)]);
        said.push([null, 'chance', block.chance_text]);
        const first = block.rows.map((row) => at(row, x)).find((one) => one);
        for (const [name, value] of Object.entries(first ? first.quantities : {}))
          said.push([null, name.replaceAll('_', ' ') + ' in a sample', value.toLocaleString('en')]);
        return { head: times(x) + (first ? ', length ' + first.length.toLocaleString('en') : ''), lines: said };
      };
      figure(charts, block.title, () => ({
        x: { values: multiples, log: true, text: times, label: 'test length, in multiples of the training length' },
        y: { ...range(block), text: (tick) => metric.is_share ? Math.round(100 * tick) : short(tick), label: metric.title },
        lines, rules, tip }),
        html('details', {}, html('summary', {}, 'As a table'), html('p', { class: 'note' }, block.caption), grid(block.figures, block.title)));
      charts.lastElementChild.id = 'block-' + place;
    });
  }

  function addDifferences() {
    if (variants.length < 2) return;
    const host = section('differences');
    const charts = html('div', { class: 'charts' });
    const select = (id, value) => {
      const element = html('select', { id, onchange: () => fill() }, variants.map((variant) => html('option', { value: variant }, variant)));
      element.value = value;
      return element;
    };
    const baseline = variants.find((variant) => variant === data.baseline || variant.startsWith(data.baseline + '/')) || variants[0];
    const one = select('difference-one', variants.filter((variant) => variant !== baseline).pop());
    const other = select('difference-other', baseline);
    host.append(html('p', { class: 'note' }, 'One variant minus another, paired by seeds and test samples, with the 95% interval at each length. ' +
        'The sentence is the verdict over all tested lengths, as attnspan compare --baseline' + data.own.map((setting) => ' --own ' + setting).join('') + ' gives it. A pair picked because it looks different proves less than one chosen before.'),
      html('div', { class: 'pickers' }, html('label', {}, 'Variant', one), html('label', {}, 'minus', other)), charts);
    function fill() {
      charts.replaceChildren();
      for (const block of data.blocks) {
        const row = block.rows.find((candidate) => candidate.variant === one.value);
        if (!row || !block.rows.some((candidate) => candidate.variant === other.value)) continue;
        const comparison = row.comparisons[other.value];
        const title = block.title;
        if (!comparison || !comparison.differences) {
          const why = one.value === other.value ? 'One variant twice.' : comparison ? comparison.sentence + '.' : 'Not compared: they differ in more than the attention and the position.';
          charts.append(html('figure', {}, html('h3', {}, breakable(title)), html('p', {}, why)));
          continue;
        }
        const { metric } = block;
        const points = comparison.differences.map((at) => ({ x: at.multiple, y: at.difference, low: at.ci95[0], high: at.ci95[1] }));
        const reach = Math.max(...points.flatMap((point) => [Math.abs(point.y), Math.abs(point.low), Math.abs(point.high)]), 1e-3) * 1.05;
        figure(charts, title, () => ({
          x: { values: points.map((point) => point.x), log: true, text: times, label: 'test length, in multiples of the training length' },
          y: { low: -reach, high: reach, zero: true, text: (tick) => (tick > 0 ? '+' : '') + (metric.is_share ? Number((100 * tick).toPrecision(3)) : short(tick)), label: 'difference' },
          lines: [{ variant: one.value, always: true, points, seeds: [] }],
          tip: (x) => {
            const point = points.find((candidate) => candidate.x === x);
            return { head: times(x), lines: [[one.value, one.value + ' minus ' + other.value, signed(point.y, metric) + ' ' + rangeText(point.low, point.high, metric)]] };
          } }), html('p', { class: 'sentence' }, comparison.sentence + '.'));
      }
    }
    fill();
  }

  function addTraining() {
    const with_curves = data.blocks.filter((block) => block.rows.some((row) => row.curve.length));
    if (!with_curves.length) return;
    const host = section('training');
    const pick = html('select', { id: 'training-figure', onchange: () => redraw() },
      html('option', { value: 'exact_match' }, 'exact match at the training length'), html('option', { value: 'loss' }, 'loss'));
    const charts = html('div', { class: 'charts' });
    host.append(html('p', { class: 'note' }, 'On validation samples, as training went on. Line: mean over the seeds that have the point. Band: lowest to highest seed. Faint lines: each seed.'),
      html('div', { class: 'pickers' }, html('label', {}, 'Shown', pick)), charts);
    if (with_curves.every((block) => block.metric.name === 'bits_per_byte')) pick.value = 'loss';
    for (const block of with_curves)
      figure(charts, block.title, () => {
        const key = pick.value, is_share = key === 'exact_match';
        const steps = [...new Set(block.rows.flatMap((row) => row.curve.map((point) => point.step)))].sort((a, b) => a - b);
        const highest = Math.max(...block.rows.flatMap((row) => row.curve.map((point) => point[key].max || 0)), 1e-6);
        return {
          x: { values: steps, log: false, text: (step) => step.toLocaleString('en'), label: 'steps' },
          y: { low: 0, high: is_share ? 1 : highest * 1.05, text: (tick) => is_share ? Math.round(100 * tick) : short(tick), label: is_share ? 'Exact match in percent' : 'Loss, nats a token' },
          lines: block.rows.map((row) => ({
            variant: row.variant,
            points: row.curve.filter((point) => point[key].mean !== null).map((point) => ({ x: point.step, y: point[key].mean, low: point[key].min, high: point[key].max })),
            seeds: row.cells.map((index) => data.cells[index].curve).map((curve) => curve.step.map((step, i) => ({ x: step, y: curve[key][i] })).filter((point) => point.y !== null)) })),
          tip: (step) => ({ head: 'step ' + step.toLocaleString('en'), lines: block.rows.filter((row) => shown.has(row.variant)).map((row) => {
            const point = row.curve.find((candidate) => candidate.step === step);
            return [row.variant, row.variant, point ? spreadText(point[key], (value) => is_share ? valueText(value, share) : short(value)) : '-'];
          }) }) };
      });
  }

  function addCost() {
    const with_curves = data.blocks.filter((block) => block.metric.name !== 'bits_per_byte' && block.rows.some((row) => row.curve.length));
    if (!with_curves.length) return;
    const host = section('cost');
    host.append(html('p', { class: 'note' }, 'Up to the first point of a training curve with at least 95% exact match on validation samples at the training length: ' +
      'mean over the seeds that got there (lowest to highest). Time is of the machine named under Context.'));
    for (const block of with_curves)
      host.append(html('h3', {}, block.title), grid([['variant', 'seeds that got there', 'steps', 'tokens', 'time'],
        ...block.rows.map((row) => [row.variant, row.cost.seeds + ' of ' + row.cost.of_seeds, spreadText(row.cost.step, short),
          spreadText(row.cost.tokens, short), spreadText(row.cost.seconds, secondsText)])], 'Cost of learning, ' + block.title));
  }

  function addPositions() {
    const with_positions = data.blocks.filter((block) => block.rows.some((row) => row.accuracy.some((one) => one.by_position)));
    if (!with_positions.length) return;
    const host = section('positions');
    const multiples = [...new Set(with_positions.flatMap((block) => block.multiples))].sort((a, b) => a - b);
    const pick = html('select', { id: 'position-multiple', onchange: () => redraw() }, multiples.map((multiple) => html('option', { value: multiple }, times(multiple))));
    pick.value = multiples[multiples.length - 1];
    // The first bytes of a window say little of attention, and would take most of the chart.
    const from = html('select', { id: 'position-from', onchange: () => redraw() }, [1, 16, 256].map((count) => html('option', { value: count }, count.toLocaleString('en'))));
    from.value = 16;
    const charts = html('div', { class: 'charts' });
    host.append(html('p', { class: 'note' }, 'Of the test windows of one length, the bytes that have at most so many bytes before them and more than half as many; ' +
        'all seeds together. Every variant predicts the same bytes, so lines may be compared at each place; along a line the bytes differ.'),
      html('div', { class: 'pickers' }, html('label', {}, 'Tested at', pick), html('label', {}, 'From', from, 'bytes before on')), charts);
    for (const block of with_positions) {
      const longest = block.multiples[block.multiples.length - 1];
      const all = (row, multiple) => (row.accuracy.find((one) => one.multiple === multiple) || {}).by_position || [];
      const places = (points) => [...new Set(points.map((point) => point.before))].sort((a, b) => a - b);
      const columns = places(block.rows.flatMap((row) => all(row, longest)));
      const table = [['variant', ...columns.map((count) => count.toLocaleString('en'))], ...block.rows.map((row) => [row.variant, ...columns.map((count) => {
        const point = all(row, longest).find((candidate) => candidate.before === count);
        return point && point.bits_per_byte !== null ? valueText(point.bits_per_byte, block.metric) : '-';
      })])];
      figure(charts, block.title, () => {
        const at = (row) => all(row, Number(pick.value)).filter((point) => point.before >= Number(from.value));
        const before = places(block.rows.flatMap(at));
        const values = block.rows.filter((row) => shown.has(row.variant)).flatMap((row) => at(row).map((point) => point.bits_per_byte)).filter((value) => value !== null);
        return {
          x: { values: before, log: true, text: (count) => count.toLocaleString('en'), label: 'bytes before, at most' },
          y: { ...rangeOf(values), text: short, label: 'Bits per byte' },
          lines: block.rows.map((row) => ({ variant: row.variant, seeds: [],
            points: at(row).filter((point) => point.bits_per_byte !== null).map((point) => ({ x: point.before, y: point.bits_per_byte, low: point.bits_per_byte, high: point.bits_per_byte })) })),
          tip: (count) => ({ head: 'at most ' + count.toLocaleString('en') + ' bytes before', lines: block.rows.filter((row) => shown.has(row.variant)).map((row) => {
            const point = at(row).find((candidate) => candidate.before === count);
            return [row.variant, row.variant, point ? valueText(point.bits_per_byte, block.metric) : '-'];
          }) }) };
      }, html('details', {}, html('summary', {}, 'As a table, tested at ' + times(longest)),
        html('p', { class: 'note' }, 'Bits per byte of the bytes that have at most so many before them.'), grid(table, 'Bits per byte by position, ' + block.title)));
    }
  }

  function addDepth() {
    const with_depth = data.blocks.filter((block) => block.rows.some((row) => row.accuracy.some((one) => one.depth)));
    if (!with_depth.length) return;
    const host = section('depth');
    host.append(html('p', { class: 'note' }, 'Exact match in percent by where in the sequence the hidden thing lay, in tenths from the start, all seeds together. In the cells\' titles: samples and 95% intervals.'));
    for (const block of with_depth) {
      host.append(html('h3', {}, block.title));
      const charts = html('div', { class: 'charts' });
      host.append(charts);
      for (const row of block.rows) {
        const tests = row.accuracy.filter((one) => one.depth);
        if (!tests.length) continue;
        const head = ['length', ...tests[0].depth.samples.map((_, i) => 10 * i + '-' + (10 * i + 10) + '%')];
        charts.append(html('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Depth, ' + row.variant },
          html('table', {}, html('caption', {}, row.variant),
            html('thead', {}, html('tr', {}, head.map((cell) => html('th', { scope: 'col' }, cell)))),
            html('tbody', {}, tests.map((one) => html('tr', {}, html('th', { scope: 'row' }, times(one.multiple)),
              one.depth.exact_match.map((value, i) => {
                const level = value === null ? 0 : Math.min(4, Math.floor(value * 4 + 1e-9));
                return html('td', { class: 'level' + level, style: 'color: var(--level-ink)', title: value === null ? 'no sample'
                  : one.depth.exact[i] + ' of ' + one.depth.samples[i] + ' ' + rangeText(one.depth.ci95[i][0], one.depth.ci95[i][1], share) },
                  value === null ? '-' : Math.round(100 * value));
              })))))));
      }
    }
  }

  function addDiagnosis() {
    const measures = data.diagnosis_measures.filter(({ name }) => data.blocks.some((block) => block.rows.some((row) => row.diagnosis[name])));
    if (!measures.length) return;
    const host = section('diagnosis');
    const pick = html('select', { id: 'diagnosis-figure', onchange: () => redraw() },
      measures.map(({ name, title }) => html('option', { value: name }, title)));
    const charts = html('div', { class: 'charts' });
    host.append(html('p', { class: 'note' }, 'Of the rows in the second half of some test samples. Line: mean over seeds. Band: lowest to highest seed. ' +
      'An entropy near 100% is attention that is spread evenly over everything.'),
      html('div', { class: 'pickers' }, html('label', {}, 'Shown', pick)), charts);
    for (const block of data.blocks) {
      if (!block.rows.some((row) => Object.keys(row.diagnosis).length)) continue;
      figure(charts, block.title, () => {
        const { name, title, is_share } = measures.find((measure) => measure.name === pick.value);
        const of = (row) => row.diagnosis[name] || [];
        const multiples = [...new Set(block.rows.flatMap((row) => of(row).map((point) => point.multiple)))].sort((a, b) => a - b);
        const highest = Math.max(...block.rows.flatMap((row) => of(row).map((point) => point.max)), 1e-6);
        return {
          x: { values: multiples, log: true, text: times, label: 'test length, in multiples of the training length' },
          y: { low: 0, high: is_share ? 1 : highest * 1.05, text: (tick) => is_share ? Math.round(100 * tick) : short(tick), label: is_share ? title.split(',')[0] + ', percent' : title.split(',')[0] },
          lines: block.rows.map((row) => ({ variant: row.variant, seeds: [], points: of(row).map((point) => ({ x: point.multiple, y: point.mean, low: point.min, high: point.max })) })),
          tip: (x) => ({ head: times(x), lines: block.rows.filter((row) => shown.has(row.variant)).map((row) => {
            const point = of(row).find((candidate) => candidate.multiple === x);
            return [row.variant, row.variant, point ? spreadText(point, (value) => is_share ? valueText(value, share) : short(value)) : '-'];
          }) }) };
      });
    }
  }

  function addErrors() {
    const with_errors = data.blocks.filter((block) => block.rows.some((row) => row.accuracy.some((one) => one.errors)));
    if (!with_errors.length) return;
    const host = section('errors');
    host.append(html('p', { class: 'note' }, 'Share of the wrong answer tokens, of all seeds together, that are of a kind, in percent; in parentheses that of ' +
      'wrong answers drawn at random from what is named under each table. A token may be of several kinds.'));
    const percent = (value) => value === null ? '-' : String(Math.round(100 * value));
    for (const block of with_errors) {
      host.append(html('h3', {}, breakable(block.title)));
      for (const row of block.rows) {
        const tests = row.accuracy.filter((one) => one.errors);
        if (!tests.length) continue;
        const kinds = Object.keys(tests[0].errors.kinds).filter((kind) => tests.some((one) => one.errors.kinds[kind]?.wrong));
        const lines = [[row.variant, ...tests.map((one) => times(one.multiple))],
          ['wrong tokens', ...tests.map((one) => one.errors.wrong + ' of ' + one.errors.answers)],
          ...kinds.map((kind) => [kind, ...tests.map(({ errors }) => {
            const { share: seen, random_share: random } = errors.kinds[kind] || {};
            return errors.wrong && seen !== undefined ? percent(seen) + ' (' + percent(random) + ')' : '-';
          })])];
        host.append(grid(lines, 'Wrong answers, ' + row.variant),
          html('p', { class: 'note' }, 'Drawn from ' + tests[0].errors.guess + '.'));
      }
    }
  }

  function addCells() {
    const host = section('cells');
    const count = html('span', { class: 'note', role: 'status' });
    const body = html('tbody', {}, data.cells.map((cell) => html('tr', {},
      html('th', { scope: 'row' }, cell.key),
      html('td', { class: cell.status === 'done' ? 'text' : 'text lost' }, cell.status + (cell.message ? ': ' + cell.message : '')),
      html('td', {}, cell.parameters.toLocaleString('en')), html('td', {}, cell.steps.toLocaleString('en')),
      html('td', {}, cell.loss === null ? '-' : short(cell.loss)), html('td', {}, secondsText(cell.seconds)),
      html('td', { class: 'text' }, html('div', { class: 'command' }, html('code', {}, cell.command),
        html('button', { type: 'button', 'aria-label': 'Copy the command of ' + cell.key, onclick: (event) => copy(cell.command, event.currentTarget) }, 'Copy'))))));
    const filter = () => {
      const wanted = search.value.toLowerCase().split(/\s+/);
      let seen = 0;
      [...body.rows].forEach((row, i) => {
        const { key, status, message } = data.cells[i];
        const text = (key + ' ' + status + ' ' + message).toLowerCase();
        row.hidden = !wanted.every((word) => text.includes(word));
        seen += row.hidden ? 0 : 1;
      });
      count.textContent = seen + ' of ' + data.cells.length;
    };
    const search = html('input', { type: 'search', id: 'cell-filter', placeholder: 'key or status', oninput: filter });
    host.append(html('p', { class: 'note' }, 'Every cell, and the command that trains it again: it compares every figure, or, where there is no result, runs the cell once more.'),
      html('div', { class: 'pickers' }, html('label', {}, 'Only', search), count),
      html('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Cells' }, html('table', {},
        html('thead', {}, html('tr', {}, ['cell', 'status', 'parameters', 'steps', 'loss', 'training', 'to run it again'].map((cell) => html('th', { scope: 'col' }, cell)))), body)));
    filter();
  }
  async function copy(text, button) {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(button.previousElementSibling);
      button.textContent = 'Selected';
    }
  }

  function addContext() {
    const host = section('context');
    for (const { file, context, spec } of data.results)
      host.append(html('h3', {}, file), grid([['', ''], ...Object.entries(context).map(([name, value]) =>
        [name, typeof value === 'object' ? JSON.stringify(value) : String(value)])], 'Context of ' + file),
        html('details', {}, html('summary', {}, 'The sweep that was asked for'), html('pre', { tabindex: 0 }, JSON.stringify(spec, null, 2))));
    host.append(html('p', { class: 'note' }, 'Tuned: ' + data.selection_rule));
  }

  addTools();
  addMatrix();
  addAccuracy();
  addDifferences();
  addTraining();
  addCost();
  addPositions();
  addDepth();
  addDiagnosis();
  addErrors();
  addCells();
  addContext();
})();
