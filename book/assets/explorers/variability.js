// Lecture "Base stock: demand and lead times that vary": the law of the demand over a lead time and
// the formula's, a slow supplier, and customers and suppliers that are both irregular.
import { approximateLevel, exact, optimalLevel } from "./base_stock.js";
import { dearer, fixed, linspace, longEnough, range } from "./numbers.js";
import { gammaCdf } from "./probability.js";
import { deviation, gammaLeadTimeDemand, leadTimeDemand } from "./renewal.js";

const SCVS = linspace(0.1, 4, 40);
const WEEKS = linspace(2, 26, 241);
const FORMULA = { dash: "6 4" };
const rounded = (shop, N, scv) => Math.round(approximateLevel(shop, N, scv));

// The laws of all SCVs, of the last demand rate and lead time: prices move without them.
let last = {};
function laws(D, L) {
  const asked = `${D} ${L}`;
  if (last.asked !== asked) last = { asked, of: SCVS.map((scv) => gammaLeadTimeDemand(D, L, scv)) };
  return last.of;
}

export const countLaw = {
  draw(plot, { scv, B, months, D }, { H }) {
    const shop = { H, B };
    const share = B / (B + H);
    const all = laws(D, months / 12);
    const N = all[Math.round(10 * scv) - 1];
    const best = optimalLevel(shop, N);
    const guess = approximateLevel(shop, N, scv);
    const [law, level] = plot.begin({ count: 2, ratio: 0.95 });
    const spread = Math.sqrt(Math.max(scv, 0.5) * N.mean);
    const end = longEnough([30, 60, 90, 120], Math.max(best + 5, guess + 5, N.mean + 3 * spread));
    law.axes({
      x: { domain: [0, end], label: "Demand over a lead time (units)" },
      y: { domain: [0, 1], label: "CDF", format: (y) => fixed(y, 1) },
    });
    law.rule({ y: share }, "neutral", { dash: "2 3" });
    law.line(linspace(0, end, 121).map((x) => [x, gammaCdf(x, 1 / scv, N.mean * scv)]), "neutral",
      FORMULA);
    law.line(range(0, end).map((n) => [n, 1 - (N.tail[n] ?? 0)]), "demand", { step: true });
    law.dots([[best, share]], "demand", { radius: 5 });
    law.dots([[guess, share]], "neutral", { radius: 5, hollow: true });
    law.legend([
      { words: "exact", color: "demand" },
      { words: "formula", color: "neutral", dash: FORMULA.dash },
    ], { corner: "bottom right" });
    plot.handle(law, {
      id: "B", label: "backorder cost B", x: end, y: share, moves: { y: "B" },
      means: { y: (at) => (H * Math.min(at, 0.999)) / (1 - Math.min(at, 0.999)) }, along: "y",
      color: "neutral",
    });

    const bests = all.map((one) => optimalLevel(shop, one));
    const guesses = all.map((one, i) => approximateLevel(shop, one, SCVS[i]));
    const top = longEnough([15, 30, 60, 100, 200], 1.05 * Math.max(...bests, ...guesses));
    level.axes({
      x: { domain: [0, 4], label: "SCV of times between demands" },
      y: { domain: [0, top], label: "Base-stock level (units)" },
    });
    level.line(SCVS.map((x, i) => [x, guesses[i]]), "neutral", FORMULA);
    level.line(SCVS.map((x, i) => [x, bests[i]]), "inventory", { step: true, width: 2.4 });
    const higher = bests[39] > guesses[39];
    for (const [words, color, y, above] of [
      ["best", "inventory", bests[39], higher], ["formula", "neutral", guesses[39], !higher],
    ]) {
      const low = !above && level.bottom - level.y(y) < 22; // no room below its line
      level.text(4, y, words, color, { anchor: "end", dx: low ? -60 : 0, dy: above || low ? -8 : 18 });
    }
    level.dots([[scv, guess]], "neutral", { radius: 5, hollow: true });
    plot.handle(level, {
      id: "scv", label: "SCV of times between demands", x: scv, y: best, moves: { x: "scv" },
      along: "x", color: "inventory",
    });
    const ours = rounded(shop, N, scv);
    const extra = exact(shop, N, ours).relevant / exact(shop, N, best).relevant - 1;
    return `At SCV ${scv} the count has a standard deviation of ${fixed(deviation(N), 1)}, and ` +
      `the formula’s law one of ${fixed(Math.sqrt(scv) * N.mean, 1)}. The best level is ` +
      `${best}, the formula says ${fixed(guess, 1)}, and at ${ours} a demand costs ` +
      `${dearer(extra)}.`;
  },
};

