// One figure of an explorer: axes, lines and handles in an SVG, drawn by D3.
import {
  area, axisBottom, axisLeft, contours, curveStepAfter, drag, line, scaleLinear, scaleLog, select,
} from "./vendor/d3.js";
import { clamp, fixed, sum } from "./numbers.js";

const GAP = 16; // pixels between two panels
const BELOW = 8; // and where one stands below the other
const KNOB = 8; // radius of a handle's knob in pixels
const MARGIN = { top: 14, right: 16, bottom: 42, left: 54 };

// The colour map "cividis" of the figures, in sixteenths: from low to high, by day and by night.
const CIVIDIS = ("00224e 002e6a 1a386f 32436d 434e6c 535a6d 61656f 6f7073 7d7c78 8c8878 9b9476 " +
  "aba072 bcae6c cdbb63 dec958 f0d846 fee838").split(" ").map((hex) =>
  [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16)));

// Its colour at a share of the way, 0 to 1.
export function cividis(share) {
  const at = clamp(share, 0, 1) * (CIVIDIS.length - 1);
  const i = Math.min(Math.floor(at), CIVIDIS.length - 2);
  return `rgb(${CIVIDIS[i].map((from, j) =>
    Math.round(from + (at - i) * (CIVIDIS[i + 1][j] - from)))})`;
}

// A panel with room `box` for itself and its axes' labels. Every method draws in data's units.
class Panel {
  constructor(root, box, id, kept, widthOf) {
    this.id = id;
    this.widthOf = widthOf;
    this.kept = kept;
    this.root = root.append("g");
    this.box = box;
    this.left = box.x + MARGIN.left;
    this.right = box.x + box.width - MARGIN.right;
    this.top = box.y + MARGIN.top;
    this.bottom = box.y + box.height - MARGIN.bottom;
    this.marks = this.root.append("g");
  }

  // Axes: {x: {domain: [low, high], label, log, format, values}, y: {...}}.
  axes({ x, y }) {
    const scale = (axis, range) =>
      (axis.log ? scaleLog() : scaleLinear()).domain(axis.domain).range(range);
    this.y = scale(y, [this.bottom, this.top]);
    this.left = Math.max(this.left, this.box.x + 32 + this.widest(y));
    this.x = scale(x, [this.left, this.right]);
    const ticks = (make, axis, at, room) => {
      const made = make(at).tickSizeOuter(0).tickPadding(6);
      if (axis.values) made.tickValues(axis.values).tickFormat(axis.format ?? ((v) => fixed(v)));
      else made.ticks(room, axis.format);
      if (axis.format && !axis.values) made.tickFormat(axis.format);
      return made;
    };
    this.root.append("g").attr("class", "axis").attr("transform", `translate(0,${this.bottom})`)
      .call(ticks(axisBottom, x, this.x, Math.max(2, (this.right - this.left) / 80)));
    this.root.append("g").attr("class", "axis").attr("transform", `translate(${this.left},0)`)
      .call(ticks(axisLeft, y, this.y, Math.max(2, (this.bottom - this.top) / 50)));
    this.root.append("text").attr("class", "axis-label").attr("text-anchor", "middle")
      .attr("x", (this.left + this.right) / 2).attr("y", this.bottom + 36).text(x.label);
    this.root.append("text").attr("class", "axis-label").attr("text-anchor", "middle")
      .attr("transform", `translate(${this.box.x + 13},${(this.top + this.bottom) / 2}) rotate(-90)`)
      .text(y.label);
    const clip = `clip-${this.id}`;
    this.root.append("clipPath").attr("id", clip).append("rect")
      .attr("x", this.left).attr("y", this.top - 6)
      .attr("width", this.right - this.left + 6).attr("height", this.bottom - this.top + 12);
    this.marks.attr("clip-path", `url(#${clip})`);
    return this;
  }

  // About as many pixels as the widest number at the y-axis takes.
  widest({ values, format }) {
    const room = Math.max(2, (this.bottom - this.top) / 50);
    const write = typeof format === "function" ? format : this.y.tickFormat(room, format);
    const wide = (v) => sum([...write(v)].map((c) => (",.".includes(c) ? 4 : 8)));
    return Math.max(...(values ?? this.y.ticks(room)).map(wide));
  }

