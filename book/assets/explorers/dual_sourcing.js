// Two suppliers, as lectures_helpers.optimal.dual_sourcing, for a ship of two periods: a state is
// the stock x and what the ship brings next, q. A shop is {c_r, premium, h, b, pmf}.
import { range, sum } from "./numbers.js";

const CLOSE = 1e-9; // € between the bounds on the least cost
const MOST = 5000; // backups

// A newsvendor's level against a demand: the least y with h P(D <= y) >= b P(D > y).
function newsvendor({ h, b }, law) {
  let more = 0;
  const above = law.map(() => 0);
  for (let y = law.length - 1; y >= 0; y--) [above[y], more] = [more, more + law[y]];
  let served = 0;
  return law.findIndex((chance, y) => {
    served += chance;
    return h * served * (1 + 1e-12) >= b * above[y];
  });
}

function convolve(a, b) {
  const law = new Array(a.length + b.length - 1).fill(0);
  a.forEach((p, i) => b.forEach((q, j) => (law[i + j] += p * q)));
  return law;
}

// The box of states that no good rule leaves, (x, q) with x <= top and q <= most, and the cost of a
// period by the stock y after the aeroplane. No order lifts stock and orders together above `top`.
export function createTable(shop) {
  const { c_r, h, b, pmf } = shop;
  const most = Math.max(newsvendor(shop, convolve(convolve(pmf, pmf), pmf)), 1);
  const top = most + newsvendor(shop, pmf);
  const short = range(0, top + most).map((u) => sum(pmf.map((p, d) => p * Math.max(d - u, 0))));
  const mean = short[0];
  const costs = range(0, top).map((y) => c_r * mean + h * (y - mean + short[y]) + b * short[y]);
  return { ...shop, most, top, short, costs };
}

// E V(u - D, z) by u and z, with what must fly to come up to 0.
function toCome({ premium, pmf, most, top, short }, V) {
  const width = most + 1;
  const U = new Float64Array((top + most + 1) * width);
  for (let u = 0; u <= top + most; u++) {
    for (let z = 0; z <= most; z++) {
      let total = premium * short[u];
      for (let d = 0; d < pmf.length; d++)
        total += pmf[d] * V[Math.min(Math.max(u - d, 0), top) * width + z];
      U[u * width + z] = total;
    }
  }
  return U;
}

export function backup(table, V) {
  const { premium, most, top, costs } = table;
  const width = most + 1;
  const U = toCome(table, V);
  const best = Float64Array.from({ length: top + most + 1 }, (_, u) => {
    let least = U[u * width];
    for (let z = 1; z <= Math.min(most, top - u); z++) least = Math.min(least, U[u * width + z]);
    return least;
  });
  const TV = new Float64Array(V.length);
  for (let q = 0; q <= most; q++) {
    let fly = Infinity; // the best y that one may fly to, from the top down
    for (let x = top; x >= 0; x--) {
      const stay = costs[x] + best[x + q];
      fly += premium;
      if (x + q <= top) fly = Math.min(fly, stay);
      TV[x * width + q] = Math.min(stay, fly);
    }
  }
  return TV;
}

// Values of all states, and bounds on the least cost of any rule.
export function optimum(table, V = new Float64Array((table.top + 1) * (table.most + 1))) {
  let [lower, upper, narrowest] = [-Infinity, Infinity, Infinity];
  for (let i = 0, part = 1; i < MOST; i++) {
    const change = backup(table, V).map((next, state) => next - V[state]);
    lower = change.reduce((a, b) => Math.min(a, b));
    upper = change.reduce((a, b) => Math.max(a, b));
    if (upper - lower <= CLOSE) break;
    // A chain with a period lets V swing: then half a step has the same bounds and no period.
    if (i % 50 === 49) {
      if (upper - lower > 0.9 * narrowest) part = 0.5;
      narrowest = upper - lower;
    }
    V = V.map((value, state) => value + part * (change[state] - change[0]));
  }
  return { V, lower, upper };
}

// The best orders {e, z} of all states; the smaller of equals.
export function orders(table, V) {
  const { premium, most, top, costs } = table;
  const width = most + 1;
  const U = toCome(table, V);
  const H = (y, q, z) => costs[y] + U[(y + q) * width + z];
  let [low, high] = [Infinity, -Infinity];
  for (let y = 0; y <= top; y++) {
    for (let q = 0; q <= most; q++) {
      for (let z = 0; z <= most; z++) {
        low = Math.min(low, H(y, q, z));
        high = Math.max(high, H(y, q, z));
      }
    }
  }
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const near = 1e-9 * (high - low) + 4 * Number.EPSILON * largest; // equal but for rounding
  const e = new Int32Array(V.length);
  const z = new Int32Array(V.length);
  for (let q = 0; q <= most; q++) {
    let [least, stop] = [Infinity, top];
    const ship = new Int32Array(top + 1);
    for (let y = top; y >= 0; y--) {
      const ships = range(0, Math.max(0, Math.min(most, top - y - q)));
      const cheapest = ships.reduce((a, i) => Math.min(a, H(y, q, i)), Infinity);
      while (H(y, q, ship[y]) > cheapest + near) ship[y]++;
      const stay = cheapest + premium * y;
      if (y + q <= top) least = Math.min(least, stay);
      if (stay <= least + near) stop = y;
      e[y * width + q] = stop - y;
      z[y * width + q] = ship[stop];
    }
  }
  return { e, z };
}

// What share of all units flies under such orders, in the long run from an empty shop.
export function shareFlown({ pmf, most, top, short }, { e, z }) {
  const width = most + 1;
  let law = new Float64Array(e.length);
  law[0] = 1;
  for (let i = 0, change = 1; i < MOST && change > 1e-10; i++) {
    const next = law.map((chance) => 0.5 * chance); // half a step: no period
    law.forEach((chance, state) => {
      if (chance === 0) return;
      const u = Math.floor(state / width) + e[state] + (state % width);
      pmf.forEach((p, d) => {
        next[Math.min(Math.max(u - d, 0), top) * width + z[state]] += 0.5 * p * chance;
      });
    });
    change = next.reduce((total, chance, state) => total + Math.abs(chance - law[state]), 0);
    law = next;
  }
  // Who still waits when the ship has come is served by air at the start of the next period.
  const flown = law.reduce((total, chance, state) => {
    const u = Math.floor(state / width) + e[state] + (state % width);
    return total + chance * (e[state] + short[u]);
  }, 0);
  return flown / short[0];
}
