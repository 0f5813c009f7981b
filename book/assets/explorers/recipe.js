// Lecture "What the recipe costs": cuts through the valley of costs, and the recipe's price.
import { clamp, fixed, percent, roundUp } from "./numbers.js";
import { approximatePolicy, exact, law, optimalPolicy } from "./qr.js";
import { pair, whole } from "./waterline.js";

const PARTS = [
  ["relevant", "total", { width: 2.6 }], ["holding", "holding", { dash: "7 4" }],
  ["backorder", "backorder", { dash: "7 2 2 2 2 2" }], ["setup", "setup", { dash: "9 3 2 3" }],
];

// The costs of one lot against the reorder point.
export const cut = {
  handled: ["r"],
  mend: ({ Q, r }, moved, { ends }) => ({ r: clamp(r, Math.max(-Q, ends[0]), ends[1]) }),

  draw(plot, { Q, r, A, H, B }, { D, L, ends }) {
    const p = { D, L, A, H, B };
    const N = law(p);
    const overall = optimalPolicy(p, N);
    const costs = Array.from({ length: ends[1] + Q + 1 }, (_, i) => [i - Q, exact(p, Q, i - Q, N)]);
    const [panel] = plot.begin({ ratio: 0.55 });
    const top = roundUp(4 * overall.cost);
    panel.axes({
      x: { domain: ends, label: "Reorder point r (units)" },
      y: { domain: [0, top], label: "Relevant cost (€ a unit)" },
    });
    for (const [part, color, style] of PARTS)
      panel.line(costs.map(([x, cost]) => [x, cost[part]]), color, style);
    panel.legend(PARTS.map(([, color, { dash }]) => ({ words: color, color, dash })));
    const best = costs.reduce((least, one) => (one[1].relevant < least[1].relevant ? one : least));
    panel.dots([[best[0], best[1].relevant]], "total", { radius: 5 });
    panel.dots([[overall.reorderPoint, overall.cost]], "setup", { radius: 5 });
    panel.text(overall.reorderPoint, overall.cost, "best pair", "setup", {
      anchor: "middle", dx: 0, dy: 22,
    });
    const here = exact(p, Q, r, N);
    panel.rule({ x: r }, "neutral", { dash: null, width: 1 });
    for (const part of ["holding", "backorder", "setup"])
      panel.dots([[r, here[part]]], part, { radius: 3 });
    plot.handle(panel, {
      id: "r", label: "Reorder point r", x: r, y: Math.min(here.relevant, top), along: "x",
      moves: { x: "r" },
    });
    return `Lots of ${fixed(Q)} at r = ${whole(r)} cost ${fixed(here.relevant, 3)} € a pump: setups ` +
      `${fixed(here.setup, 3)}, holding ${fixed(here.holding, 3)}, backorders ` +
      `${fixed(here.backorder, 3)}. The best r for them is ${whole(best[0])} ` +
      `(${fixed(best[1].relevant, 3)} €); the best pair is ` +
      `${pair(overall.quantity, overall.reorderPoint)} (${fixed(overall.cost, 3)} €).`;
  },
};

// What the recipe costs above the optimum, against the setup cost.
export const recipe = {
  handled: ["ratio"],

  draw(plot, p, given) {
    const { H, ratio } = p;
    const N = law(p);
    const at = (share) => {
      const shop = { ...p, A: share * H };
      const best = optimalPolicy(shop, N);
      const [Q, r] = approximatePolicy(shop);
      return { best, Q, r, more: exact(shop, Q, r, N).relevant / best.cost - 1 };
    };
    const points = given.ratios.map((share) => [share, 100 * at(share).more]);
    const dearest = Math.max(...points.map(([, more]) => more));
    const least = Math.min(...points.map(([, more]) => more));
    const [panel] = plot.begin({ ratio: 0.5 });
    panel.axes({
      x: { domain: [0, 5.2], label: "Setup over holding cost A/H" },
      y: { domain: [0, Math.max(160, roundUp(dearest))], label: "Recipe above optimum (%)" },
    });
    panel.line(points, "backorder");
    panel.dots(points, "backorder", { radius: 2.5 });
    const { best, Q, r, more } = at(ratio);
    panel.rule({ x: ratio }, "neutral", { dash: null, width: 1 });
    plot.handle(panel, {
      id: "ratio", label: "Setup over holding cost", x: ratio, y: 100 * more, along: "x",
      moves: { x: "ratio" }, color: "backorder",
    });
    return `At A = ${fixed(ratio * H, 2).replace(".00", "")} € the recipe says ${pair(Q, r)} and pays ` +
      `${percent(more)} more than the best pair, ${pair(best.quantity, best.reorderPoint)}. Over ` +
      `the whole axis it pays from ${fixed(least)}% to ${fixed(dearest)}% more.`;
  },
};
