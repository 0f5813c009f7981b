// Lecture "A ship and an aeroplane": how far four rules lie above the least cost.
import { count, fixed, roundUp } from "./numbers.js";

const LOOKS = {
  "capped dual index": { color: "setup" },
  "dual index": { color: "holding", dash: "6 3" },
  "single index": { color: "backorder", dash: "2 3" },
  "tailored base-surge": { color: "neutral", dash: "6 3 1 3" },
};

export const dualRules = {
  draw(plot, { premium, law, periods }, { premiums, times, gaps }) {
    const row = premiums.indexOf(premium);
    const lines = Object.fromEntries(Object.keys(LOOKS).map((name) =>
      [name, gaps[name][law][row]]));
    const [panel] = plot.begin();
    const top = Math.max(...Object.values(lines).flat(), 0.1);
    panel.axes({
      x: {
        domain: [0.8, times.length + 0.2], label: "Lead time of the ship l (periods)",
        values: times,
      },
      y: { domain: [0, roundUp(1.3 * top)], label: "Above the least (%)" },
    });
    panel.rule({ x: periods }, "neutral");
    for (const [name, look] of Object.entries(LOOKS)) {
      const points = lines[name].map((gap, i) => [times[i], gap]);
      panel.line(points, look.color, { dash: look.dash ?? null });
      panel.dots(points, look.color, { radius: 3 });
    }
    panel.legend(Object.entries(LOOKS).map(([name, look]) => ({ words: name, ...look })), {
      columns: plot.narrow ? 1 : 2, corner: "top left",
    });
    plot.handle(panel, {
      id: "periods", label: "lead time of the ship", x: periods, y: 0, moves: { x: "periods" },
      along: "x", color: "neutral",
    });
    const i = times.indexOf(periods);
    const order = Object.keys(LOOKS).sort((one, other) => lines[one][i] - lines[other][i]);
    if (lines[order[3]][i] < 0.05)
      return `With a ship of ${count(periods, "period")} all four rules are as good as ` +
        "the best of any kind.";
    const said = (name) => `the ${name} ${fixed(lines[name][i], 1)}%`;
    return `With a ship of ${count(periods, "period")} the ${order[0]} comes closest: what a rule ` +
      `decides costs ${fixed(lines[order[0]][i], 1)}% more than the least; ` +
      `${order.slice(1).map(said).join(", ")}.`;
  },
};