  // A line through [[x, y], ...]; `step`: as stock moves, level until the next point.
  line(points, color, { width = 1.8, dash = null, step = false } = {}) {
    const path = line((p) => this.x(p[0]), (p) => this.y(p[1])).defined((p) => isFinite(p[1]));
    if (step) path.curve(curveStepAfter);
    this.marks.append("path").attr("class", "line").style("stroke", `var(--explorer-${color})`)
      .attr("stroke-width", width).attr("stroke-dasharray", dash).attr("d", path(points));
    return this;
  }

  // The area between two curves: [[x, low, high], ...].
  area(points, color, { opacity = 0.25, step = false } = {}) {
    const shape = area().x((p) => this.x(p[0])).y0((p) => this.y(p[1])).y1((p) => this.y(p[2]));
    if (step) shape.curve(curveStepAfter);
    this.marks.append("path").style("fill", `var(--explorer-${color})`)
      .attr("fill-opacity", opacity).attr("d", shape(points));
    return this;
  }

  // Dots at [[x, y], ...].
  dots(points, color, { radius = 4, hollow = false } = {}) {
    for (const [x, y] of points) {
      const dot = this.marks.append("circle").attr("cx", this.x(x)).attr("cy", this.y(y))
        .attr("r", radius).style(hollow ? "stroke" : "fill", `var(--explorer-${color})`);
      if (hollow) dot.style("fill", "none").attr("stroke-width", 2);
    }
    return this;
  }

  // Bars from zero, or from a height of their own: [[from, to, height, base], ...].
  bars(bars, color, { opacity = 0.6 } = {}) {
    for (const [from, to, height, base = 0] of bars) {
      this.marks.append("rect").attr("x", this.x(from)).attr("y", this.y(Math.max(height, base)))
        .attr("width", Math.max(0.5, this.x(to) - this.x(from) - 1))
        .attr("height", Math.abs(this.y(height) - this.y(base)))
        .style("fill", `var(--explorer-${color})`).attr("fill-opacity", opacity);
    }
    return this;
  }

  // A map of heights: `heights` has a row for each of `ys`, one after another, with a number for
  // each of `xs`. There is a line at each of the increasing `levels`, and the higher, the darker.
  // Lines are labelled, the lowest first and as long as there is room, to the left and the right of
  // `from`, a point [x, y] that itself keeps clear of labels.
  contours(xs, ys, heights, levels, color, { format = fixed, shade = 0.05, from = null } = {}) {
    const [columns, rows] = [xs.length, ys.length];
    const [px, py] = [xs.map(this.x), ys.map(this.y)];
    // d3 counts from the border of the first cell, whose middle is at 0.5. A map ends at its border,
    // which is no line of equal height.
    const place = (at, pixels) => {
      const i = clamp(Math.floor(at - 0.5), 0, pixels.length - 2);
      return (pixels[i] + clamp(at - 0.5 - i, 0, 1) * (pixels[i + 1] - pixels[i])).toFixed(1);
    };
    const point = ([x, y]) => `${place(x, px)},${place(y, py)}`;
    const onBorder = ([x, y]) => x <= 0 || x >= columns || y <= 0 || y >= rows;
    for (const { coordinates } of contours().size([columns, rows]).thresholds(levels)(heights)) {
      const rings = coordinates.flat();
      const lines = rings.map((ring) => ring.map((at, i) =>
        (i === 0 || onBorder(ring[i - 1]) || onBorder(at) ? "M" : "L") + point(at)).join(""));
      this.marks.append("path").style("fill", `var(--explorer-${color})`)
        .attr("fill-opacity", shade).attr("fill-rule", "evenodd")
        .attr("d", rings.map((ring) => `M${ring.map(point).join("L")}Z`).join(""));
      this.marks.append("path").attr("class", "line").style("stroke", `var(--explorer-${color})`)
        .attr("stroke-width", 1).attr("d", lines.join(""));
    }
    if (from !== null) this.labelContours(px, ys, heights, levels, color, { format, from });
    return this;
  }

