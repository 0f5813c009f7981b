// Simulation without an event list: the j-th demand is matched with the j-th unit to arrive.
// As lectures_helpers.classical.matching, for a start with no demand since the last order.
import { sum } from "./numbers.js";

// Dates of the first `numLots` orders, one at every Q-th demand; infinite if never.
export const orderTimes = (A, Q, numLots) =>
  Array.from({ length: numLots }, (_, k) => A[(k + 1) * Q - 1] ?? Infinity);

// Dates at which lots arrive, in the order of arrival; the k-th order takes L[k].
export const lotArrivals = (A, L, Q, numLots) =>
  orderTimes(A, Q, numLots).map((date, k) => date + L[k]).sort((a, b) => a - b);

// Arrivals U of the units that serve the first `numDemands` demands; `start` are there at date 0.
export const unitTimes = (lots, Q, start, numDemands) =>
  Array.from({ length: numDemands }, (_, j) =>
    j < start ? 0 : lots[Math.floor((j - start) / Q)] ?? Infinity);

// Means over the demands: time on the shelf of the units sold, wait, share served at once.
export const measure = (A, U) => {
  const mean = (of) => sum(A.map((date, j) => of(date, U[j]))) / A.length;
  return {
    held: mean((a, u) => Math.max(a - u, 0)),
    waited: mean((a, u) => Math.max(u - a, 0)),
    filled: mean((a, u) => Number(u <= a)),
  };
};

// Which order arrives as the first, the second, ...: their numbers, from 0 on.
export const orderOfArrival = (A, L) =>
  A.map((_, k) => k).sort((i, k) => A[i] + L[i] - A[k] - L[k] || i - k);

// On hand less backorders, [[date, from then on], ...], at date 0, at what comes until T, at T.
export const netInventory = (A, V, R, T) => {
  const until = (dates, t) => dates.filter((date) => date <= t).length;
  return [0, ...A, ...V, T].filter((t) => t <= T).sort((a, b) => a - b)
    .map((t) => [t, R + until(V, t) - until(A, t)]);
};

// What lies above zero and what below, of [[date, from then on], ...].
export const areas = (net) => [1, -1].map((sign) => sum(
  net.slice(0, -1).map(([t, x], i) => Math.max(sign * x, 0) * (net[i + 1][0] - t))));

// How long each one that comes waits for its partner, or until T for one who comes later.
export const stays = (come, partners, T) =>
  come.map((t, j) => Math.max(Math.min(partners[j] ?? Infinity, T) - t, 0));
