// Lecture "Base stock: the best level": what a level costs and buys, the line before an empty
// shelf, and the guess of what a waiting customer costs.
import { approximateLevel, backorderPmf, exact, optimalLevel } from "./base_stock.js";
import {
  compared, count, dearer, fixed, linspace, longEnough, mark, percent, range,
} from "./numbers.js";
import { poissonPmf } from "./probability.js";
import { exceeds, leadTimeDemand } from "./renewal.js";

const HOLDING = { dash: "7 4" };
const BACKORDER = { dash: "8 3 2 3 2 3" };
const inMonths = ({ D, months }) => leadTimeDemand(D, months / 12);

// A level that one can drag: its costs, and the customers that it serves at once.
export const baseStock = {
  draw(plot, p) {
    const { R } = p;
    const N = inMonths(p);
    const best = optimalLevel(p, N);
    const formula = approximateLevel(p, N);
    const [here, least] = [exact(p, N, R), exact(p, N, best).relevant];
    const extra = here.relevant / least - 1;
    const [cost, fill] = plot.begin({ count: 2, ratio: 0.95 });
    const last = longEnough([25, 50, 75], best + 8);
    const top = longEnough([1, 2, 5, 10, 20, 50, 100, 200], 2.5 * least);
    const levels = range(0, last);
    const all = levels.map((level) => exact(p, N, level));
    const curve = (part) => levels.map((level) => [level, all[level][part]]);
    const x = { domain: [0, last], label: "Base-stock level R (units)" };
    cost.axes({ x, y: { domain: [0, top], label: "Relevant cost per demand (€)" } });
    cost.line(curve("holding"), "holding", HOLDING);
    cost.line(curve("backorder"), "backorder", BACKORDER);
    cost.line(curve("relevant"), "total", { width: 2.6 });
    cost.rule({ x: formula }, "neutral", { dash: "2 3" });
    cost.line([[best, 0], [best, least]], "total", { width: 1, dash: "2 3" });
    cost.dots([[best, least]], "total", { radius: 5 });
    cost.rule({ x: R }, "total", { dash: null, width: 1 });
    cost.dots([[R, here.holding]], "holding");
    cost.dots([[R, here.backorder]], "backorder");
    if (extra >= 5e-4) cost.text(Math.min(R, last), top, mark(extra), "total", { dx: 10, dy: 12 });
    // The parts' names stand inside the bowl, the levels' on both sides of their lines.
    const beside = (part, height) => levels.reduce((near, level) =>
      Math.abs(all[level][part] - height) < Math.abs(all[near][part] - height) ? level : near);
    cost.text(beside("backorder", 0.8 * top), 0.8 * top, "waiting", "backorder", { dx: 10 });
    cost.text(beside("holding", 0.65 * top), 0.65 * top, "holding", "holding",
      { anchor: "end", dx: -12 });
    const tight = cost.x(Math.min(best, formula)) - cost.left < 80; // no room on the left
    for (const [level, words, low] of [
      [best, `best ${fixed(best)}`, !tight && best < formula],
      [formula, `formula ${fixed(formula, 1)}`, !tight && best >= formula],
    ]) cost.text(Math.min(level, last), 0, words, level === best ? "total" : "neutral", {
      anchor: low ? "end" : "start", dx: low ? -4 : 4, dy: tight && level === formula ? -22 : -6,
    });
    fill.axes({ x, y: { domain: [0, 1], label: "Fill rate", format: (share) => fixed(share, 1) } });
    fill.line(curve("fillRate"), "fill-rate", { width: 2.2 });
    for (const [panel, y] of [[cost, Math.min(here.relevant, top)], [fill, here.fillRate]])
      plot.handle(panel, {
        id: panel === cost ? "R" : "served", label: "base-stock level R", x: Math.min(R, last), y,
        moves: { x: "R" }, along: panel === cost ? "x" : null,
        color: panel === cost ? "total" : "fill-rate",
      });
    fill.text(Math.min(R, last), here.fillRate, percent(here.fillRate), "fill-rate",
      { dx: 12, dy: 14 });
    return `At R = ${fixed(R)} a demand costs ${fixed(here.relevant, 2)} € beyond the part` +
      (R === best ? ", the least there is" : `, ${compared(extra)} at the best level, ` +
      `${fixed(best)} (${fixed(least, 2)} €)`) + `; ${percent(here.fillRate)} of customers are ` +
      `served at once, and ${fixed(here.backorders, 2)} wait on average.`;
  },
};

