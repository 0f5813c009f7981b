// Lecture "Cross-sections": firms drawn at random, and the exact density of their stock.
import { line } from "./crowd.js";
import { crossSection as crossSectionOf, marginal, peak, stationary } from "./crowd_law.js";
import { fixed, last, roundUp } from "./numbers.js";
import { key, uniform } from "./random.js";
import { atMostS } from "./restocks.js";

const BINS = 50;
const inOrder = last((of, count) => uniform(of, count).sort());
const keyOf = last(key);
const tooth = last((s, S, μ, σ) => Math.round(1 / stationary({ s, S, μ, σ }).waiting));

export const crossSection = {
  customers: true,

  mend: atMostS,

  draw(plot, p, { μ, key: first, most_stock: most }, seed) {
    const params = { s: p.s, S: p.S, μ, σ: p.σ };
    const law = marginal(params, p.x_init, p.date);
    const uniforms = inOrder(seed ? keyOf(seed) : first, p.num_firms);
    const sample = crossSectionOf(params, p.x_init, p.date, uniforms, BINS);
    const density = line(p.s, law);
    let high = density.reduce((top, [, y]) => Math.max(top, y), 0);
    const until = p.date + tooth(p.s, p.S, μ, p.σ);
    for (let t = p.date + 2; t <= until; t += 2)
      high = Math.max(high, peak(params, p.x_init, t));
    const roof = 1.15 * roundUp(high);
    const [panel] = plot.begin();
    panel.axes({
      x: { domain: [0, most], label: "Inventory (units)" },
      y: { domain: [0, roof], label: "Density (per unit)" },
    });
    const width = p.S / BINS;
    const bars = Array.from(sample.counts, (n, i) =>
      [i * width, (i + 1) * width, n / (p.num_firms * width)]);
    panel.bars(bars, "inventory", { opacity: 0.4 });
    panel.line(density, "inventory");
    for (const [id, label, name, y, where] of [
      ["x_init", "starting stock X₀", "X₀", roof, { dx: 12, dy: 14 }],
      ["s", "restock point s", "s", 0, { dx: -12, dy: -10, anchor: "end" }],
      ["S", "order-up-to level S", "S", 0, { dx: 12, dy: -10 }],
    ]) {
      panel.rule({ x: p[id] }, "neutral", { dash: id === "x_init" ? "1 4" : "4 3" });
      panel.text(p[id], y, `${name} = ${fixed(p[id])}`, "neutral", where);
      plot.handle(panel, {
        id, label, x: p[id], y, moves: { x: id }, along: "x", color: "neutral",
      });
    }
    return `At date ${fixed(p.date)} the mean stock of the ${fixed(p.num_firms)} firms is ` +
      `${fixed(sample.mean, 2)} units (exact: ${fixed(law.mean, 2)}), its standard deviation ` +
      `${fixed(sample.std, 2)} (exact: ${fixed(law.std, 2)}).`;
  },
};
