// Lecture "(Q, r)": how many customers wait, and for how much of the time.
import { fixed, percent, roundUp } from "./numbers.js";
import { exact, law, linesNeeded, netInventoryPmf, waitingTail } from "./qr.js";
import { whole } from "./waterline.js";

const ENDS = [-40, 70]; // of the net inventory that is shown

export const queue = {
  mend: ({ Q, r }) => ({ r: Math.max(r, -Q) }),

  draw(plot, p) {
    const { Q, r } = p;
    const N = law(p);
    const { fillRate, meanBackorders } = exact(p, Q, r, N);
    const shares = Array.from({ length: ENDS[1] - ENDS[0] + 1 }, (_, i) =>
      [ENDS[0] + i, netInventoryPmf(Q, r, ENDS[0] + i, N)]);
    const [panel] = plot.begin({ ratio: 0.5 });
    const { narrow } = plot; // then the words stand in three rows above the bars
    const most = Math.max(...shares.map(([, share]) => share));
    const top = narrow ? 1.5 * most : roundUp(1.25 * most);
    panel.axes({
      x: { domain: ENDS, label: "Net inventory (units)" },
      y: { domain: [0, top], label: "Share of time" },
    });
    const bars = (color, which, opacity) => panel.bars(shares.filter(([x]) => which(x))
      .map(([x, share]) => [x - 0.5, x + 0.5, share]), color, { opacity });
    bars("backorder", (x) => x < 0, 0.8);
    bars("neutral", (x) => x === 0, 1);
    bars("holding", (x) => x > 0, 0.6);
    const mean = r + (Q + 1) / 2 - N.mean;
    const height = (narrow ? 0.6 : 0.86) * top;
    const x = Math.min(Math.max(mean, ENDS[0]), ENDS[1]);
    panel.rule({ x }, "total");
    const waiting = waitingTail(Q, r, 1, N);
    const empty = netInventoryPmf(Q, r, 0, N);
    [
      [narrow ? "wait" : "customers wait", waiting, "backorder", 0],
      [narrow ? "zero" : "exactly zero", empty, "neutral", 1],
      ["on the shelf", 1 - waiting - empty, "holding", narrow ? 2 : 0],
    ].forEach(([words, share, color, row], i) => {
      const right = i === 2 && !narrow;
      panel.text(ENDS[Number(right)], top, `${words}: ${percent(share)}`, color, {
        anchor: right ? "end" : "start", dx: right ? 0 : 8, dy: 8 + 17 * row,
      });
    });
    panel.text(x, height, `mean ${fixed(mean, 1).replace("-", "−")}`, "total", { dx: 12, dy: 5 });
    plot.handle(panel, {
      id: "r", label: "Reorder point r, by the mean net inventory", x, y: height, along: "x",
      moves: { x: "r" }, means: { x: (place) => place - mean + r },
    });
    const lines = linesNeeded(Q, r, 0.99, N);
    return `With r = ${whole(r)} nobody waits for ${percent(1 - waiting, 2)} of the time; ` +
      `${fixed(lines)} ${lines === 1 ? "line is" : "lines are"} enough for 99% of it. ` +
      `${percent(fillRate, 2)} of the customers are served at once, and ` +
      `${fixed(meanBackorders, 2)} wait on average.`;
  },
};
