// Lecture "Differentiate a simulation": what days of lead time cost, and what the slope says.
import { exact, leadTimeSlope } from "./base_stock.js";
import { fixed, linspace, longEnough, number, range } from "./numbers.js";
import { leadTimeDemand } from "./renewal.js";

const YEAR = 365; // days
const MOST = { days: 25, R: 40 };
const moreOrLess = (x) => `${number(Math.abs(x), 2)} € ${x < 0 ? "less" : "more"}`;

export const tangent = {
  draw(plot, { R, days, months, B }, { D, H }) {
    const shop = { H, B };
    const after = (more) => leadTimeDemand(D, months / 12 + more / YEAR);
    const cost = (more) => exact(shop, after(more), R).relevant;
    const [now, here] = [cost(0), cost(days)];
    const N = after(0);
    const slope = (level) => leadTimeSlope(shop, N, level) / YEAR;
    const says = slope(R) * days;
    const [curve, slopes] = plot.begin({ count: 2, ratio: 0.95 });
    const all = linspace(-MOST.days, MOST.days, 51).map((more) => [more, cost(more)]);
    const top = longEnough([2, 5, 10, 20, 50, 100, 200, 500], Math.max(...all.map(([, y]) => y)));
    curve.axes({
      x: { domain: [-MOST.days, MOST.days], label: "Days more of lead time" },
      y: { domain: [0, top], label: "Relevant cost (€)" },
    });
    curve.line([-MOST.days, MOST.days].map((more) => [more, now + slope(R) * more]), "neutral",
      { dash: "6 4" });
    curve.line(all, "total", { width: 2.6 });
    curve.line([[days, now + says], [days, here]], "backorder", { width: 2 });
    curve.dots([[0, now]], "total", { radius: 5 });
    curve.dots([[days, now + says]], "neutral", { radius: 4 });
    plot.handle(curve, {
      id: "days", label: "days more of lead time", x: days, y: here, moves: { x: "days" },
      color: "total",
    });
    const [low, high] = [-H / YEAR, B / YEAR];
    slopes.axes({
      x: { domain: [0, MOST.R], label: "Base-stock level R (units)" },
      y: { domain: [1.1 * low, 1.1 * high], label: "Slope (€ a day)" },
    });
    slopes.rule({ y: 0 }, "neutral");
    slopes.line(range(0, MOST.R).map((level) => [level, slope(level)]), "total", { width: 1.8 });
    slopes.text(MOST.R, 0, "slower is dearer", "neutral", { anchor: "end", dx: 0 });
    slopes.text(MOST.R, 0, "slower is cheaper", "neutral", { anchor: "end", dx: 0, dy: 16 });
    plot.handle(slopes, {
      id: "R", label: "base-stock level R", x: R, y: slope(R), moves: { x: "R" }, along: "x",
      color: "total",
    });
    const told = `At R = ${fixed(R)} the slope is ${number(slope(R), 2)} € a day. `;
    if (days === 0) return `${told}At this lead time a demand costs ${fixed(here, 2)} €.`;
    const shift = Math.abs(days);
    return `${told}With ${fixed(shift)} day${shift === 1 ? "" : "s"} ` +
      `${days < 0 ? "less" : "more"} a demand costs ${moreOrLess(here - now)}; the slope alone ` +
      `says ${moreOrLess(says)}.`;
  },
};