  labelContours(px, ys, heights, levels, color, { format, from: [x, y] }) {
    const j = clamp(ys.findIndex((other) => other >= y), 1, ys.length - 1);
    const share = (y - ys[j - 1]) / (ys[j] - ys[j - 1]);
    const height = (i) =>
      (1 - share) * heights[(j - 1) * px.length + i] + share * heights[j * px.length + i];
    const taken = [[this.x(x), 12]];
    for (const level of levels) {
      const words = format(level);
      const room = 4.4 * words.length; // half of what they take
      for (let i = 1; i < px.length; i++) {
        const [a, b] = [height(i - 1) - level, height(i) - level];
        if (a < 0 === b < 0) continue;
        const at = px[i - 1] + (a / (a - b)) * (px[i] - px[i - 1]);
        if (at < this.left + room || at > this.right - room) continue;
        if (taken.some(([other, its]) => Math.abs(at - other) < room + its)) continue;
        taken.push([at, room]);
        this.root.append("text").attr("class", "words").attr("text-anchor", "middle")
          .attr("x", at).attr("y", this.y(y) + 4)
          .style("fill", `var(--explorer-${color}-ink)`).text(words);
      }
    }
  }

  // Words above the panel, in its middle.
  title(words) {
    this.root.append("text").attr("class", "words").attr("text-anchor", "middle")
      .attr("x", (this.left + this.right) / 2).attr("y", this.top - 5).text(words);
    return this;
  }

  // A map of unit cells: [[x, y, value], ...], their middles and what they hold, coloured from
  // `low` to `high`, with the values written in; `framed(value)` says which ones have a frame.
  // Cells that are as they were stay in the page: there are many, and few change at a time.
  cells(cells, { low, high, text = fixed, framed = () => false }) {
    const wide = Math.abs(this.x(1) - this.x(0));
    const tall = Math.abs(this.y(1) - this.y(0));
    const looks = cells.map(([x, y, value]) =>
      [this.x(x), this.y(y), wide, tall, (value - low) / (high - low), text(value), framed(value)]);
    this.kept.datum(true).selectAll("g").data(looks).join("g").each(function (look) {
      if (this.look === `${look}`) return;
      this.look = `${look}`;
      const [x, y, , , share, words, hasFrame] = look;
      const ink = share > 0.55 ? "black" : "white";
      const cell = select(this).attr("transform", `translate(${x},${y})`);
      this.replaceChildren();
      const rect = (w, h) => cell.append("rect").attr("x", -w / 2).attr("y", -h / 2)
        .attr("width", w).attr("height", h);
      rect(wide + 1, tall + 1).attr("fill", cividis(share)) // larger, so that there are no seams
        .attr("shape-rendering", "crispEdges");
      if (hasFrame)
        rect(0.8 * wide, 0.8 * tall).attr("fill", "none").attr("stroke", ink)
          .attr("stroke-width", 1.5);
      cell.append("text").attr("text-anchor", "middle").attr("y", 4.5).style("fill", ink)
        .text(words);
    });
    return this;
  }

  // A straight line across the panel: {x} upright or {y} level.
  rule({ x, y }, color, { dash = "4 3", width = 1.4 } = {}) {
    const [x0, y0, x1, y1] = x === undefined
      ? [this.left, this.y(y), this.right, this.y(y)]
      : [this.x(x), this.top, this.x(x), this.bottom];
    this.marks.append("line").attr("x1", x0).attr("y1", y0).attr("x2", x1).attr("y2", y1)
      .style("stroke", `var(--explorer-${color})`).attr("stroke-width", width)
      .attr("stroke-dasharray", dash);
    return this;
  }

  // Words at a place; {dx, dy} move them by pixels. They stay inside the panel's width, if need be
  // on the other side of their place, unless `free`: where they may be many, or stand outside.
  text(x, y, words, color = "total", { anchor = "start", dx = 6, dy = -6, free = false } = {}) {
    let at = this.x(x) + dx;
    if (!free) {
      const width = this.widthOf(words);
      const share = { start: 0, middle: 0.5, end: 1 }[anchor];
      const [low, high] = [this.left + 2, this.right + 14 - width];
      const fits = (from) => from >= low && from <= high;
      const other = this.x(x) - dx - width * (1 - share);
      const from = at - width * share;
      const near = clamp(from, low, high);
      const over = Math.abs(near - from) > Math.abs(dx) / 2; // would come upon its place
      at = (over && anchor !== "middle" && fits(other) ? other : near) + width * share;
    }
    this.root.append("text").attr("class", "words").attr("text-anchor", anchor)
      .attr("x", at).attr("y", this.y(y) + dy)
      .style("fill", `var(--explorer-${color}-ink)`).text(words);
    return this;
  }

