import { f32x4, i32x4, type V128, v128 } from "./encode-code.ts";

/** How intermediate values are kept while a function is written out in place. */
export interface MathScope {
  /** Computes once, to be read several times. */
  once(code: V128): V128;
  /** a·b + c */
  multiplyAdd(a: V128, b: V128, c: V128): V128;
  /** `a` in the lanes where the mask is all ones, `b` where it is all zeros. */
  select(a: V128, b: V128, mask: V128): V128;
  /** A number in all lanes, kept in a variable outside of all loops: V8 makes constants anew wherever they are read, which takes twice as long. */
  float(value: number): V128;
  int(value: number): V128;
}

/*
 * Functions of four floats at once. Errors are in units in the last place (ulp) of the float result, measured over all binades in
 * test/wasm/math.test.ts. NaN gives NaN.
 */

/** Σ cᵢ xⁱ by Horner, the highest coefficient first. */
function polynomial(m: MathScope, x: V128, coefficients: readonly number[]): V128 {
  const [first = 0, ...rest] = coefficients;
  return rest.reduce((sum, coefficient) => m.multiplyAdd(sum, x, m.float(coefficient)), m.float(first));
}

/**
 * eˣ, 2 ulp; denormal results to 1 unit of the smallest. 2ⁿ·e^r with |r| ≤ ln 2 / 2 (Cody & Waite 1980) and a polynomial of degree 7
 * (Moshier, Cephes `expf`). 2ⁿ is multiplied in two factors, so that both ends of the range come out rounded once.
 */
export function exp(m: MathScope, x: V128): V128 {
  const clamped = m.once(f32x4.pseudoMax(f32x4.pseudoMin(x, m.float(89)), m.float(-104)));
  const rounded = m.once(m.multiplyAdd(clamped, m.float(Math.LOG2E), m.float(ROUND)));
  const n = m.once(f32x4.sub(rounded, m.float(ROUND)));
  const high = m.multiplyAdd(n, m.float(-LN2_HIGH), clamped);
  const r = m.once(m.multiplyAdd(n, m.float(-LN2_LOW), high));
  const tail = polynomial(m, r, EXP_COEFFICIENTS);
  const value = f32x4.add(m.multiplyAdd(tail, f32x4.mul(r, r), r), m.float(1));
  const exponent = m.once(i32x4.sub(rounded, m.float(ROUND)));
  const half = m.once(i32x4.shrSigned(exponent, 1));
  return f32x4.mul(f32x4.mul(value, powerOfTwo(m, half)), powerOfTwo(m, i32x4.sub(exponent, half)));
}

/** A float's last bit counts ones here: what is added to it is rounded, and the sum's bits end in the whole number. */
const ROUND = 1.5 * 2 ** 23;

const EXP_COEFFICIENTS = [1.9875691e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5];
const EXP_OF_MINUS = EXP_COEFFICIENTS.map((coefficient, place) => (place % 2 === 0 ? -coefficient : coefficient));

/** ln 2 in two parts, the first short enough that its products with small integers are exact. */
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.121944400546906e-4;

function powerOfTwo(m: MathScope, exponent: V128): V128 {
  return i32x4.shl(i32x4.add(exponent, m.int(127)), 23);
}

/**
 * ln x, 2 ulp: x = m·2ᵉ with m in [√½, √2) and ln(1+f) = f - f²/2 + f³ P(f) (Moshier, Cephes `logf`). -∞ at 0, NaN below.
 */
export function log(m: MathScope, x: V128): V128 {
  const tiny = m.once(f32x4.lt(x, m.float(SMALLEST_NORMAL)));
  const scaled = m.once(m.select(f32x4.mul(x, m.float(2 ** 23)), x, tiny));
  const bits = i32x4.sub(scaled, m.int(HALF_ROOT_BITS));
  const shift = m.once(bits);
  const mantissa = i32x4.add(v128.and(shift, m.int(0x007fffff)), m.int(HALF_ROOT_BITS));
  const lost = v128.and(tiny, m.int(23));
  const e = m.once(f32x4.convert(i32x4.sub(i32x4.shrSigned(shift, 23), lost)));
  const f = m.once(f32x4.sub(mantissa, m.float(1)));
  const square = m.once(f32x4.mul(f, f));
  const series = polynomial(m, f, LOG_COEFFICIENTS);
  const low = m.multiplyAdd(f32x4.mul(series, f), square, f32x4.mul(e, m.float(LN2_LOW)));
  const small = m.multiplyAdd(square, m.float(-0.5), low);
  const value = m.multiplyAdd(e, m.float(LN2_HIGH), f32x4.add(small, f));
  // +∞ stays itself, 0 gives -∞, what is below gives NaN.
  const finite = m.select(value, x, f32x4.lt(x, m.float(Number.POSITIVE_INFINITY)));
  const positive = m.select(finite, m.float(Number.NaN), f32x4.gt(x, m.float(0)));
  return m.select(m.float(Number.NEGATIVE_INFINITY), positive, f32x4.eq(x, m.float(0)));
}

const SMALLEST_NORMAL = 2 ** -126;
/** The bits of the float √½. */
const HALF_ROOT_BITS = 0x3f3504f3;
const LOG_COEFFICIENTS = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
];

