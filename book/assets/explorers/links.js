// Lecture "Base stock": eight demands, the units that serve them, and the areas that they leave.
import {
  areas, lotArrivals, netInventory, orderOfArrival, stays, unitTimes,
} from "./matching.js";
import { clamp, count, fixed, sum } from "./numbers.js";

const LEAST = 0.1; // days: the shortest lead time, and the step of what is dragged
const CLOSE = 18; // pixels between two numbers that stand in one row

const numbers = (given) => given.A[0].map((_, k) => k + 1);
const dates = (p, letter, given) => numbers(given).map((k) => p[letter + k]);

// Tenths of days up to the picture's end, and the dates that demands are drawn with.
function values(low, high, drawn) {
  const tenths = Array.from({ length: Math.round((high - low) / LEAST) + 1 }, (_, i) =>
    Number((low + i * LEAST).toFixed(1)));
  return [...new Set([...tenths, ...drawn.flat()])].sort((a, b) => a - b);
}

// Other demands come with dates of their own. A demand that is moved stays between its neighbours,
// and all orders arrive in the picture.
export function mend(p, moved, given) {
  let [A, L] = ["A", "L"].map((letter) => dates(p, letter, given));
  if (moved.includes("demands") && !moved.some((name) => /^[AL]/.test(name))) {
    const which = given.demands.indexOf(p.demands);
    [A, L] = [given.A[which], given.L[which]];
  }
  const mended = [...A];
  A.forEach((date, k) => {
    if (moved.includes(`A${k + 1}`))
      mended[k] = clamp(date, 0, Math.min(mended[k + 1] ?? Infinity, given.horizon - L[k]));
    mended[k] = Math.max(mended[k], mended[k - 1] ?? 0);
  });
  return Object.fromEntries(mended.flatMap((date, k) => [
    [`A${k + 1}`, date], [`L${k + 1}`, Math.min(L[k], given.horizon - date)],
  ]));
}

export const links = {
  // Dates of demands A1, A2, ... and lead times L1, L2, ... of their orders.
  extra(given) {
    const all = {
      A: values(0, given.horizon - LEAST, given.A), L: values(LEAST, given.horizon, given.L),
    };
    return Object.entries(all).flatMap(([letter, some]) => numbers(given).map((k) => ({
      name: letter + k, values: some, texts: some.map(String),
      start: some.indexOf(given[letter][0][k - 1]),
    })));
  },

  mend,

  draw(plot, p, given) {
    const { R, cut } = p;
    const [A, L] = ["A", "L"].map((letter) => dates(p, letter, given));
    const n = A.length;
    const V = lotArrivals(A, L, 1, n);
    const by = orderOfArrival(A, L);
    const U = unitTimes(V, 1, R, n);
    const T = Math.max(A[n - 1], U[n - 1]);
    const [top, bottom] = plot.begin({ count: 2, stacked: true, ratio: [0.36, 0.48] });
    const days = { domain: [-2, given.horizon], label: "Day" };

    top.axes({ x: { ...days, label: "" }, y: { domain: [-0.95, 1.4], label: "", values: [] } });
    top.text(given.horizon, 1, "demands", "demand", { anchor: "end", dx: 0, dy: -10 });
    top.text(given.horizon, 0, "units", "inventory", { anchor: "end", dx: 0, dy: -10 });
    A.forEach((date, j) => {
      const waits = U[j] > date;
      top.line([[U[j], 0], [date, 1]], waits ? "backorder" : "holding", { dash: waits ? "5 3" : null });
    });
    // Numbers that would cover one another take turns in two rows.
    const rows = (at) => {
      const row = [];
      at.forEach((x, i) => row.push(
        i && top.x(x) - top.x(at[i - 1]) < CLOSE ? 1 - row[i - 1] : 0));
      return row;
    };
    const write = (x, y, dy, words, color) =>
      top.text(x, y, words, color, { anchor: "middle", dx: 0, dy, free: true });
    rows(A).forEach((row, j) => write(A[j], 1, -14 - 13 * row, j + 1, "total"));
    rows(V).forEach((row, k) => {
      const color = k < n - R ? "total" : "neutral"; // the last ones serve later demands
      write(V[k], 0, 24 + 27 * row, R + k + 1, color);
      write(V[k], 0, 37 + 27 * row, `(${by[k] + 1})`, color);
    });
    if (R) {
      top.dots([[0, 0]], "inventory", { radius: 7 });
      write(0, 0, 24, R === 1 ? "1" : `1–${R}`, "total");
    }
    A.forEach((date, k) => plot.handle(top, {
      id: `A${k + 1}`, label: `Demand ${k + 1}`, x: date, y: 1, moves: { x: `A${k + 1}` },
      color: "demand",
    }));
    A.forEach((date, k) => plot.handle(top, {
      id: `L${k + 1}`, label: `Arrival of the order of demand ${k + 1}`, x: date + L[k], y: 0,
      moves: { x: `L${k + 1}` }, means: { x: (arrives) => arrives - date }, color: "inventory",
    }));

    const [blue, vermilion] = cut === given.cuts[0]
      ? dayByDay(bottom, days, netInventory(A, V, R, T), n)
      : oneByOne(bottom, days, A, [...Array(R).fill(0), ...V], T);

    const late = sum(A.map((date, j) => Number(U[j] > date)));
    const overtaken = sum(by.map((k, i) => Number(by.slice(0, i).some((other) => other > k))));
    return `With R = ${R}, ${late || "none"} of the ${n} customers ${late > 1 ? "wait" : "waits"}; ` +
      `${count(overtaken, "order is", "orders are")} overtaken. ` + (cut === given.cuts[0]
      ? `Day by day, the vermilion area is ${fixed(vermilion, 2)} customer-days, the blue one ` +
        `${fixed(blue, 2)} unit-days.`
      : `One by one, customers wait for ${fixed(vermilion, 2)} days (vermilion) and units for ` +
        `${fixed(blue, 2)} (blue).`);
  },
};

