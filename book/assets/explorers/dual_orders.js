// Lecture "A ship and an aeroplane": the best two orders in each state of a shop.
import { createTable, optimum, orders, shareFlown } from "./dual_sourcing.js";
import { pick } from "./expiring.js";
import { fixed, percent, range } from "./numbers.js";

export const dualOrders = {
  draw(plot, { premium, h, law, x, q }, given) {
    const table = createTable({ ...given, premium, h, pmf: given.laws[law] });
    const { V, upper } = optimum(table);
    const { e, z } = orders(table, V);
    const at = (stock, ship) =>
      Math.min(stock, table.top) * (table.most + 1) + Math.min(ship, table.most);
    const [stocks, ships] = [range(0, given.stocks - 1), range(0, given.ships - 1)];
    const panels = plot.begin({ count: 2, ratio: 1 });
    for (const [panel, order, title] of [
      [panels[0], e, "Order by air (units)"], [panels[1], z, "Order by ship (units)"],
    ]) {
      const axis = (label, values) =>
        ({ domain: [-0.5, values.length - 0.5], label, values });
      panel.axes({
        x: axis("The ship brings next q (units)", ships), y: axis("Stock x (units)", stocks),
      });
      panel.title(title);
      panel.cells(stocks.flatMap((stock) => ships.map((ship) =>
        [ship, stock, order[at(stock, ship)]])), { low: 0, high: table.pmf.length - 1 });
      const moves = order === e ? { x: "q", y: "x" } : null;
      pick(plot, panel, [q, x], moves, "stock, and what the ship brings next");
    }
    const filled = stocks.filter((stock) => e[at(stock, 0)] > 0).length;
    const anyway = table.c_r * table.short[0];
    return `With ${x} in the shop and ${q} at sea, fly ${e[at(x, q)]} and ship ${z[at(x, q)]}. ` +
      `The aeroplane fills the shop up to ${filled} if no ship comes next, and carries ` +
      `${percent(shareFlown(table, { e, z }))} of all units. No rule costs less than ` +
      `${fixed(upper - anyway, 2)} € a period above the ship's price.`;
  },
};