  // What lines mean, in a corner of the panel: [{words, color, dash}, ...], in columns; a `ring`
  // stands for hollow dots. On a `ground` of its own where lines may run below it.
  legend(items, { corner = "top right", columns = 1, ground = false } = {}) {
    const [row, sample] = [18, 24]; // pixels
    const rows = Math.ceil(items.length / columns);
    const under = ground && this.root.append("rect").attr("class", "ground");
    const made = items.map(({ words, color, dash = null, ring = false }) => {
      const group = this.root.append("g");
      const mark = ring
        ? group.append("circle").attr("cx", (sample - 6) / 2).attr("r", 5).attr("fill", "none")
        : group.append("line").attr("x2", sample - 6).attr("stroke-dasharray", dash);
      mark.attr("stroke-width", 1.8).style("stroke", `var(--explorer-${color})`);
      group.append("text").attr("class", "words").attr("x", sample).attr("y", 4)
        .style("fill", `var(--explorer-${color}-ink)`).text(words);
      return group;
    });
    const lengths = items.map(({ words }) => this.widthOf(words));
    const widths = Array.from({ length: columns }, (_, i) =>
      sample + 14 + Math.max(0, ...lengths.slice(i * rows, (i + 1) * rows)));
    const x = corner.endsWith("left") ? this.left + 8 : this.right - sum(widths) + 14;
    const y = corner.startsWith("top") ? this.top + 8 : this.bottom - rows * row + 2;
    if (under)
      under.attr("x", x - 4).attr("y", y - 10).attr("width", sum(widths)).attr("height", rows * row + 4);
    made.forEach((group, i) => {
      const before = sum(widths.slice(0, Math.floor(i / rows)));
      group.attr("transform", `translate(${x + before},${y + (i % rows) * row})`);
    });
    return this;
  }
}
let plots = 0;

// The figure: panels beside each other, or below each other where the page is narrow.
export class Plot {
  constructor(svg) {
    this.svg = svg;
    this.id = plots++;
    this.under = svg.append("g").attr("aria-hidden", "true"); // what may stay from drawing to drawing
    this.back = svg.append("g").attr("aria-hidden", "true");
    this.front = svg.append("g");
    this.widths = new Map();
  }

  // Pixels that words take. Asked of the figure itself, every answer would lay out the page anew.
  widthOf(words) {
    if (!this.widths.has(words)) {
      if (!this.pen) {
        this.pen = document.createElement("canvas").getContext("2d");
        this.pen.font = `13px ${getComputedStyle(this.svg.node()).fontFamily}`;
      }
      if (this.widths.size > 999) this.widths.clear();
      this.widths.set(words, this.pen.measureText(words).width);
    }
    return this.widths.get(words);
  }

  // Begin a drawing of `count` panels, each about `ratio` times as high as it is wide (`stacked`:
  // one below the other on every page, each with a ratio of its own); its `width` in pixels is
  // the page's.
  begin({ count = 1, ratio = 0.6, stacked = false } = {}) {
    const { width } = this;
    this.narrow = width < 560;
    const columns = this.narrow || stacked ? 1 : count;
    const wide = (width - (columns - 1) * GAP) / columns;
    const ratios = Array.from({ length: count }, (_, i) =>
      stacked ? [ratio].flat()[i] ?? ratio : this.narrow ? 0.75 : ratio);
    const highs = ratios.map((of) => Math.round(clamp(wide * of, 220, 420)));
    const above = highs.map((_, i) => (columns > 1 ? 0 : sum(highs.slice(0, i)) + i * BELOW));
    this.height = above[count - 1] + highs[count - 1];
    this.svg.attr("viewBox", `0 0 ${width} ${this.height}`).attr("height", this.height);
    this.back.node().replaceChildren();
    this.handles = [];
    const kept = this.under.selectAll("g.kept").data(Array(count).fill(false)).join("g")
      .attr("class", "kept").nodes();
    return highs.map((high, i) => new Panel(this.back, {
      x: columns > 1 ? i * (wide + GAP) : 0, y: above[i], width: wide, height: high,
    }, `${this.id}-${i}`, select(kept[i]), (words) => this.widthOf(words)));
  }

