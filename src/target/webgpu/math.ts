/**
 * The functions that shaders call, as WGSL. The built-in ones may be far off (`sin` by 2⁻¹¹, `tanh` by more), may take NaN for anything, and
 * differ between devices; these use additions, multiplications, divisions and the bits of numbers only. Errors are in units in the last
 * place (ulp), as of the same functions of the WebAssembly target where they have the same names. NaN gives NaN.
 */
export interface LibraryFunction {
  readonly needs: readonly LibraryName[];
  readonly code: string;
}

export type LibraryName = keyof typeof LIBRARY;

/** The texts of functions and of what they need, each once, callees first. */
export function libraryCode(names: Iterable<string>): readonly string[] {
  const found = new Set<string>();
  const visit = (name: string): void => {
    const entry: LibraryFunction | undefined = isLibraryName(name) ? LIBRARY[name] : undefined;
    if (entry === undefined) throw new Error(`internal: there is no shader function ${name}`);
    for (const needed of entry.needs) visit(needed);
    found.add(entry.code.trim());
  };
  for (const name of [...names].sort()) visit(name);
  return [...found];
}

function isLibraryName(name: string): name is LibraryName {
  return Object.hasOwn(LIBRARY, name);
}

/** Σ cᵢ xⁱ by Horner, the highest coefficient first. */
function polynomial(x: string, coefficients: readonly number[]): string {
  const [first = 0, ...rest] = coefficients;
  return rest.reduce((sum, coefficient) => `fma(${sum}, ${x}, ${float(coefficient)})`, float(first));
}

/** A float as WGSL writes it. */
export function float(value: number): string {
  if (Number.isNaN(value)) return "nan()";
  if (!Number.isFinite(value)) return value > 0 ? "infinity()" : "(-infinity())";
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded)) return rounded > 0 ? "infinity()" : "(-infinity())";
  const text = Object.is(rounded, -0) ? "-0.0f" : `${shortest(rounded)}f`;
  return text.startsWith("-") ? `(${text})` : text;
}

/** The shortest decimal that is this float. */
function shortest(value: number): string {
  for (let digits = 1; digits <= 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(value);
}

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
const SINE = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1];
const COSINE = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2];
/** ζ(k) - 1 for k = 2, 3, … */
const ZETA = [
  0.6449340668482264, 0.2020569031595943, 0.08232323371113819, 0.03692775514336993, 0.01734306198444914,
  0.008349277381922827, 0.00407735619794434, 0.0020083928260822143, 0.0009945751278180853, 0.0004941886041194645,
  0.0002460865533080483, 0.00012271334757848915, 6.124813505870483e-5, 3.058823630702049e-5,
];
/** 1 - γ, γ being the Euler–Mascheroni constant. */
const ONE_MINUS_EULER = 0.42278433509846713;
/** (-1)ᵏ (2π)²ᵏ⁺¹ / (2k+1)! for k = 6 … 0. */
const SINE_OF_TURNS: readonly number[] = [6, 5, 4, 3, 2, 1, 0].map((k) => {
  let value = 2 * Math.PI;
  for (let n = 1; n <= k; n++) value *= -((2 * Math.PI) ** 2) / (2 * n * (2 * n + 1));
  return value;
});

