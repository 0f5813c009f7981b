// Periodic review with a fixed cost an order, as lectures_helpers.optimal.periodic.

// The least K for which a function, given at consecutive whole numbers, is K-convex.
export function convexity(H) {
  let least = 0;
  for (let y = 1; y < H.length - 1; y++) {
    let steepest = -Infinity;
    for (let x = 0; x < y; x++) steepest = Math.max(steepest, (H[y] - H[x]) / (y - x));
    for (let z = y + 1; z < H.length; z++)
      least = Math.max(least, H[y] - H[z] + (z - y) * steepest);
  }
  return least;
}

// The stocks at which it pays to go to a lower place above for K more, as runs [from, to].
export function ordering(H, K) {
  const runs = [];
  let lowest = Infinity;
  for (let y = H.length - 1; y >= 0; y--) {
    lowest = Math.min(lowest, H[y]);
    if (H[y] <= K + lowest + 1e-6) continue;
    if (runs.length && runs[0][0] === y + 1) runs[0][0] = y;
    else runs.unshift([y, y]);
  }
  return runs;
}
