// Goods that perish, of two classes, whose orders come overnight: lectures_helpers.expiry.issuing
// with m = 2 and L = 1. A state is x = (x_1, x_2), the old class first, numbered x_1 k + x_2; a shop
// is {issuing, k, pmf, c, p, θ, h, α}, with orders of less than k units.
import { gammaTails } from "./probability.js";
import { range, sum } from "./numbers.js";

const TINY = 1e-15; // of a law, where it is cut
const MOST = 5000; // backups

// A gamma law in whole units, P(D = d) = F(d + 1/2) - F(d - 1/2).
export function gammaPmf(mean, cv) {
  const [shape, scale] = [cv ** -2, mean * cv ** 2];
  const pmf = [];
  for (let d = 0, below = 0; ; d++) {
    const [reached] = gammaTails(shape, (d + 0.5) / scale);
    pmf.push(reached - below);
    below = reached;
    if (gammaTails(shape, d / scale)[1] <= TINY) break;
  }
  const total = sum(pmf);
  return pmf.map((chance) => chance / total);
}

// Expected cost of a period by state, orders apart, and laws[x]: of what is left of the fresh class.
export function createTable(shop) {
  const { issuing, k, pmf, p, θ, h } = shop;
  const cdf = [];
  pmf.reduce((total, chance) => (cdf.push(total + chance), total + chance), 0);
  const below = (n) => (n < 0 ? 0 : cdf[Math.min(n, cdf.length - 1)]); // P(D <= n)
  const left = [0]; // E (n - D)^+
  for (let n = 0; n < 2 * k; n++) left.push(left[n] + below(n));
  const mean = sum(pmf.map((chance, d) => d * chance));
  const costs = new Float64Array(k * k);
  const laws = range(0, k * k - 1).map((x) => {
    const [old, fresh] = [Math.floor(x / k), x % k];
    const total = old + fresh;
    const wasted = issuing === "FIFO" ? left[old] : left[total] - left[fresh];
    costs[x] = p * (mean - total + left[total]) + h * (left[total] - wasted) + θ * wasted;
    const front = issuing === "FIFO" ? old : 0;
    return range(0, fresh).map((kept) => {
      const taken = front + fresh - kept; // of which P(D = taken), but at both ends
      const least = kept === fresh ? 0 : below(taken - 1);
      return (kept === 0 ? 1 : below(taken)) - least;
    });
  });
  return { ...shop, costs, laws };
}

// Cost of each order, one after the other, in state x.
function options({ k, c, α, laws }, V, x) {
  return range(0, k - 1).map((q) => {
    let later = 0;
    laws[x].forEach((chance, kept) => (later += chance * V[kept * k + q]));
    return c * q + α * later;
  });
}

// The least cost from each state on. (Written out: it runs hundreds of times for a picture.)
export function backup({ k, c, α, costs, laws }, V) {
  const TV = new Float64Array(V.length);
  for (let x = 0; x < TV.length; x++) {
    const law = laws[x];
    let best = Infinity;
    for (let q = 0; q < k; q++) {
      let later = 0;
      for (let kept = 0; kept < law.length; kept++) later += law[kept] * V[kept * k + q];
      best = Math.min(best, c * q + α * later);
    }
    TV[x] = costs[x] + best;
  }
  return TV;
}

// {V} values, {orders} the smallest best ones, and bounds on the cost from the empty shop for ever.
export function optimum(shop, tol) {
  const table = createTable(shop);
  const { α } = table;
  let V = new Float64Array(table.costs.length);
  let [low, high] = [0, 0];
  for (let i = 0; i < MOST; i++) {
    const TV = backup(table, V);
    const change = TV.map((next, x) => next - V[x]);
    [low, high] = [Math.min(...change), Math.max(...change)].map((x) => (α / (1 - α)) * x);
    V = TV;
    if (high - low <= tol) break;
  }
  const orders = table.costs.map((_, x) => {
    const costs = options(table, V, x);
    const best = Math.min(...costs);
    return costs.findIndex((cost) => cost <= best + 1e-11 * Math.abs(best));
  });
  return { V, orders: [...orders], lower: V[0] + low, upper: V[0] + high };
}

// What orders by state earn: minus the mean discounted cost of `days`, after a warm-up from empty.
export function ruleReturn(shop, orders, warmUp = 100, days = 365) {
  const { k, c, α, costs, laws } = createTable(shop);
  let law = new Float64Array(k * k);
  law[0] = 1;
  let [earned, factor] = [0, 1];
  for (let t = 0; t < warmUp + days; t++) {
    const next = new Float64Array(k * k);
    let cost = 0;
    for (let x = 0; x < law.length; x++) {
      if (law[x] === 0) continue;
      cost += law[x] * (costs[x] + c * orders[x]);
      for (let kept = 0; kept < laws[x].length; kept++)
        next[kept * k + orders[x]] += law[x] * laws[x][kept];
    }
    law = next;
    if (t < warmUp) continue;
    earned -= factor * cost;
    factor *= α;
  }
  return earned;
}
