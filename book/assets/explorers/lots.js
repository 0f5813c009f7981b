// Lecture "Economic order quantity": the bowl, a wrong guess, and customers who come at random.
import { optimalUnitQuantity, shelfTimes, stockPath, unitDemandCost } from "./eoq.js";
import { compared, count, fixed, linspace, mark, percent } from "./numbers.js";
import { key } from "./random.js";

const HOLDING = { dash: "7 4" };
const SETUP = { dash: "9 3 2 3" };
const LOTS = [0, 900]; // units: what the axes show
const sizes = [...linspace(1, 60, 60), ...linspace(65, 900, 168)];

// The axis of costs, twice as long where the least cost would not stand in its lower part.
const top = (least) => [20, 40, 80].find((most) => least <= 0.7 * most);

// A lot that one can drag, its costs, and the stock that it makes.
export const lotSize = {
  draw(plot, p) {
    const { Q, D } = p;
    const best = optimalUnitQuantity(p);
    const least = unitDemandCost(p, best).relevant;
    const here = unitDemandCost(p, Q);
    const extra = here.relevant / least - 1;
    const [bowl, shelf] = plot.begin({ count: 2, ratio: 0.95 });
    const most = top(least);
    bowl.axes({
      x: { domain: LOTS, label: "Lot size Q (units)" },
      y: { domain: [0, most], label: "Relevant cost (€ a unit)" },
    });
    const costs = sizes.map((size) => [size, unitDemandCost(p, size)]);
    const curve = (part) => costs.map(([size, cost]) => [size, cost[part]]);
    bowl.line(curve("setup"), "setup", SETUP);
    bowl.line(curve("holding"), "holding", HOLDING);
    bowl.line(curve("relevant"), "total", { width: 2.6 });
    const label = Math.min(700, (1.5 * most * D) / p.H); // where the holding line has room below it
    bowl.text(label, (p.H * label) / (2 * D), "holding", "holding", { dx: 8, dy: 14 });
    bowl.text(900, p.A / 900, "setup", "setup", { anchor: "end", dx: 0, dy: -8 });
    markBest(bowl, best, least);
    bowl.rule({ x: Q }, "total", { dash: null, width: 1 });
    bowl.dots([[Q, here.setup]], "setup");
    bowl.dots([[Q, here.holding]], "holding");
    if (extra >= 5e-4) bowl.text(Q, most, mark(extra), "total", { dx: 10, dy: 12 });
    const y = Math.min(here.relevant, most);
    plot.handle(bowl, {
      id: "Q", label: "lot size Q", x: Q, y, moves: { x: "Q" }, along: "x", color: "total",
    });

    const high = [300, 600, 900].find((units) => Q <= units);
    shelf.axes({
      x: { domain: [0, 1], label: "Time (years)" },
      y: { domain: [0, 1.12 * high], label: "Stock (units)" },
    });
    const teeth = D / Q;
    if (teeth > 150) shelf.area([[0, 0, Q], [1, 0, Q]], "inventory", { opacity: 0.6 });
    else shelf.line(staircase(Q, D), "inventory", { step: true, width: 1.4 });
    if (teeth <= 40)
      shelf.dots(Array.from({ length: Math.ceil(teeth) }, (_, k) => [(k * Q) / D, Q]), "setup",
        { radius: 3 });
    const mean = (Q + 1) / 2;
    shelf.rule({ y: mean }, "holding", { dash: "7 4" });
    if (mean > 0.1 * high)
      shelf.text(1, mean, `mean ${fixed(mean, 1)}`, "holding", { anchor: "end", dx: 0 });
    shelf.text(1, Q, `${fixed(teeth, 1)} lots a year`, "setup", { anchor: "end", dx: 0, dy: -9 });
    return `Lots of ${fixed(Q)} cost ${fixed(here.relevant, 2)} € a unit beyond its price` +
      (Q === best ? ", the least there is" : `, ${compared(extra)} the best, ${fixed(best)} ` +
      `(${fixed(least, 2)} €)`) + `: ${fixed(here.setup, 2)} € for setups and ` +
      `${fixed(here.holding, 2)} € for holding.`;
  },
};

// The least cost on the curve, and the lot that has it at the axis, where the parts leave room.
function markBest(bowl, best, least) {
  bowl.line([[best, 0], [best, least]], "total", { width: 1, dash: "2 3" });
  bowl.dots([[best, least]], "total", { radius: 5 });
  bowl.text(best, 0, `best ${fixed(best)}`, "total", { dx: 5, dy: -5 });
}

// Stock over a year in which a unit is sold every 1 / D: steps, several at once where they are
// finer than the screen.
function staircase(Q, D) {
  const stride = Math.ceil(D / 1000);
  const steps = [];
  for (let first = 0; first < D; first += Q)
    for (let i = 0; i < Q && first + i <= D; i += stride) steps.push([(first + i) / D, Q - i]);
  return [...steps, [1, steps[steps.length - 1][1]]];
}