const LIBRARY = {
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
    needs: ["nan", "infinity"],
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
  return select(select(nan(), finite, x > 0.0f), -infinity(), x == 0.0f);
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
  /** The upper 32 bits of a product. */
  multiply_high: {
    needs: [],
    code: `
fn multiply_high(a: u32, b: u32) -> u32 {
  let a_low = a & 0xffffu;
  let a_high = a >> 16u;
  let b_low = b & 0xffffu;
  let b_high = b >> 16u;
  let middle = a_high * b_low + ((a_low * b_low) >> 16u);
  let carry = a_low * b_high + (middle & 0xffffu);
  return a_high * b_high + (middle >> 16u) + (carry >> 16u);
}`,
  },
  /**
   * x = quadrant·π/2 + r, |r| ≤ π/4, from the bits of 2/π that matter (Payne & Hanek 1983): x is its 24 digits times a power of two,
   * bits of 2/π so far left that they make whole turns are left out.
   */
  reduced_angle: {
    needs: ["multiply_high"],
    code: `
const TWO_OVER_PI = array<u32, 9>(
  0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu, 0xdebbc561u);

struct Angle {
  rest: f32,
  quadrant: i32,
}

fn reduced_angle(x: f32) -> Angle {
  if (!(abs(x) > ${float(Math.PI / 4)})) {
    return Angle(x, 0);
  }
  let bits = bitcast<u32>(x) & 0x7fffffffu;
  let first = min((bits >> 23u) - 120u, 134u);
  let word = first >> 5u;
  let shift = first & 31u;
  var words = TWO_OVER_PI;
  let next = vec3u(words[word + 1u], words[word + 2u], words[word + 3u]);
  let here = vec3u(words[word], next.x, next.y) << vec3u(shift);
  let window = here | select(vec3u(0u), next >> vec3u((32u - shift) & 31u), shift > 0u);
  let mantissa = (bits & 0x007fffffu) | 0x00800000u;
  let last = mantissa * window.y;
  let low = last + multiply_high(mantissa, window.z);
  let high = mantissa * window.x + multiply_high(mantissa, window.y) + select(0u, 1u, low < last);
  let quarter = (high + 0x20000000u) >> 30u;
  let fraction = bitcast<i32>(high - (quarter << 30u));
  let turned = (f32(fraction) * ${float(2 ** -30)} + f32(low) * ${float(2 ** -62)}) * ${float(Math.PI / 2)};
  let negative = x < 0.0f;
  return Angle(select(turned, -turned, negative), select(i32(quarter), -i32(quarter), negative));
}`,
  },
  /** sin(x + quarters·π/2), 2 ulp but next to its zeros. */
  circular: {
    needs: ["reduced_angle", "nan"],
    code: `
fn circular(x: f32, quarters: i32) -> f32 {
  let angle = reduced_angle(x);
  let r = angle.rest;
  let square = r * r;
  let sine = fma(${polynomial("square", SINE)} * square, r, r);
  let cosine = fma(${polynomial("square", COSINE)} * square, square, fma(square, -0.5f, 1.0f));
  let turned = angle.quadrant + quarters;
  let value = select(sine, cosine, (turned & 1) == 1);
  let finite = (bitcast<u32>(x) & 0x7fffffffu) < 0x7f800000u;
  return select(nan(), select(value, -value, (turned & 2) == 2), finite);
}`,
  },
  sin_number: { needs: ["circular"], code: "fn sin_number(x: f32) -> f32 {\n  return circular(x, 0);\n}" },
  cos_number: { needs: ["circular"], code: "fn cos_number(x: f32) -> f32 {\n  return circular(x, 1);\n}" },
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
  /** Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011). */
  philox: {
    needs: ["multiply_high"],
    code: `
fn philox(block: u32, distribution: u32, seed: u32, stream: u32) -> vec4u {
  var c = vec4u(block, 0u, 0u, distribution);
  var k = vec2u(seed, stream);
  for (var round_ = 0; round_ < 10; round_++) {
    let high = vec2u(multiply_high(0xd2511f53u, c.x), multiply_high(0xcd9e8d57u, c.z));
    c = vec4u(high.y ^ c.y ^ k.x, 0xcd9e8d57u * c.z, high.x ^ c.w ^ k.y, 0xd2511f53u * c.x);
    k = k + vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}`,
  },
  uniform_of: {
    needs: [],
    code: `
fn uniform_of(word: u32) -> f32 {
  return (f32(word >> 9u) + 0.5f) * ${float(2 ** -23)};
}`,
  },
  random_uniform: {
    needs: ["philox", "uniform_of"],
    code: `
fn random_uniform(position: i32, seed: i32, stream: u32) -> f32 {
  let at = bitcast<u32>(position);
  let words = philox(at >> 2u, 0u, bitcast<u32>(seed), stream);
  return uniform_of(words[at & 3u]);
}`,
  },
  /** √(-2 ln u) cos(2πv) (Box & Muller 1958). */
  random_gaussian: {
    needs: ["philox", "uniform_of", "log_number"],
    code: `
fn random_gaussian(position: i32, seed: i32, stream: u32) -> f32 {
  let at = bitcast<u32>(position);
  let words = philox(at >> 1u, 1u, bitcast<u32>(seed), stream);
  let pair = select(words.xy, words.zw, (at & 1u) == 1u);
  let turns = uniform_of(pair.y);
  let t = 0.25f - abs(turns - round(turns));
  let square = t * t;
  let cosine = t * ${polynomial("square", SINE_OF_TURNS)};
  return sqrt(-2.0f * log_number(uniform_of(pair.x))) * cosine;
}`,
  },
} as const satisfies Readonly<Record<string, { readonly needs: readonly string[]; readonly code: string }>>;
