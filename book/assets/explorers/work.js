// What solving a stock that expires takes: operations, bytes and seconds, as the lectures "The
// tensor backup" and "How large a shop" count them.
import { range, sum } from "./numbers.js";

// Operations of one backup with m classes of k levels and demand up to dMax, by method.
export function operations(m, k, dMax) {
  const d = Math.min(dMax, (m + 1) * (k - 1)); // more than all shelves hold is one case
  const states = k ** m;
  const matrices = sum(range(1, m).map((classes) => {
    const fronts = k + (m - classes) * (k - 1);
    // Entries that are not zero: the diagonal, and of u_1 - i = j those with n + j <= d.
    const entries = fronts * k +
      sum(range(1, k - 1).map((j) => (k - j) * Math.min(fronts, Math.max(d - j + 1, 0))));
    return (entries + fronts * k) * k ** (classes - 1);
  }));
  return {
    "definition": states * ((m * (k - 1)) / 2 + 1) * k * (d + 1),
    "tree, at most": states * k * (d + 1),
    matrices,
    "chains": (2 * k - 1) * states + (Math.max(2 * k - 1, d) * states) / k,
    "floor": states * k,
  };
}

// Columns worked on at once in 32 bits (tensor.block_size), of which a cache holds so many bytes.
export function blockSize(k, columns, cache) {
  let size = columns;
  while (size % k === 0 && size * k * (2 * k - 1) * 4 > cache) size /= k;
  return size;
}

// Bytes of each of n devices, and seconds of a period on them. Measured are {a, b} of equation
// "scale-time", {c} of "scale-memory", {whole} of the mesh, and the {cache}.
export function eachDevice(m, k, n, { c, whole, cache }) {
  const columns = k ** (m - 2);
  const tables = ((2 * k - 1) / k) * (1 + blockSize(k, columns, cache) / columns);
  const one = 4 * k ** m * (c + tables);
  return n === 1 ? one : shareOf(k, n) * one + whole * 4 * k ** (m - 1);
}

export const seconds = (m, k, n, { a, b }) => a + shareOf(k, n) * b * k ** (m + 1);

const shareOf = (k, n) => Math.ceil(k / n) / k; // padding included
