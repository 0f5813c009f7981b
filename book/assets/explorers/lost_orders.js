// Lecture "When nobody waits": what a state asks for.
import { beforeArrival, baseStock, byTable, myopic } from "./lost_sales.js";
import { count, linspace, percent, sum } from "./numbers.js";

const names = (length) => Array.from({ length }, (_, i) => `x${i}`);

export const lostOrders = {
  draw(plot, p, given) {
    const L = given.sizes.length;
    const x = names(L).map((name) => p[name]);
    const best = byTable(x, given);
    const law = beforeArrival(x, given.pmf);
    const [level, most] = [given.base_stock, given.capped];
    const other = baseStock(x, level);

    const [pipeline, meets] = plot.begin({ count: 2, ratio: 0.85 });
    const weeks = linspace(0, L, L + 1);
    pipeline.axes({
      x: {
        domain: [-0.6, L + 0.6], label: "Arrives in (weeks)", values: weeks,
        format: (i) => (i === 0 ? "here" : i),
      },
      y: { domain: [0, given.highest], label: "Umbrellas" },
    });
    x.forEach((units, i) => pipeline.bars([[i - 0.35, i + 0.35, units]], "inventory"));
    pipeline.bars([[L - 0.35, L + 0.35, best]], "total");
    pipeline.dots([[L, other]], "backorder", { hollow: true });
    const above = other >= best && other < best + 4 ? -24 : -9; // clear of the best order's number
    pipeline.text(L, other, "base stock", "backorder", { anchor: "middle", dx: 0, dy: above });
    pipeline.text(L, best, `${best}`, "total", { anchor: "middle", dx: 0 });
    x.forEach((units, i) => plot.handle(pipeline, {
      id: `x${i}`, x: i, y: units, moves: { y: `x${i}` }, color: "inventory",
      label: i === 0 ? "umbrellas in the kiosk" : `umbrellas that come in ${count(i, "week")}`,
    }));

    const last = law.reduce((most, chance, k) => (chance > 1e-3 ? k : most), 0);
    const farthest = Math.max(given.farthest, 10 * Math.ceil(last / 10));
    meets.axes({
      x: { domain: [-0.6, farthest + 0.6], label: "Left when the order arrives (umbrellas)" },
      y: { domain: [0, 1], label: "Probability" },
    });
    meets.bars([...law].map((chance, k) => [k - 0.4, k + 0.4, chance])
      .slice(0, farthest + 1), "inventory");

    const would = [
      `base stock (up to ${level}) would order ${other}`,
      `with a cap ${baseStock(x, ...most)}`,
      `the same every week ${given.constant}`,
      `the myopic rule ${myopic(x, given)}`,
    ];
    return `Order ${best}. With probability ${percent(law[0], 0)} nothing is left when it ` +
      `arrives. Of the rules, ${would.join(", ")}.`;
  },
};
