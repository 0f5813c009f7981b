// Lecture "Where s and S come from": the line that a K-convex curve never crosses.
import { fixed } from "./numbers.js";
import { convexity, ordering } from "./periodic.js";

const SEEN = 1e-6; // € by which a curve must rise above a line

// The curve with its hill raised by `hill`, as a tent over the stocks [from, top, to].
export const raised = ({ curve, tent: [from, top, to] }, hill) => curve.map((H, y) =>
  H + hill * Math.max(0, Math.min((y - from) / (top - from), (to - y) / (to - top))));

// From at most 12 units, and from 33 to 41.
export function inWords(runs) {
  if (runs.length === 0) return "One never orders.";
  const words = runs.map(([from, to]) =>
    from === 0 ? `at most ${to}` : from === to ? `${from}` : `${from} to ${to}`);
  return `One orders from ${words.join(", and from ")} units.`;
}

export const kconvex = {
  // x stays to the left of z.
  mend: ({ x, z }, moved) => (x < z ? {} : moved.includes("z") ? { x: z - 1 } : { z: x + 1 }),

  draw(plot, { x, z, K, hill }, given) {
    const H = raised(given, hill);
    const height = (y) => H[x] + ((y - x) / (z - x)) * (H[z] + K - H[x]);
    const stocks = H.map((_, y) => y);
    const between = stocks.slice(x, z + 1);
    const over = between.reduce((a, b) => (H[b] - height(b) > H[a] - height(a) ? b : a));
    const crossed = H[over] - height(over) > SEEN;
    const runs = ordering(H, K);
    const needs = convexity(H);

    const [panel] = plot.begin();
    panel.axes({
      x: { domain: [0, H.length - 1], label: "Stock after ordering y (units)" },
      y: { domain: [-14, given.highest], label: "H(y) above its least (€)" },
    });
    for (const [from, to] of runs)
      panel.area([[from - 0.5, -10, -4], [to + 0.5, -10, -4]], "setup", { opacity: 0.9 });
    if (runs.length) panel.text(runs[runs.length - 1][1], -7, "order", "setup", { dy: 4, dx: 10 });
    panel.line(stocks.map((y) => [y, H[y]]), "holding");
    const above = (y) => (H[y] - height(y) > SEEN ? H[y] : NaN);
    panel.line(between.map((y) => [y, above(y)]), "backorder", { width: 4 });
    panel.line([[z, H[z]], [z, H[z] + K]], "setup", { dash: "4 3" });
    panel.text(z, H[z] + K / 2, "K", "setup", { dx: 6, dy: 4 });
    panel.line([[x, H[x]], [z, H[z] + K]], "total");
    const ends = [["x", x, "the line's left end x"], ["z", z, "the place z on its right"]];
    for (const [id, at, words] of ends)
      plot.handle(panel, { id, label: words, x: at, y: H[at], moves: { x: id }, color: "holding" });
    plot.handle(panel, {
      id: "K", label: "cost of an order K", x: z, y: H[z] + K, moves: { y: "K" },
      means: { y: (level) => level - H[z] }, color: "setup",
    });
    const top = given.tent[1];
    plot.handle(panel, {
      id: "hill", label: "the hill", x: top, y: H[top], moves: { y: "hill" },
      means: { y: (level) => level - given.curve[top] }, color: "neutral",
    });

    const only = `K-convex only for K of ${fixed(needs, 1)} € and more. ${inWords(runs)}`;
    if (crossed)
      return `At y = ${over} the curve rises ${fixed(H[over] - height(over), 1)} € above the ` +
        `line: it is ${only}`;
    if (needs > K + SEEN) return `This line is not crossed, but another one is: ${only}`;
    return `No line is crossed, wherever it is put: the curve is K-convex for K of ` +
      `${fixed(needs, 1)} € and more. ${inWords(runs)}`;
  },
};
