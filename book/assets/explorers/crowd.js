// Lecture "Distribution dynamics": the law of a crowd of firms that started together, and the
// share of them that restock.
import { marginal, peak, restocking, stationary } from "./crowd_law.js";
import { fixed, last, linspace, percent, roundUp } from "./numbers.js";

const LATEST = 365;

// A density as a line from just above 0 to S.
export const line = (s, law) =>
  [...(s > 0 ? linspace(0, s, 31).slice(1, -1).map((x) => [x, law.density(x)]) : []), ...law.above];

const inTheLongRun = last((s, S, μ, σ) => {
  const law = stationary({ s, S, μ, σ });
  return { law, points: line(s, law), tooth: Math.round(1 / law.waiting) };
});

const highest = (points) => points.reduce((most, [, y]) => Math.max(most, y), 0);

export const crowd = {
  draw(plot, p, { S, μ }) {
    const params = { s: p.s, S, μ, σ: p.σ };
    const { law: longRun, points, tooth } = inTheLongRun(p.s, S, μ, p.σ);
    const law = marginal(params, p.x_init, p.t);
    const density = line(p.s, law);
    // The axis holds the highest wave that is still to come in a tooth: it only shrinks with time.
    let most = Math.max(highest(density), highest(points));
    for (let t = p.t + 2; t <= p.t + tooth; t += 2)
      most = Math.max(most, peak(params, p.x_init, t));
    const high = roundUp(most);
    const [top, bottom] = plot.begin({ count: 2, stacked: true, ratio: [0.42, 0.33] });
    top.axes({
      x: { domain: [0, S], label: "Inventory (units)" },
      y: { domain: [0, 1.08 * high], label: "Density (per unit)" },
    });
    top.area(density.map(([x, y]) => [x, 0, y]), "inventory", { opacity: 0.15 });
    top.line(points, "neutral", { width: 1.4 });
    top.line(density, "inventory", { width: 2.2 });
    const handle = (id, label, words, x, y, dy) => {
      top.rule({ x }, "neutral", { dash: id === "s" ? "4 3" : "1 4" });
      top.text(x, y, words, "neutral", { dx: 12, dy });
      plot.handle(top, { id, label, x, y, moves: { x: id }, along: "x", color: "neutral" });
    };
    handle("x_init", "starting stock X₀", `X₀ = ${fixed(p.x_init)}`, p.x_init, 1.08 * high, 14);
    handle("s", "restock point s", `s = ${fixed(p.s)}`, p.s, 0, -10);
    const shares = Array.from(restocking(params, p.x_init, LATEST), (share, t) => [t, share]);
    shares.shift();
    bottom.axes({
      x: { domain: [0, LATEST], label: "Date t (periods)" },
      y: {
        domain: [0, 1.05 * roundUp(highest(shares))], label: "Firms that restock",
        format: (share) => percent(share, 0),
      },
    });
    bottom.line(shares, "setup", { step: true });
    bottom.rule({ y: longRun.waiting }, "neutral");
    plot.handle(bottom, {
      id: "t", label: "date t", x: p.t, y: law.waiting, moves: { x: "t" }, along: "x",
      color: "setup",
    });
    return `At date ${p.t} the mean stock is ${fixed(law.mean, 1)} units (in the long run ` +
      `${fixed(longRun.mean, 1)}), and ${percent(law.waiting)} of the firms restock ` +
      `(${percent(longRun.waiting)}).`;
  },
};