  // Something to take hold of, at (x, y) of a panel. `moves` maps an axis to the parameter that
  // it changes, {y: "S"}; `along` draws a line across the panel that can be dragged as a whole.
  // Where the axis shows something else than the parameter, `means` says what a place on it stands
  // for, {x: (date) => date - ordered}.
  handle(panel, { id, label, x, y, moves, means = {}, along = null, color = "total" }) {
    this.handles.push({
      id, label, panel, moves, means, along, color, px: panel.x(x), py: panel.y(y),
    });
  }

  // Of the handles that a panel has, the one whose knob is nearest to the pointer, or whose line,
  // where no knob is: they may lie closer together than a finger is wide.
  nearest({ x, y }, held) {
    const far = ({ px, py, along }) => Math.min(
      Math.hypot(x - px, y - py),
      along ? Math.max(KNOB, Math.abs(along === "y" ? y - py : x - px)) : Infinity,
    );
    const now = this.handles.find(({ id }) => id === held.id);
    return this.handles.filter(({ panel }) => panel === now.panel)
      .reduce((best, handle) => (far(handle) < far(best) ? handle : best), now);
  }

  // Put the handles in place; the ones of before stay, so that focus and a drag stay too.
  end({ onMove, onKey, valueOf, textOf }) {
    this.under.selectAll("g.kept").filter((used) => !used).each(function () { this.replaceChildren(); });
    this.front.selectAll("g.handle").data(this.handles, (handle) => handle.id).join((enter) => {
      const made = enter.append("g").attr("class", "handle").attr("role", "slider")
        .attr("tabindex", 0).on("keydown", (event, handle) => onKey(event, handle));
      made.append("line").attr("class", "grip");
      made.append("line").attr("class", "along");
      made.append("circle").attr("class", "grip").attr("r", 20);
      made.append("circle").attr("class", "knob").attr("r", KNOB);
      made.call(drag()
        .subject((event, handle) => {
          const { px, py, id } = this.nearest(event, handle);
          return { x: px, y: py, id };
        })
        .on("drag", ({ x, y, subject }) => {
          // The handle of now: the drag began with that of an earlier drawing.
          const now = this.handles.find(({ id }) => id === subject.id);
          if (!now) return;
          const { panel, moves, means } = now;
          const to = {};
          for (const [axis, at] of [["x", x], ["y", y]])
            if (moves[axis]) to[moves[axis]] = (means[axis] ?? Number)(panel[axis].invert(at));
          onMove(to);
        }));
      return made;
    }).each(function (handle) {
      const node = select(this);
      const main = handle.moves.x ?? handle.moves.y;
      const [low, high, now] = valueOf(main);
      node.style("--explorer-handle", `var(--explorer-${handle.color})`)
        .style("cursor", handle.moves.x && handle.moves.y ? "move" : handle.moves.x ? "ew-resize" : "ns-resize")
        .attr("aria-label", handle.label).attr("aria-valuemin", low).attr("aria-valuemax", high)
        .attr("aria-valuenow", now)
        .attr("aria-valuetext", Object.values(handle.moves).map(textOf).join(", "))
        .attr("aria-orientation", handle.moves.x ? "horizontal" : "vertical");
      node.selectAll("circle").attr("cx", handle.px).attr("cy", handle.py);
      const { left, right, top, bottom } = handle.panel;
      const ends = { x: [handle.px, top, handle.px, bottom], y: [left, handle.py, right, handle.py] };
      const [x1, y1, x2, y2] = ends[handle.along] ?? [handle.px, handle.py, handle.px, handle.py];
      node.selectAll("line").attr("x1", x1).attr("y1", y1).attr("x2", x2).attr("y2", y2);
    });
  }
}
