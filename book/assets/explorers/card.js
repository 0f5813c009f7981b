// Lecture "The structure of the answer": the card, how many of the oldest units are kept.
import { createModel, cutPoisson, readOff, solve } from "./expiry.js";
import { LEVELS, MOST, movedStock, pick, unitMap } from "./expiring.js";

const SIZE = { m: 3, k: LEVELS };
const NEWER = "Next class x₂ (units)";
const LINES = [
  { newest: 0, color: "inventory", dash: null },
  { newest: 3, color: "demand", dash: "7 3" },
  { newest: 6, color: "setup", dash: "9 3 2 3" },
  { newest: 9, color: "fill-rate", dash: "2 3" },
];

export const card = {
  extra: (given) => movedStock(["x2", "x3"], given.newer),

  draw(plot, p, given) {
    const model = createModel({
      ...SIZE, pmf: cutPoisson(p.mean, 19), s: p.salvage, θ: p.disposal, h: p.holding, r: p.price,
    });
    const { cards: [kept], wrong } = readOff(solve(model, given.num_periods).depletion, SIZE);
    const [map, lines] = plot.begin({ count: 2, ratio: 0.96 });
    unitMap(map, wrong ? [] : kept, {
      x: NEWER, y: "Newest class x₃ (units)", title: "Threshold z̄₁ (units)",
    });
    const at = (x2, x3) => kept[x2 * LEVELS + x3];
    pick(plot, map, [p.x2, p.x3], { x: "x2", y: "x3" }, "newer stock");
    const axis = (label, room) => ({
      domain: [-0.5, MOST + room], label, values: Array.from({ length: LEVELS }, (_, i) => i),
    });
    lines.axes({ x: axis(NEWER, 0.5), y: axis("Oldest kept z̄₁ (units)", 3) });
    if (wrong) {
      const middle = { anchor: "middle", dx: 0 };
      lines.text(MOST / 2, 6, "No card: the depletion is", "total", middle);
      lines.text(MOST / 2, 5, "not of the threshold form", "total", middle);
      const state = [LEVELS ** 2, LEVELS, 1].map((unit) => Math.floor(wrong.x / unit) % LEVELS);
      return "The depletion must be of the threshold form, but in state " +
        `(${state.join(", ")}) it is ${wrong.is} and the thresholds give ${wrong.give}.`;
    }
    LINES.forEach(({ newest, color, dash }, i) => {
      // A hair apart, to be told apart.
      const steps = Array.from({ length: LEVELS + 1 }, (_, x2) =>
        [x2 - 0.5, at(Math.min(x2, MOST), newest) + 0.06 * (1.5 - i)]);
      lines.line(steps, color, { dash, step: true });
    });
    lines.legend(LINES.map(({ newest, color, dash }) => ({ words: `x₃ = ${newest}`, color, dash })),
      { columns: 2 });
    lines.dots([[p.x2, at(p.x2, p.x3)]], "backorder", { radius: 5 });
    return `With (${p.x2}, ${p.x3}) newer pots the card keeps up to ${at(p.x2, p.x3)} of the ` +
      `oldest; with nothing newer up to ${at(0, 0)}, and on full shelves up to ${at(MOST, MOST)}.`;
  },
};
