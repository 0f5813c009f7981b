// Lecture "Restock frequency": how many deliveries a shop needs in some periods, and how the chance
// of many depends on the stock that it begins with.
import { atLeast, restockPmf } from "./crowd_law.js";
import { fixed, linspace } from "./numbers.js";

// Nobody begins with more than S.
export function atMostS({ x_init, S }, moved) {
  if (x_init <= S) return {};
  return moved.includes("S") ? { x_init: S } : { S: x_init };
}

export const restocks = {
  mend: atMostS,

  draw(plot, p, { μ, most_stock: most }) {
    const params = { s: p.s, S: p.S, μ, σ: p.σ };
    const T = p.num_periods;
    const pmf = restockPmf(params, p.x_init, T);
    const chance = atLeast(params, [p.x_init], T, p.least)[0];
    // An empty shelf restocks most often: with its counts the axis holds them all.
    const last = restockPmf(params, 0, T).reduce((end, q, n) => (q > 1e-3 ? n : end), 0) + 1;
    const [left, right] = plot.begin({ count: 2, ratio: 0.8 });
    const every = 1 + Math.floor(last / 10);
    left.axes({
      x: {
        domain: [-0.6, last + 0.6], label: `Restocks in ${T} periods`,
        values: linspace(0, last, last + 1).filter((n) => n % every === 0),
      },
      y: { domain: [0, 1.04], label: "Probability" },
    });
    const bars = Array.from(pmf.slice(0, last + 1), (q, n) => [n - 0.35, n + 0.35, q]);
    left.bars(bars.slice(0, p.least), "setup", { opacity: 0.3 });
    left.bars(bars.slice(p.least), "setup", { opacity: 0.9 });
    right.axes({
      x: { domain: [0, most], label: "Starting stock X₀ (units)" },
      y: { domain: [0, 1.04], label: `P(${p.least} or more restocks)` },
    });
    const stocks = [...linspace(0, p.S, 121), p.s + 1e-9].sort((a, b) => a - b);
    const chances = atLeast(params, stocks, T, p.least);
    right.line(stocks.map((x, i) => [x, chances[i]]), "setup");
    for (const name of ["s", "S"]) {
      right.rule({ x: p[name] }, "neutral");
      right.text(p[name], 0, name, "neutral", { dx: -4, anchor: "end" });
    }
    plot.handle(right, {
      id: "x_init", label: "starting stock X₀", x: p.x_init, y: chance, moves: { x: "x_init" },
      along: "x", color: "setup",
    });
    const mean = pmf.reduce((total, q, n) => total + n * q, 0);
    return `From ${fixed(p.x_init)} units, ${p.least} or more restocks come in ${T} periods with ` +
      `probability ${fixed(chance, 3)}; their mean number is ${fixed(mean, 2)}.`;
  },
};
