// Lecture "Let the gradient find the rule": what a network orders while it is trained.
import { baseStock, byTable } from "./lost_sales.js";
import { clamp, fixed, last, number, range, sum } from "./numbers.js";

const elu = (x) => (x > 0 ? x : Math.expm1(x));

// learned.network for one state: layers of weights [W, b], W with a row for each input.
export function network(layers, inputs) {
  return layers.reduce((x, [W, b], i) => b.map((start, j) => {
    const y = start + sum(x.map((value, k) => value * W[k][j]));
    return i < layers.length - 1 ? elu(y) : y;
  }), inputs);
}

// learned.network_orders for one state: a real number of units.
export function order(layers, x, { mean, most, top }) {
  const here = x.map((_, i) => sum(x.slice(0, i + 1)));
  const [more] = network(layers, here.map((units, i) => units / mean - (i + 1)));
  return clamp(top - sum(x) + mean * more, 0, most);
}

// learned.in_whole_units: rounded, half to even, and kept where a best rule's orders are.
export function inWholeUnits(real, x, { most, top }) {
  const down = Math.floor(real);
  const up = real - down > 0.5 || (real - down === 0.5 && down % 2 === 1);
  return clamp(down + (up ? 1 : 0), 0, clamp(top - sum(x), 0, most - 1));
}

// Layers of one look from one list of numbers, in the order W, b, W, b, ...
function layers(numbers, sizes) {
  let at = 0;
  const take = (count) => numbers.slice(at, (at += count));
  return sizes.slice(1).map((columns, i) => [
    range(1, sizes[i]).map(() => take(columns)), take(columns),
  ]);
}

const of = last((given, steps) =>
  layers(given.weights[given.steps.indexOf(steps)], given.layers));

export const learnedOrders = {
  draw(plot, p, given) {
    const L = given.sizes.length;
    const coming = range(1, L - 1).map((i) => p[`x${i}`]);
    const trained = of(given, p.steps);
    const stocks = range(0, given.highest);
    const real = stocks.map((x) => order(trained, [x, ...coming], given));
    const whole = stocks.map((x, i) => inWholeUnits(real[i], [x, ...coming], given));
    const best = stocks.map((x) => byTable([x, ...coming], given));
    const level = stocks.map((x) => baseStock([x, ...coming], given.base_stock));

    const [orders, gaps] = plot.begin({ count: 2, ratio: 0.85 });
    orders.axes({
      x: { domain: [-0.5, given.highest + 0.5], label: "Umbrellas in the kiosk" },
      y: { domain: [0, given.most + 0.5], label: "Order (umbrellas)" },
    });
    const points = (units) => stocks.map((x, i) => [x, units[i]]);
    orders.line(points(level), "backorder", { dash: "2 3" });
    orders.line(points(real), "setup");
    orders.dots(points(whole), "setup", { radius: 3 });
    orders.dots(points(best), "total", { radius: 5, hollow: true });
    orders.legend([
      { words: "the best of any kind", color: "total", ring: true },
      { words: "the network", color: "setup", dash: null },
      { words: "base stock", color: "backorder", dash: "2 3" },
    ], { corner: "top right" });

    const look = given.steps.indexOf(p.steps);
    const log = (gap) => Math.log10(Math.max(gap, 1e-4));
    const [low, high] = [Math.min(...given.gaps) / 1.6, 1.6 * Math.max(...given.gaps)].map(log);
    gaps.axes({
      x: { domain: [0, given.steps[given.steps.length - 1]], label: "Gradient steps" },
      y: {
        domain: [low, high], label: "Above the least cost (%)",
        values: range(-4, 4).filter((power) => power >= low && power <= high),
        format: (power) => number(10 ** power, 1),
      },
    });
    const path = given.gaps.map((gap, i) => [given.steps[i], log(gap)]);
    gaps.line(path, "setup");
    gaps.dots(path, "setup", { radius: 3 });
    plot.handle(gaps, {
      id: "steps", label: "gradient steps", x: p.steps, y: path[look][1], moves: { x: "steps" },
      color: "setup",
    });
    const same = whole.filter((units, i) => units === best[i]).length;
    return `After ${fixed(p.steps)} steps the network orders what the best rule orders at ` +
      `${same} of these ${stocks.length} stocks. In use it costs ` +
      `${fixed(given.gaps[look], given.gaps[look] < 10 ? 2 : 0)}% more than the least of any rule.`;
  },
};