// The law of the demand over a lead time, cut by the level: what lies beyond is the line.
export const waitingLine = {
  draw(plot, p) {
    const { R, chairs } = p;
    const N = inMonths(p);
    const [demanded, line] = plot.begin({ count: 2, ratio: 0.95 });
    const last = longEnough([25, 50, 75], N.mean + 4 * Math.sqrt(N.mean));
    const law = range(0, last).map((n) => poissonPmf(n, N.mean));
    const bar = (x, height) => [x - 0.4, x + 0.4, height];
    const top = longEnough([0.15, 0.3, 0.7], Math.max(...law));
    demanded.axes({
      x: { domain: [-0.7, last + 0.7], label: "Demand over a lead time N (units)" },
      y: { domain: [0, top], label: "Probability" },
    });
    const parts = [
      [0, R - 1, "holding"], [R, R, "neutral"], [R + 1, last, "backorder"],
    ];
    for (const [from, to, color] of parts) {
      const some = range(0, last).filter((n) => from <= n && n <= to);
      demanded.bars(some.map((n) => bar(n, law[n])), color);
    }
    demanded.rule({ x: R }, "neutral", { dash: null });
    plot.handle(demanded, {
      id: "R", label: "base-stock level R", x: Math.min(R, last), y: 0.93 * top,
      moves: { x: "R" }, along: "x", color: "neutral",
    });
    demanded.text(Math.min(R, last), 0.93 * top, `R = ${fixed(R)}`, "neutral", { dx: 13, dy: 5 });

    const shares = [...backorderPmf(N, R, 20)];
    const tooFew = exceeds(N, R + chairs);
    line.axes({
      x: { domain: [-0.7, 20.7], label: "Backorders b" },
      y: { domain: [0, 1], label: "Share of time", format: (share) => fixed(share, 1) },
    });
    shares.forEach((share, b) =>
      line.bars([bar(b, share)], "backorder", { opacity: b > chairs ? 0.95 : 0.4 }));
    let total = 0;
    const steps = shares.map((share, b) => [b - 0.5, (total += share)]);
    line.line([...steps, [20.5, total]], "neutral", { step: true, width: 1.4 });
    line.text(12, 1, "b or fewer", "neutral", { dy: 16 });
    plot.handle(line, {
      id: "chairs", label: "number of chairs", x: chairs + 0.5, y: 0.5, moves: { x: "chairs" },
      means: { x: (at) => at - 0.5 }, along: "x", color: "neutral",
    });
    line.rule({ x: chairs + 0.5 }, "neutral");
    line.text(chairs + 0.5, 0.5, `${count(chairs, "chair")}`, "neutral", { dx: 13, dy: 5 });
    line.text(chairs + 0.5, 0.38, `too few: ${percent(tooFew)}`, "backorder", { dx: 13, dy: 5 });
    let seats = 0;
    while (1 - exceeds(N, R + seats) < 0.99) seats++;
    return `At R = ${fixed(R)} nobody waits for ${percent(shares[0])} of the time; for ` +
      `${percent(tooFew)} of it, ${count(Math.round(365 * tooFew), "day")} a year, ` +
      `${["somebody does", "more than one does"][chairs] ?? `more than ${chairs} do`}. To seat everybody for 99% of the ` +
      `time takes ${count(seats, "chair")}.`;
  },
};

// Fill rates and costs by B/H: at the best level, at the formula's, and where the guess of B is
// off by a factor of two.
export const criticalRatio = {
  draw(plot, p) {
    const { ratio } = p;
    const N = inMonths(p);
    const at = (r) => {
      const shop = { H: 1, B: r };
      const best = optimalLevel(shop, N);
      const formula = Math.round(approximateLevel(shop, N));
      const guesses = [r / 2, 2 * r].map((B) => optimalLevel({ H: 1, B }, N));
      const paid = (level) => exact(shop, N, level).relevant;
      const dearer = (level) => Math.max(paid(level) / paid(best) - 1, 0);
      return { best, formula, guesses, dearer };
    };
    const fillRate = (level) => N.filled[level] ?? 1;
    const ratios = linspace(0.25, 10, 196);
    const all = ratios.map(at);
    const here = at(ratio);
    const [fill, cost] = plot.begin({ count: 2, ratio: 0.95 });
    const x = { domain: [0, 10], label: "Ratio of costs B/H" };
    fill.axes({ x, y: { domain: [0, 1], label: "Fill rate", format: (share) => fixed(share, 1) } });
    const curve = (of) => ratios.map((r, i) => [r, of(all[i])]);
    fill.line(ratios.map((r) => [r, r / (1 + r)]), "neutral", { dash: "2 3" });
    fill.line(curve(({ formula }) => fillRate(formula)), "fill-rate", { dash: "6 4" });
    fill.line(curve(({ best }) => fillRate(best)), "fill-rate", { width: 2.6 });
    fill.rule({ x: ratio }, "neutral", { dash: null, width: 1 });
    fill.legend([
      { words: "B/(B + H)", color: "neutral", dash: "2 3" },
      { words: "best level", color: "fill-rate" },
      { words: "formula's level", color: "fill-rate", dash: "6 4" },
    ], { corner: "bottom right" });
    plot.handle(fill, {
      id: "ratio", label: "ratio of costs B/H", x: ratio, y: fillRate(here.best),
      moves: { x: "ratio" }, along: "x", color: "fill-rate",
    });
    const byFormula = here.dearer(here.formula);
    const byGuess = Math.max(...here.guesses.map(here.dearer));
    const worst = Math.max(...all.map(({ formula, dearer }) => dearer(formula)));
    const top = longEnough([50, 100, 200, 500, 1000, 2000, 5000], 100 * worst);
    cost.axes({ x, y: { domain: [0, top], label: "Extra cost (%)" } });
    cost.line(curve(({ formula, dearer }) => 100 * dearer(formula)), "neutral", { dash: "6 4" });
    cost.line(curve(({ guesses, dearer }) => 100 * Math.max(...guesses.map(dearer))), "backorder",
      { width: 2.2 });
    cost.rule({ x: ratio }, "neutral", { dash: null, width: 1 });
    cost.dots([[ratio, 100 * byFormula]], "neutral", { hollow: true });
    cost.dots([[ratio, 100 * byGuess]], "backorder");
    cost.legend([
      { words: "formula's level", color: "neutral", dash: "6 4" },
      { words: "B off by a factor of 2", color: "backorder" },
    ]);
    const [low, high] = here.guesses.map((level) => fixed(level));
    return `At B = ${ratio} H the best level is ${fixed(here.best)}. The formula’s, ` +
      `${fixed(here.formula)}, costs ${dearer(byFormula)}; a guess of half of B, or of twice B, ` +
      `gives ${low === high ? low : `${low} or ${high}`} and costs ` +
      `${byGuess < 5e-4 ? "" : "up to "}${dearer(byGuess)}.`;
  },
};
