// Lecture "From the back of the shelf": the best order in every state, the old boxes sold first and
// the fresh ones.
import { pick } from "./expiring.js";
import { gammaPmf, optimum, ruleReturn } from "./issuing.js";
import { count, fixed, last, number, range } from "./numbers.js";

const CLOSE = 1e-4; // € between the bounds: an order within it of the best one is as good

// Both ways of issuing: best orders by state, and what a year earns by them.
const solved = last((θ, p, mean, cv, k, c, h, α) =>
  ["FIFO", "LIFO"].map((issuing) => {
    const shop = { issuing, k, pmf: gammaPmf(mean, cv), c, p, θ, h, α };
    const { orders } = optimum(shop, CLOSE);
    return { orders, earned: ruleReturn(shop, orders) };
  }));

export const salads = {
  extra: ({ shown, stock }) => ["x1", "x2"].map((name, i) => {
    const values = range(0, shown);
    return { name, values, texts: values.map(String), start: stock[i] };
  }),

  draw(plot, { θ, p, mean, cv, x1, x2 }, { k, c, h, α, shown }) {
    const units = range(0, shown);
    const panels = plot.begin({ count: 2, ratio: 1 });
    const found = solved(θ, p, mean, cv, k, c, h, α).map(({ orders, earned }, i) => {
      const axis = (label) => ({ domain: [-0.5, shown + 0.5], label, values: units });
      panels[i].axes({ x: axis("Old boxes x₁"), y: axis("Fresh boxes x₂") });
      panels[i].title(`Order, ${["old", "fresh"][i]} boxes first`);
      panels[i].cells(units.flatMap((old) => units.map((fresh) =>
        [old, fresh, orders[old * k + fresh]])), { low: 0, high: k - 1 });
      const moves = i === 0 ? { x: "x1", y: "x2" } : null;
      pick(plot, panels[i], [x1, x2], moves, "tonight's boxes");
      return { order: orders[x1 * k + x2], earned };
    });
    const [old, fresh] = found;
    return `With ${count(x1, "old box", "old boxes")} and ${x2} fresh, order ${old.order} if ` +
      `the old ones are sold first, ${fresh.order} if the fresh ones are. A year costs ` +
      `${number(-old.earned, 5)} € with the old ones first, and ` +
      `${fixed(old.earned - fresh.earned, 1)} € more with the fresh ones first.`;
  },
};
