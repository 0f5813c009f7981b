// Random numbers as JAX draws them: the generator threefry2x32 (Salmon, Moraes, Dror and Shaw,
// 2011) in the way that jax.random uses it by default. A key is a pair of unsigned 32-bit words,
// as jax.random.key_data shows it; the same key gives the same customers as in the notebook.
import { erfcinv } from "./vendor/special.js";

const ROTATIONS = [[13, 15, 26, 6], [17, 29, 16, 24]];

// Two words of noise from a key and a counter of two words.
function threefry([k0, k1], [x0, x1]) {
  const keys = [k0, k1, k0 ^ k1 ^ 0x1bd11bda];
  x0 = (x0 + k0) >>> 0;
  x1 = (x1 + k1) >>> 0;
  for (let i = 0; i < 5; i++) {
    for (const r of ROTATIONS[i % 2]) {
      x0 = (x0 + x1) >>> 0;
      x1 = (((x1 << r) | (x1 >>> (32 - r))) ^ x0) >>> 0;
    }
    x0 = (x0 + keys[(i + 1) % 3]) >>> 0;
    x1 = (x1 + keys[(i + 2) % 3] + i + 1) >>> 0;
  }
  return [x0, x1];
}

// The key of an integer, as jax.random.key(seed) for 0 <= seed < 2^32.
export const key = (seed) => [0, seed >>> 0];

export const foldIn = (of, number) => threefry(of, [0, number >>> 0]);

export const split = (of, count = 2) =>
  Array.from({ length: count }, (_, i) => threefry(of, [0, i]));

// `count` words of 32 random bits.
export function bits(of, count) {
  const words = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const [high, low] = threefry(of, [0, i]);
    words[i] = high ^ low;
  }
  return words;
}

// Uniform on [0, 1), in steps of 2^-23 as single precision draws them.
export const uniform = (of, count) =>
  Float64Array.from(bits(of, count), (word) => (word >>> 9) * 2 ** -23);

// Standard normal, from the uniforms that jax.random.normal takes in single precision.
export function normal(of, count) {
  const low = Math.fround(-1 + 2 ** -24);
  return uniform(of, count).map((u) => {
    const v = Math.max(low, Math.fround(Math.fround(u * Math.fround(1 - low)) + low));
    return Math.SQRT2 * erfcinv(1 - v);
  });
}