/** ln(1+x), 3 ulp: ln u · x/(u-1) with u = 1+x rounded, whose error the factor takes back (Kahan; Goldberg 1991, theorem 4). */
export function log1p(m: MathScope, x: V128): V128 {
  const u = m.once(f32x4.add(x, m.float(1)));
  const back = m.once(f32x4.sub(u, m.float(1)));
  const corrected = f32x4.mul(log(m, u), f32x4.div(x, back));
  const kept = v128.or(f32x4.eq(back, m.float(0)), f32x4.eq(x, m.float(Number.POSITIVE_INFINITY)));
  return m.select(x, corrected, kept);
}

/**
 * 1/(1+e⁻ˣ), 4 ulp; below -87.3 the smallest normal number, 2⁻¹²⁶, instead of less. e⁻ˣ = 2ⁿ·e⁻ʳ as in `exp`; n comes out of the rounding
 * with 127 added, which is 2ⁿ when it is moved to the exponent's bits.
 */
export function sigmoid(m: MathScope, x: V128): V128 {
  const clamped = m.once(f32x4.pseudoMax(f32x4.pseudoMin(x, m.float(SIGMOID_LIMIT)), m.float(-SIGMOID_LIMIT)));
  const biased = m.once(m.multiplyAdd(clamped, m.float(-Math.LOG2E), m.float(ROUND + 127)));
  const n = m.once(f32x4.sub(biased, m.float(ROUND + 127)));
  const r = m.once(m.multiplyAdd(n, m.float(LN2_LOW), m.multiplyAdd(n, m.float(LN2_HIGH), clamped)));
  const tail = polynomial(m, r, EXP_OF_MINUS);
  const value = m.multiplyAdd(tail, f32x4.mul(r, r), f32x4.sub(m.float(1), r));
  return f32x4.div(m.float(1), m.multiplyAdd(value, i32x4.shl(biased, 23), m.float(1)));
}

const SIGMOID_LIMIT = 87.3365;

/**
 * tanh x, 4 ulp: a rational function of degrees 13 and 6 (Eigen, `generic_fast_tanh_float`), both sides divided by their constant, so that
 * it is x itself next to 0; last digits of coefficients searched for the least error in floats.
 */
export function tanh(m: MathScope, x: V128): V128 {
  const clamped = m.once(f32x4.pseudoMax(f32x4.pseudoMin(x, m.float(TANH_LIMIT)), m.float(-TANH_LIMIT)));
  const square = m.once(f32x4.mul(clamped, clamped));
  const above = f32x4.mul(polynomial(m, square, TANH_ABOVE), clamped);
  return f32x4.div(above, polynomial(m, square, TANH_BELOW));
}

/** From here on the nearest float of tanh is 1. */
const TANH_LIMIT = 7.905311107635498;
const TANH_ABOVE = [
  -5.6425865499129535e-14, 4.087737093261268e-11, -1.7583779765573126e-8, 1.0467488209542353e-5, 3.036098787561059e-3,
  0.1302255243062973, 1,
];
const TANH_BELOW = [2.4486618349328637e-4, 2.4222761392593384e-2, 0.4635584056377411, 1];

/** (2/√π) ∫₀ˣ e^(-t²) dt, 8 ulp: a rational function of degrees 13 and 8 (TensorFlow's XLA, `ErfImpl32`). */
export function erf(m: MathScope, x: V128): V128 {
  const clamped = m.once(f32x4.pseudoMax(f32x4.pseudoMin(x, m.float(4)), m.float(-4)));
  const square = m.once(f32x4.mul(clamped, clamped));
  return f32x4.mul(f32x4.div(polynomial(m, square, ERF_ABOVE), polynomial(m, square, ERF_BELOW)), clamped);
}

const ERF_ABOVE = [
  -2.72614225801306e-10, 2.77068142495902e-8, -2.10102402082508e-6, -5.69250639462346e-5, -7.34990630326855e-4,
  -2.95459980854025e-3, -1.60960333262415e-2,
];
const ERF_BELOW = [
  -1.45660718464996e-5, -2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3, -1.42647390514189e-2,
];

/** cos(2πx) for 0 ≤ x ≤ 1, to 2e-7: sin(2πt) with t = ¼ - |x - round x| and the Taylor series of sine to degree 13. */
export function cosineOfTurns(m: MathScope, x: V128): V128 {
  const rest = f32x4.sub(x, f32x4.nearest(x));
  const t = m.once(f32x4.sub(m.float(0.25), f32x4.abs(rest)));
  const square = m.once(f32x4.mul(t, t));
  return f32x4.mul(t, polynomial(m, square, SINE_OF_TURNS));
}

/** (-1)ᵏ (2π)²ᵏ⁺¹ / (2k+1)! for k = 6 … 0. */
const SINE_OF_TURNS: readonly number[] = [6, 5, 4, 3, 2, 1, 0].map((k) => {
  let value = 2 * Math.PI;
  for (let n = 1; n <= k; n++) value *= -((2 * Math.PI) ** 2) / (2 * n * (2 * n + 1));
  return value;
});
