import type { LibraryFunction } from "./math.ts";
import { float, polynomial } from "./number.ts";

const EXP = [1.9875691e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5];
const LOG = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
];
const TANH_ABOVE = [
  -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8, 1.48572235717979e-5,
  6.37261928875436e-4, 4.89352455891786e-3,
];
const TANH_BELOW = [1.19825839466702e-6, 1.18534705686654e-4, 2.268434632439e-3, 4.89352518554385e-3];
const ERF_ABOVE = [
  -2.72614225801306e-10, 2.77068142495902e-8, -2.10102402082508e-6, -5.69250639462346e-5, -7.34990630326855e-4,
  -2.95459980854025e-3, -1.60960333262415e-2,
];
const ERF_BELOW = [
  -1.45660718464996e-5, -2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3, -1.42647390514189e-2,
];

/** Numbers that WGSL does not write, and functions by polynomials. */
export const ELEMENTARY = {
  /** Not a constant expression: WGSL takes none that is not a number. */
  nan: {
    needs: [],
    code: `
fn nan() -> f32 {
  var bits = 0x7fc00000u;
  return bitcast<f32>(bits);
}`,
  },
  infinity: {
    needs: [],
    code: `
fn infinity() -> f32 {
  var bits = 0x7f800000u;
  return bitcast<f32>(bits);
}`,
  },
  /** By its bits: a compiler may take for granted that there are none. */
  is_nan: {
    needs: [],
    code: `
fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}`,
  },
  power_of_two: {
    needs: [],
    code: `
fn power_of_two(exponent: i32) -> f32 {
  return bitcast<f32>((exponent + 127) << 23u);
}`,
  },
  max_number: {
    needs: ["is_nan"],
    code: `
fn max_number(a: f32, b: f32) -> f32 {
  return select(select(select(b, a, a > b), a, is_nan(a)), b, is_nan(b));
}`,
  },
  min_number: {
    needs: ["is_nan"],
    code: `
fn min_number(a: f32, b: f32) -> f32 {
  return select(select(select(b, a, a < b), a, is_nan(a)), b, is_nan(b));
}`,
  },
  sign_of: {
    needs: [],
    code: `
fn sign_of(x: f32) -> f32 {
  return select(select(x, -1.0f, x < 0.0f), 1.0f, x > 0.0f);
}`,
  },
  /** 2ⁿ·e^r with |r| ≤ ln 2 / 2 (Cody & Waite 1980) and a polynomial of degree 7 (Moshier, Cephes `expf`); 2 ulp. */
  exp_number: {
    needs: ["is_nan", "power_of_two"],
    code: `
fn exp_number(x: f32) -> f32 {
  let clamped = clamp(x, -104.0f, 89.0f);
  let n = round(clamped * ${float(Math.LOG2E)});
  let r = fma(n, 2.1219444e-4f, fma(n, -0.693359375f, clamped));
  let tail = ${polynomial("r", EXP)};
  let value = fma(tail, r * r, r) + 1.0f;
  let exponent = i32(n);
  let half = exponent >> 1u;
  return select(value * power_of_two(half) * power_of_two(exponent - half), x, is_nan(x));
}`,
  },
  /** x = m·2ᵉ with m in [√½, √2) and ln(1+f) = f - f²/2 + f³ P(f) (Moshier, Cephes `logf`); 2 ulp. -∞ at 0, NaN below. */
  log_number: {
    needs: [],
    code: `
fn log_number(x: f32) -> f32 {
  let tiny = x < 1.1754944e-38f;
  let bits = bitcast<i32>(select(x, x * 8388608.0f, tiny)) - 0x3f3504f3;
  let f = bitcast<f32>((bits & 0x007fffff) + 0x3f3504f3) - 1.0f;
  let e = f32((bits >> 23u) - select(0, 23, tiny));
  let square = f * f;
  let series = ${polynomial("f", LOG)};
  let low = fma(series * f, square, e * -2.1219444e-4f);
  let value = fma(e, 0.693359375f, fma(square, -0.5f, low) + f);
  let finite = select(x, value, bitcast<u32>(x) < 0x7f800000u);
  let special = bitcast<f32>((bitcast<u32>(x) & 0x80000000u) | select(0x7fc00000u, 0xff800000u, x == 0.0f));
  return select(special, finite, x > 0.0f);
}`,
  },
  /** ln u · x/(u-1) with u = 1+x rounded, whose error the factor takes back (Kahan; Goldberg 1991, theorem 4); 3 ulp. */
  log1p_number: {
    needs: ["log_number"],
    code: `
fn log1p_number(x: f32) -> f32 {
  let u = x + 1.0f;
  let back = u - 1.0f;
  let corrected = log_number(u) * (x / back);
  return select(corrected, x, back == 0.0f || bitcast<u32>(x) == 0x7f800000u);
}`,
  },
  /** From e^-|x|, so that neither end loses digits; 4 ulp. */
  sigmoid_number: {
    needs: ["exp_number"],
    code: `
fn sigmoid_number(x: f32) -> f32 {
  let t = exp_number(max(-abs(x), -87.33f));
  let upper = 1.0f / (t + 1.0f);
  return select(select(upper, t * upper, x < 0.0f), x, (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u);
}`,
  },
  /** A rational function of degrees 13 and 6 (Eigen, `generic_fast_tanh_float`), itself where that is exact; 4 ulp. */
  tanh_number: {
    needs: ["is_nan"],
    code: `
fn tanh_number(x: f32) -> f32 {
  let clamped = clamp(x, -7.9053111f, 7.9053111f);
  let square = clamped * clamped;
  let above = clamped * ${polynomial("square", TANH_ABOVE)};
  let below = ${polynomial("square", TANH_BELOW)};
  return select(above / below, x, abs(x) < 0.0004f || is_nan(x));
}`,
  },
  /** A rational function of degrees 13 and 8 (TensorFlow's XLA, `ErfImpl32`); 8 ulp. */
  erf_number: {
    needs: ["is_nan"],
    code: `
fn erf_number(x: f32) -> f32 {
  let clamped = clamp(x, -4.0f, 4.0f);
  let square = clamped * clamped;
  let above = clamped * ${polynomial("square", ERF_ABOVE)};
  let below = ${polynomial("square", ERF_BELOW)};
  return select(above / below, x, is_nan(x));
}`,
  },
} as const satisfies Readonly<Record<string, LibraryFunction>>;
