// Lecture "A stock that expires": what to sell off and to order, for every stock of two classes.
import { createModel, cutPoisson, grid, solve } from "./expiry.js";
import { fixed, percent, sum } from "./numbers.js";

export const LEVELS = 10;
export const MOST = LEVELS - 1;
const units = Array.from({ length: LEVELS }, (_, i) => i);

// A stock of two classes that the reader moves, from where the data has it.
export const movedStock = (names, start) => names.map((name, i) =>
  ({ name, values: units, texts: units.map(String), start: start[i] }));

// A map over two classes, (0, ..., k - 1)^2, of the numbers in `table`, the first class first.
export function unitMap(panel, table, { x, y, title, frames = false }) {
  const axis = (label) => ({ domain: [-0.5, LEVELS - 0.5], label, values: units });
  panel.axes({ x: axis(x), y: axis(y) });
  panel.title(title);
  panel.cells(
    [...table].map((value, i) => [Math.floor(i / LEVELS), i % LEVELS, value]),
    { low: 0, high: MOST, framed: (value) => frames && value === MOST },
  );
}

// Where a stock (x, y) stands on such a map: a ring around its cell, and, where it `moves`
// parameters, a knob at the ring's corner.
export function pick(plot, panel, [x, y], moves = null, label = "") {
  const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]];
  panel.line(corners.map(([dx, dy]) => [x + dx / 2, y + dy / 2]), "backorder", { width: 3.5 });
  if (!moves) return;
  // The knob stands at the corner, so that the number can be read.
  const means = { x: (at) => at - 0.5, y: (at) => at - 0.5 };
  plot.handle(panel, {
    id: "stock", label, x: x + 0.5, y: y + 0.5, moves, means, color: "backorder",
  });
}

export const expiring = {
  extra: (given) => movedStock(["x1", "x2"], given.stock),

  draw(plot, p, given) {
    const model = createModel({
      m: 2, k: LEVELS, pmf: cutPoisson(p.mean, 19), s: p.salvage, r: p.price, h: p.holding,
      θ: p.disposal,
    });
    const { values, kept, depletion, order } = solve(model, given.num_periods);
    const panels = plot.begin({ count: 2, ratio: 0.96 });
    const framed = order.includes(MOST) ? `; framed: the limit of ${MOST}` : "";
    for (const [panel, table, title] of [
      [panels[0], depletion, "Sell off z (units)"],
      [panels[1], order, `Order q (units${framed})`],
    ]) {
      unitMap(panel, table, {
        x: "Oldest class x₁ (units)", y: "Next class x₂ (units)", title, frames: table === order,
      });
      const moves = table === depletion ? { x: "x1", y: "x2" } : null;
      pick(plot, panel, [p.x1, p.x2], moves, "this morning's stock");
    }
    const x = p.x1 * LEVELS + p.x2;
    const [z, q] = [depletion[x], order[x]];
    const soldOne = p.salvage + values[grid(model).parents[x]];
    const other = z > 0
      ? `keeping all would cost her ${fixed(values[x] - kept[x], 2)} €`
      : `selling off one would cost her ${fixed(values[x] - soldOne, 2)} €`;
    const share = depletion.filter((units) => units > 0).length / depletion.length;
    return `Of the stock (${p.x1}, ${p.x2}) she sells off ${z} and orders ${q}` +
      `${x > 0 ? `; ${other}` : ""}. Something is sold off in ${percent(share, 0)} of ` +
      "the stocks; " +
      `on average over them she orders ${fixed(sum([...order]) / order.length, 1)}.`;
  },
};