export const slowSupplier = {
  draw(plot, { weeks, B, D }, { H }) {
    const shop = { H, B };
    const at = (some) => {
      const N = leadTimeDemand(D, some / 52);
      const [best, formula] = [optimalLevel(shop, N), rounded(shop, N)];
      const [least, paid] = [best, formula].map((level) => exact(shop, N, level).relevant);
      return { mean: N.mean, best, formula, least, paid };
    };
    const all = WEEKS.map(at);
    const curve = (of) => WEEKS.map((some, i) => [some, of(all[i])]);
    const most = (of) => Math.max(...all.map(of));
    const here = at(weeks);
    const [cost, above] = plot.begin({ count: 2, ratio: 0.95 });
    const x = { domain: [0, 26], label: "Lead time L (weeks)" };
    cost.axes({
      x,
      y: {
        domain: [0, longEnough([5, 10, 20, 50, 100, 200, 500, 1000], most(({ paid }) => paid))],
        label: "Relevant cost (€)",
      },
    });
    cost.line(curve(({ paid }) => paid), "neutral", { width: 1.2 });
    cost.line(curve(({ least }) => least), "total", { width: 2.6 });
    cost.legend([
      { words: "best level", color: "total" },
      { words: "formula's level", color: "neutral" },
    ], { corner: "top left" });
    plot.handle(cost, {
      id: "weeks", label: "lead time L", x: weeks, y: here.least, moves: { x: "weeks" },
      along: "x", color: "total",
    });
    cost.rule({ x: weeks }, "total", { dash: null, width: 1 });
    const safety = ({ best, mean }) => best - mean;
    const guessed = ({ mean }) => approximateLevel(shop, { mean }) - mean;
    const far = longEnough([5, 10, 20, 50, 100, 200],
      most((one) => Math.max(Math.abs(safety(one)), Math.abs(guessed(one)))));
    above.axes({ x, y: { domain: [-far, far], label: "Level above the mean DL (units)" } });
    above.rule({ y: 0 }, "neutral", { dash: "2 3" });
    above.line(curve(guessed), "neutral", FORMULA);
    above.line(curve(safety), "inventory", { width: 1.2 });
    above.rule({ x: weeks }, "total", { dash: null, width: 1 });
    above.dots([[weeks, guessed(here)]], "neutral", { radius: 5, hollow: true });
    above.dots([[weeks, safety(here)]], "inventory", { radius: 5 });
    above.legend([
      { words: "best level", color: "inventory" },
      { words: "formula, not rounded", color: "neutral", dash: FORMULA.dash },
    ], { corner: "bottom left" });
    const next = weeks === WEEKS[0] ? ", next door"
      : `: ${fixed(here.least - all[0].least, 2)} € more than next door, with ${WEEKS[0]} weeks`;
    return `With ${weeks} weeks a demand costs ${fixed(here.least, 2)} € at the best level, ` +
      `${here.best}${next}. At the formula’s level, ${here.formula}, it costs ` +
      `${dearer(here.paid / here.least - 1)}.`;
  },
};

// A table of simulated means and half-widths, made with the page; exact at both ends.
export const twoSpreads = {
  draw(plot, { demand_scv, lead_scv }, given) {
    const row = given.demand_scvs.indexOf(demand_scv);
    const column = given.lead_scvs.indexOf(lead_scv);
    const panels = plot.begin({ count: 2, ratio: 0.95 });
    const end = Math.max(1, ...given.lead_scvs) + 0.08;
    const tables = [given.cost, given.fill];
    panels.forEach((panel, i) => {
      const { mean, half, exact: anchors, poisson, low, high } = tables[i];
      const color = ["total", "fill-rate"][i];
      const at = given.lead_scvs.map((x, j) => [x, mean[row][j], half[row][j]]);
      panel.axes({
        x: { domain: [-0.08, end], label: "SCV of lead times" },
        y: { domain: [low, high], label: ["Relevant cost (€)", "Fill rate"][i] },
      });
      panel.rule({ y: poisson }, "neutral", { dash: "2 3" });
      const higher = mean[row][mean[row].length - 1] > poisson;
      panel.text(end, poisson, "Poisson demand", "neutral",
        { anchor: "end", dx: 0, dy: higher ? 16 : -6 });
      panel.area(at.map(([x, y, around]) => [x, y - around, y + around]), color);
      panel.dots(at, color, { radius: 3 });
      panel.dots([[0, anchors[row][0]], [1, anchors[row][1]]], color, { radius: 7, hollow: true });
      plot.handle(panel, {
        id: ["lead_scv", "filled"][i], label: "SCV of lead times", x: lead_scv,
        y: mean[row][column], moves: { x: "lead_scv" }, along: "x", color,
      });
    });
    const { mean, half, exact: anchors, poisson } = given.cost;
    return `At SCV ${demand_scv} a demand costs ${fixed(anchors[row][0], 2)} € with equal lead ` +
      `times, ${fixed(anchors[row][1], 2)} € with exponential ones, and ` +
      `${fixed(mean[row][column], 2)} ± ${fixed(half[row][column], 2)} € where their SCV is ` +
      `${lead_scv}; with Poisson demand it costs ${fixed(poisson, 2)} € at each.`;
  },
};
