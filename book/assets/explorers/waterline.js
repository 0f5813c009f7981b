// Lecture "(Q, r)": the valley of positions with its water, beside the map of all pairs' costs.
import { clamp, count, fixed, percent, roundUp } from "./numbers.js";
import { bestPoints, exact, landscape, law, optimalPolicy, positionCost } from "./qr.js";

const LEVELS = [1.01, 1.05, 1.1, 1.25, 1.5, 2, 3]; // contours, as shares of the least cost
const CELLS = [60, 45]; // of the map, up and across

export const whole = (n) => fixed(n).replace("-", "−");
export const pair = (Q, r) => `Q = ${whole(Q)}, r = ${whole(r)}`;

// How far pictures of a shop reach: lots to 120 k, reorder points from -40 k to 50 k. The same k
// for most shops, so that curves move and not the frame.
export function reach({ quantity, reorderPoint: r }) {
  let k = 1;
  while (quantity > 114 * k || r < -36 * k || r > 42 * k) k *= 2;
  return k;
}

export function mend(p) {
  const k = reach(optimalPolicy(p));
  const Q = Math.min(p.Q, 120 * k);
  return { Q, r: clamp(p.r, Math.max(-40 * k, -Q), 50 * k) };
}

// How many positions of r + 1, ..., r + Q cost more than the average, and how many others less.
export function misplaced(p, Q, r, average, N) {
  const cost = (y) => positionCost(p, y, N);
  const slack = 1e-12 * average; // of rounding
  let [dear, cheap, inside] = [0, 0, 0];
  for (let y = r + 1; y <= r + Q; y++) {
    if (cost(y) > average + slack) dear += 1;
    if (cost(y) < average - slack) inside += 1;
  }
  const middle = Math.round(N.mean);
  for (let y = middle; cost(y) < average - slack; y++) cheap += 1;
  for (let y = middle - 1; cost(y) < average - slack; y--) cheap += 1;
  return [dear, cheap - inside];
}

// A map is drawn many times while a pair is dragged.
let drawn = { key: null };
function mapOf(p, k, N) {
  const key = [p.D, p.L, p.A, p.H, p.B].join();
  if (drawn.key === key) return drawn;
  const lots = Array.from({ length: CELLS[0] + 1 }, (_, i) => Math.max(1, 2 * k * i));
  const points = Array.from({ length: CELLS[1] + 1 }, (_, i) => k * (2 * i - 40));
  drawn = {
    key, lots, points, heights: landscape(p, lots, points, N),
    ridge: bestPoints(p, 120 * k, N).map((r, i) => [r, i + 1]),
  };
  return drawn;
}

export const waterline = {
  handled: ["Q", "r"],
  mend,

  draw(plot, p, given) {
    const { Q, r, D } = p;
    const N = law(p);
    const best = optimalPolicy(p, N);
    const k = reach(best);
    const least = best.cost * D;
    const { relevant } = exact(p, Q, r, N);
    const average = relevant * D;
    const isBest = best.quantity === Q && best.reorderPoint === r;
    const [valley, map] = plot.begin({ count: 2, ratio: 0.95 });

    const top = roundUp(1.1 * D * optimalPolicy({ ...p, A: given.dearest }, N).cost);
    const ends = [-40 * k, 110 * k];
    valley.axes({
      x: { domain: ends, label: "Inventory position y (units)" },
      y: { domain: [0, top], label: "Cost (€ a year)" },
    });
    // Of each position from the one to the other: a step from its cost to a height.
    const filled = (from, to, height) => Array.from({ length: to - from + 2 }, (_, i) =>
      [from + i - 0.5, positionCost(p, from + i, N), height]);
    const last = best.reorderPoint + best.quantity;
    valley.area(filled(best.reorderPoint + 1, last, least), "demand", { opacity: 0.45, step: true });
    if (!isBest) valley.area(filled(r + 1, r + Q, average), "neutral", { opacity: 0.3, step: true });
    valley.line(filled(...ends, 0), "inventory", { step: true });
    valley.rule({ y: least }, "total", { dash: isBest ? null : "4 3", width: 1.2 });
    valley.text(ends[1], least, isBest ? "average" : "best average", "total", { anchor: "end", dx: 0 });
    const at = Math.min(average, top);
    if (!isBest) {
      valley.line([[r + 0.5, at], [r + Q + 0.5, at]], "total", { width: 2.6 });
    }
    const sides = [
      ["r", "Reorder point r", r + 0.5, 0.93, `r = ${whole(r)}`, { anchor: "end", dx: -12 }],
      ["Q", "Lot size Q", r + Q + 0.5, 0.8, `r + Q = ${whole(r + Q)}`, { anchor: "start", dx: 12 }],
    ];
    for (const [id, label, border, height, words, where] of sides) {
      const x = Math.min(border, ends[1]);
      valley.rule({ x }, "neutral");
      valley.text(x, height * top, words, "neutral", { ...where, dy: 5 });
      plot.handle(valley, {
        id, label, x, y: height * top, along: "x", color: "neutral", moves: { x: id },
        means: { x: (y) => (id === "r" ? y - 0.5 : y - 0.5 - r) },
      });
    }

    const { lots, points, heights, ridge } = mapOf(p, k, N);
    map.axes({
      x: { domain: [-40 * k, 50 * k], label: "Reorder point r (units)" },
      y: { domain: [0, 120 * k], label: "Lot size Q (units)" },
    });
    const labelled = ridge[Math.min(2 * best.quantity, 90 * k) - 1];
    map.contours(points, lots, heights, LEVELS.map((level) => level * least), "neutral", {
      format: (level) => `+${fixed(100 * (level / least - 1))}%`, from: labelled,
    });
    map.line([[-40 * k, 40 * k], [-1, 1]], "neutral", { dash: "2 4", width: 1 });
    map.text(-20 * k, 20 * k, "r = −Q", "neutral", { anchor: "end", dx: -8, dy: 14 });
    map.line(ridge, "setup", { dash: "5 3", width: 1.4 });
    map.text(...ridge[110 * k - 1], "best r", "setup", { dx: 10, dy: 4 });
    map.dots([[best.reorderPoint, best.quantity]], "setup", { radius: 5 });
    plot.handle(map, {
      id: "pair", label: "Lot size and reorder point", x: r, y: Q, moves: { x: "r", y: "Q" },
    });

    if (isBest) {
      return `${pair(Q, r)} is the best pair: beyond its price a pump costs ` +
        `${fixed(relevant, 3)} €.`;
    }
    const more = relevant / best.cost - 1;
    const [dear, cheap] = misplaced(p, Q, r, average, N);
    const are = (n) => (n === 1 ? "is" : "are");
    return `${pair(Q, r)}: beyond its price a pump costs ${fixed(relevant, 3)} €, ` +
      `${percent(more, more < 0.1 ? 2 : 0)} more than with the best pair, ` +
      `${pair(best.quantity, best.reorderPoint)}. ${count(dear, "position")} above its average ` +
      `${are(dear)} in, ${fixed(cheap)} below it ${are(cheap)} out.`;
  },
};