// What one pays who believes in another holding cost.
export const wrongGuess = {
  draw(plot, p) {
    const { D, A, H, believed } = p;
    const best = optimalUnitQuantity(p);
    const least = unitDemandCost(p, best).relevant;
    const ordered = (guess) => optimalUnitQuantity({ D, A, H: guess });
    const paid = (lot) => unitDemandCost(p, lot).relevant;
    const ours = ordered(believed);
    const extra = paid(ours) / least - 1;
    const [bowl, price] = plot.begin({ count: 2, ratio: 0.95 });
    const most = top(least);
    bowl.axes({
      x: { domain: LOTS, label: "Lot size Q (units)" },
      y: { domain: [0, most], label: "Relevant cost (€ a unit)" },
    });
    bowl.line(sizes.map((size) => [size, paid(size)]), "total", { width: 2.6 });
    markBest(bowl, best, least);
    bowl.rule({ x: ours }, "neutral");
    bowl.dots([[ours, Math.min(paid(ours), most)]], "neutral", { radius: 6, hollow: true });
    bowl.text(ours, 0.86 * most, `ours ${fixed(ours)}`, "neutral", { dy: 0 });

    price.axes({
      x: {
        domain: [10, 150], log: true, values: [10, 20, 50, 100, 150],
        label: "Holding cost believed (€)",
      },
      y: { domain: [0, 60], label: "Extra cost (%)" },
    });
    price.area([[H / 2, 0, 60], [2 * H, 0, 60]], "neutral", { opacity: 0.12 });
    const dearer = (guess) => 100 * (paid(ordered(guess)) / least - 1);
    price.line(linspace(10, 150, 141).map((guess) => [guess, dearer(guess)]), "total",
      { width: 2.6 });
    price.rule({ x: H }, "holding", { dash: null });
    price.text(H, 50, "truth", "holding");
    price.text(H, 30, "half to double", "neutral", H > 39 ? { anchor: "end", dx: -6 } : {});
    const y = Math.min(100 * extra, 60);
    const inside = believed < H ? { dx: 12 } : { anchor: "end", dx: -12 };
    if (extra >= 5e-4)
      price.text(believed, y, mark(extra), "total", { ...inside, dy: y < 60 ? -12 : 18 });
    plot.handle(price, {
      id: "H", label: "true holding cost H", x: H, y: 60, moves: { x: "H" }, along: "x",
      color: "holding",
    });
    plot.handle(price, {
      id: "believed", label: "holding cost believed", x: believed, y, moves: { x: "believed" },
      color: "total",
    });
    const order =
      `${fixed(ours)}${ours === best ? ", the best lot" : ` instead of ${fixed(best)}`}`;
    return `The truth is H = ${fixed(H)} and we believe ${fixed(believed)}: we order ${order}, ` +
      (extra < 1e-12 ? "and pay no more than we need." :
        `and setups and holding cost ${compared(extra)} they need.`);
  },
};

// The same customers, bunched or not: teeth differ, the time at each height does not.
export const lotPaths = {
  customers: true,

  draw(plot, p, given, seed) {
    const { scv, Q } = p;
    const path = stockPath(p, seed ? key(seed) : given.key, given.count);
    const { lots, mean, shares } = shelfTimes(path, Q);
    const [time, heights] = plot.begin({ count: 2, ratio: 0.95 });
    time.axes({
      x: { domain: [0, 0.5], label: "Time (years)" },
      y: { domain: [0, 110], label: "Stock (units)" },
    });
    const until = path.dates.findIndex((date) => date > 0.5);
    const shown = until < 0 ? path.dates.length : until + 1;
    time.line(Array.from({ length: shown }, (_, j) => [path.dates[j], path.stock[j]]),
      "inventory", { step: true, width: 1.4 });
    time.rule({ y: (Q + 1) / 2 }, "neutral");
    time.rule({ y: Q }, "neutral", { dash: null, width: 1 });
    plot.handle(time, {
      id: "Q", label: "lot size Q", x: 0.5, y: Q, moves: { y: "Q" }, along: "y", color: "neutral",
    });
    time.text(0.5, Q, `Q = ${fixed(Q)}`, "neutral", { anchor: "end", dx: -12, dy: -10 });

    heights.axes({
      x: { domain: [0, Q], label: "Stock (units)" },
      y: { domain: [0, 30], label: "Share of time (%)" },
    });
    heights.bars([...shares].map((share, i) => [(i * Q) / 10, ((i + 1) * Q) / 10, 100 * share]),
      "inventory");
    heights.rule({ y: 10 }, "neutral");
    heights.text(Q, 10, "long run", "neutral", { anchor: "end", dx: 0, dy: -14 });
    return `SCV ${scv}: over ${count(lots, "lot")} the mean stock is ${fixed(mean, 1)}; in the ` +
      `long run it is ${fixed((Q + 1) / 2, 1)}. Each tenth of the shelf has ` +
      `${percent(Math.min(...shares))} to ${percent(Math.max(...shares))} of the time.`;
  },
};
