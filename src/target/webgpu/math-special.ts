import type { LibraryFunction } from "./math.ts";
import { float, polynomial } from "./number.ts";

/** ζ(k) - 1 for k = 2, 3, … */
const ZETA = [
  0.6449340668482264, 0.2020569031595943, 0.08232323371113819, 0.03692775514336993, 0.01734306198444914,
  0.008349277381922827, 0.00407735619794434, 0.0020083928260822143, 0.0009945751278180853, 0.0004941886041194645,
  0.0002460865533080483, 0.00012271334757848915, 6.124813505870483e-5, 3.058823630702049e-5,
];
/** 1 - γ, γ being the Euler–Mascheroni constant. */
const ONE_MINUS_EULER = 0.42278433509846713;

/** Functions that are rare in models. */
export const SPECIAL = {
  /** sin(πx + quarters·π/2), exact where x is an integer. */
  circular_pi: {
    needs: ["circular"],
    code: `
fn circular_pi(x: f32, quarters: i32) -> f32 {
  let nearest = round(x);
  let half = nearest * 0.5f;
  let value = circular((x - nearest) * ${float(Math.PI)}, quarters);
  return select(-value, value, half == floor(half));
}`,
  },
  /** ln Γ(2+z) = (1-γ) z + Σ (-1)ᵏ (ζ(k)-1) zᵏ / k, for |z| ≤ ½. Abramowitz & Stegun 6.1.33. */
  lgamma_near_two: {
    needs: [],
    code: `
fn lgamma_near_two(z: f32) -> f32 {
  let sum = ${polynomial("z", ZETA.map((value, index) => ((index % 2 === 0 ? 1 : -1) * value) / (index + 2)).toReversed())};
  return z * fma(z, sum, ${float(ONE_MINUS_EULER)});
}`,
  },
  /** ln |Γ(x)|: by Stirling's series from 10 on (6.1.41), next to 2 by its own, in between by products, left of 0 reflected. */
  lgamma_number: {
    needs: ["log_number", "log1p_number", "lgamma_near_two", "circular_pi", "infinity", "is_nan"],
    code: `
fn lgamma_positive(x: f32) -> f32 {
  if (x >= 10.0f) {
    let z = 1.0f / (x * x);
    let series = ${polynomial("z", [1 / 1260, -1 / 360, 1 / 12])};
    return (x - 0.5f) * log_number(x) - x + ${float(0.5 * Math.log(2 * Math.PI))} + series / x;
  }
  if (x < 0.5f) {
    return lgamma_near_two(x) - log_number(x) - log1p_number(x);
  }
  if (x < 1.5f) {
    return lgamma_near_two(x - 1.0f) - log1p_number(x - 1.0f);
  }
  var rest = x;
  var product = 1.0f;
  while (rest > 2.5f) {
    rest = rest - 1.0f;
    product = product * rest;
  }
  return lgamma_near_two(rest - 2.0f) + log_number(product);
}

fn lgamma_number(x: f32) -> f32 {
  if (is_nan(x)) {
    return x;
  }
  if ((bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u) {
    return infinity();
  }
  if (x > 0.0f) {
    return lgamma_positive(x);
  }
  let sine = abs(circular_pi(x, 0));
  if (sine == 0.0f) {
    return infinity();
  }
  return log_number(${float(Math.PI)} / sine) - lgamma_positive(1.0f - x);
}`,
  },
  /** ψ(2+z) = 1-γ + Σ (-1)ᵏ (ζ(k)-1) zᵏ⁻¹, for |z| ≤ ½ (Abramowitz & Stegun 6.3.14); from 10 on by 6.3.18; left of 0 reflected. */
  digamma_number: {
    needs: ["log_number", "circular_pi", "nan", "is_nan"],
    code: `
fn digamma_positive(x: f32) -> f32 {
  if (x >= 10.0f) {
    let z = 1.0f / (x * x);
    return log_number(x) - 0.5f / x - z * ${polynomial("z", [1 / 252, -1 / 120, 1 / 12])};
  }
  var at = x;
  var shift = 0.0f;
  while (at > 2.5f) {
    at = at - 1.0f;
    shift = shift + 1.0f / at;
  }
  while (at < 1.5f) {
    shift = shift - 1.0f / at;
    at = at + 1.0f;
  }
  let z = at - 2.0f;
  let sum = ${polynomial("z", ZETA.map((value, index) => (index % 2 === 0 ? 1 : -1) * value).toReversed())};
  return fma(z, sum, ${float(ONE_MINUS_EULER)}) + shift;
}

fn digamma_number(x: f32) -> f32 {
  if (is_nan(x) || bitcast<u32>(x) == 0x7f800000u) {
    return x;
  }
  if (x > 0.0f) {
    return digamma_positive(x);
  }
  let sine = circular_pi(x, 0);
  if (sine == 0.0f || bitcast<u32>(x) == 0xff800000u) {
    return nan();
  }
  return digamma_positive(1.0f - x) - ${float(Math.PI)} * circular_pi(x, 1) / sine;
}`,
  },
  /** xʸ: by multiplications for whole exponents up to 64, else e^(y ln |x|) with the sign of an odd power. */
  pow_number: {
    needs: ["exp_number", "log_number", "nan", "is_nan"],
    code: `
fn pow_number(x: f32, y: f32) -> f32 {
  if (y == 0.0f) {
    return 1.0f;
  }
  if (is_nan(x) || is_nan(y)) {
    return nan();
  }
  let whole = y == floor(y);
  if (whole && abs(y) <= 64.0f) {
    var left = u32(abs(y));
    var power = x;
    var product = 1.0f;
    while (left > 0u) {
      if ((left & 1u) == 1u) {
        product = product * power;
      }
      power = power * power;
      left = left >> 1u;
    }
    return select(product, 1.0f / product, y < 0.0f);
  }
  let infinite = (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u;
  if (x < 0.0f && !whole && !infinite) {
    return nan();
  }
  let value = exp_number(y * log_number(abs(x)));
  let half = y * 0.5f;
  let odd = whole && half != floor(half);
  return select(value, -value, odd && (bitcast<u32>(x) >> 31u) == 1u);
}`,
  },
  /** The remainder with the divisor's sign: |x| less multiples of |y| by powers of two, each taken away exactly. */
  mod_number: {
    needs: ["nan", "is_nan"],
    code: `
fn mod_number(x: f32, y: f32) -> f32 {
  let divisor = abs(y);
  var rest = abs(x);
  if (is_nan(x) || is_nan(y) || bitcast<u32>(rest) == 0x7f800000u || !(divisor > 0.0f)) {
    return nan();
  }
  while (divisor <= rest) {
    var step = divisor;
    while (step <= rest * 0.5f) {
      step = step * 2.0f;
    }
    rest = rest - step;
  }
  let signed = select(rest, -rest, x < 0.0f);
  return select(signed, signed + y, rest != 0.0f && ((signed < 0.0f) != (y < 0.0f)));
}`,
  },
  mod_integer: {
    needs: [],
    code: `
fn mod_integer(a: i32, b: i32) -> i32 {
  let rest = a % b;
  return select(rest, rest + b, rest != 0 && ((rest < 0) != (b < 0)));
}`,
  },
} as const satisfies Readonly<Record<string, LibraryFunction>>;
