// Lecture "Sample paths": one shop's stock, day by day.
import { count, fixed } from "./numbers.js";
import { key } from "./random.js";
import { longRun, samplePath } from "./ss.js";

export const sawtooth = {
  customers: true,

  // s stays below S: the line that is not being moved gives way.
  mend: ({ s, S }, moved) => (s < S ? {} : moved.includes("S") ? { s: S - 1 } : { S: s + 1 }),

  draw(plot, p, given, seed) {
    const path = samplePath(p, p.x_init, p.num_periods, seed ? key(seed) : given.key);
    const [panel] = plot.begin();
    panel.axes({
      x: { domain: [0, p.num_periods], label: "Period t" },
      y: { domain: [0, given.highest], label: "Inventory Xₜ (units)" },
    });
    const steps = path.map((X, t) => [t, X]);
    panel.line([...steps, [p.num_periods + 0.5, path[path.length - 1]]], "inventory", { step: true });
    panel.dots(steps.filter(([t, X]) => X <= p.s && t < p.num_periods), "setup", { radius: 3 });
    for (const [id, words] of [["S", "order-up-to level S"], ["s", "restock point s"]]) {
      panel.rule({ y: p[id] }, "neutral");
      panel.text(p.num_periods, p[id], `${id} = ${fixed(p[id])}`, "neutral", { anchor: "end", dx: -14 });
      plot.handle(panel, {
        id, label: words, x: p.num_periods, y: p[id], moves: { y: id }, along: "y", color: "neutral",
      });
    }
    const after = path.slice(1);
    const long = longRun(p);
    const restocks = path.slice(0, -1).filter((X) => X <= p.s).length;
    const empty = after.filter((X) => X === 0).length;
    const mean = after.reduce((total, X) => total + X, 0) / after.length;
    return `In ${p.num_periods} periods: ${count(restocks, "restock")}, an empty shelf on ` +
      `${count(empty, "date")}, ${fixed(mean, 1)} units in stock on average. In the long run: ` +
      `${fixed(long.restocks * p.num_periods, 1)}, ${fixed(long.empty * p.num_periods, 1)} and ` +
      `${fixed(long.stock, 1)}.`;
  },
};
