// Lecture "A chain of stages": the beer game of stages that forecast from what they are asked for.
import { fixed, sum } from "./numbers.js";

const SHOWN = 45; // days
const JUMP = 5; // the first day on which customers take more
const BEFORE = 60; // days of history

const COLORS = ["total", "inventory", "demand", "setup", "fill-rate", "backorder", "holding"];
const DASHES = [null, null, "7 4", "7 3 2 3", "2 3"];

// What a stage orders that lifts its position to L times the mean of the last n days.
export function orders(demands, L, n) {
  const level = demands.slice(n - 1).map((_, t) => (L * sum(demands.slice(t, t + n))) / n);
  return demands.slice(n).map((demand, t) => demand + level[t + 1] - level[t]);
}

// Demand, and the orders of each stage, day by day.
export function beerGame(days, brew, sees, leadTimes) {
  const times = [...leadTimes.slice(0, -1), brew];
  const length = BEFORE + days * times.length + SHOWN;
  const rows = [Array.from({ length }, (_, t) => (t - length + SHOWN < JUMP ? 4 : 8))];
  times.forEach((L, j) => rows.push(sees === "customers"
    ? orders(rows[0], sum(times.slice(0, j + 1)), days)
    : orders(rows[j], L, days)));
  return rows.map((row) => row.slice(-SHOWN));
}

export const beer = {
  draw(plot, { days, brew, sees }, { names, leadTimes, wildest }) {
    const rows = beerGame(days, brew, sees, leadTimes);
    // Axes that stay as days move.
    const bounds = beerGame(wildest, brew, sees, leadTimes).at(-1);
    const [panel] = plot.begin();
    panel.axes({
      x: { domain: [0, SHOWN - 1], label: "Day" },
      y: {
        domain: [Math.min(0, ...bounds) - 1, 1.1 * Math.max(...bounds)],
        label: "Orders (kegs a day)",
      },
    });
    rows.forEach((row, j) => panel.line(row.flatMap((y, t) => [[t - 0.5, y], [t + 0.5, y]]),
      COLORS[j % 7], { dash: DASHES[j % 5] }));
    panel.legend(["customers", ...names].map((words, j) =>
      ({ words, color: COLORS[j % 7], dash: DASHES[j % 5] })));
    const last = rows.at(-1);
    const least = Math.min(...last);
    const back = least < -0.5 ? `, and up to ${fixed(-least)} a day are sent back` : "";
    const top = names.at(-1).startsWith("stage") ? names.at(-1) : `the ${names.at(-1)}`;
    return `Customers never take more than 8 kegs a day; ${top} is asked for up to ` +
      `${fixed(Math.max(...last), 1)} a day${back}.`;
  },
};