// Stock and backorders from day to day, in slices as wide as nothing changes; returns both areas.
function dayByDay(panel, days, net, n) {
  panel.axes({ x: days, y: { domain: [-n - 0.4, n + 0.4], label: "Net inventory (units)" } });
  net.slice(0, -1).forEach(([t, x], i) => panel.area(
    [[t, 0, x], [net[i + 1][0], 0, x]], x > 0 ? "holding" : "backorder",
    { opacity: i % 2 ? 0.25 : 0.45 },
  ));
  panel.rule({ y: 0 }, "neutral", { dash: null, width: 1 });
  panel.line(net, "inventory", { step: true });
  return areas(net);
}

// A bar for each unit or customer, as long as it waits for the other one, or until T; returns the
// lengths of all bars, units' and customers'.
function oneByOne(panel, days, A, units, T) {
  panel.axes({
    x: days, y: { domain: [0, 2 * A.length + 0.4], label: "So far (units, customers)" },
  });
  units.forEach((come, j) => {
    const asked = A[j] ?? Infinity; // by a later customer
    const [from, to] = [Math.min(come, asked), Math.min(Math.max(come, asked), T)];
    if (!(from < to)) return;
    const color = come < asked ? "holding" : "backorder";
    panel.area([[from, j, j + 1], [to, j, j + 1]], color, { opacity: asked < Infinity ? 0.4 : 0.2 });
    if (asked < Infinity)
      panel.line([[come, j + 0.5], [asked, j + 0.5]], color, { dash: come < asked ? null : "5 3" });
  });
  for (const [dates, color] of [[units, "inventory"], [A, "demand"]]) {
    const so = (t) => dates.filter((date) => date <= t).length;
    const steps = [0, ...dates, T].filter((t) => t <= T).map((t) => [t, so(t)]);
    panel.line(steps, color, { step: true });
    const words = color === "demand" ? { name: "customers", dy: 12 } : { name: "units", dy: -2 };
    panel.text(T, so(T), words.name, color, { dy: words.dy });
  }
  return [stays(units, A, T), stays(A, units, T)].map(sum);
}
