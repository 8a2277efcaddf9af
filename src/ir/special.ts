/** Special functions to float64 accuracy (a few ulp; near a zero of the function, a few ulp of 1). */

/** erf(x) = 2/√π ∫₀ˣ exp(-t²) dt. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  const magnitude = Math.abs(x);
  if (magnitude >= 6) return Math.sign(x);
  return Math.sign(x) * (magnitude < 1.5 ? erfSeries(magnitude) : 1 - erfcFraction(magnitude));
}

/** exp(-x²) Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1)): no term is negative, so nothing cancels. Abramowitz & Stegun 7.1.6. */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** erfc by its continued fraction, evaluated from its tail: for x >= 3/2. Abramowitz & Stegun 7.1.14. */
function erfcFraction(x: number): number {
  let fraction = x;
  for (let n = 100; n >= 1; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
}

/** log |Γ(x)|; infinite at 0 and the negative integers. */
export function lgamma(x: number): number {
  if (Number.isNaN(x)) return x;
  if (!Number.isFinite(x)) return Number.POSITIVE_INFINITY;
  if (x <= 0) {
    const sine = Math.abs(sinPi(x));
    return sine === 0 ? Number.POSITIVE_INFINITY : Math.log(Math.PI / sine) - lgamma(1 - x);
  }
  if (x >= 10) return lgammaStirling(x);
  if (x < 0.5) return lgammaNearTwo(x) - Math.log(x) - Math.log1p(x);
  if (x < 1.5) return lgammaNearTwo(x - 1) - Math.log1p(x - 1);
  let rest = x;
  let product = 1;
  while (rest > 2.5) {
    rest -= 1;
    product *= rest;
  }
  return lgammaNearTwo(rest - 2) + Math.log(product);
}

/** log Γ(2+z) = (1-γ) z + Σ_{k≥2} (-1)ᵏ (ζ(k)-1) zᵏ / k, for |z| <= 1/2. Abramowitz & Stegun 6.1.33. */
function lgammaNearTwo(z: number): number {
  let sum = 0;
  for (let index = ZETA_MINUS_ONE.length - 1; index >= 0; index--) {
    const k = index + 2;
    sum = ((k % 2 === 0 ? 1 : -1) * (ZETA_MINUS_ONE[index] ?? 0)) / k + z * sum;
  }
  return z * (ONE_MINUS_EULER + z * sum);
}

/** Stirling's series. Abramowitz & Stegun 6.1.41. */
function lgammaStirling(x: number): number {
  const z = 1 / (x * x);
  const series =
    1 / 12 - z * (1 / 360 - z * (1 / 1260 - z * (1 / 1680 - z * (1 / 1188 - z * (691 / 360360 - z * (1 / 156))))));
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series / x;
}

/** ψ(x) = Γ'(x)/Γ(x); not a number at 0 and the negative integers. */
export function digamma(x: number): number {
  if (x === Number.POSITIVE_INFINITY) return x;
  if (!Number.isFinite(x) || (x <= 0 && Number.isInteger(x))) return Number.NaN;
  if (x < 0) return digamma(1 - x) - (Math.PI * cosPi(x)) / sinPi(x);
  if (x >= 10) return digammaAsymptotic(x);
  let at = x;
  let shift = 0;
  for (; at > 2.5; at -= 1) shift += 1 / (at - 1);
  for (; at < 1.5; at += 1) shift -= 1 / at;
  return digammaNearTwo(at - 2) + shift;
}

/** ψ(2+z) = 1-γ + Σ_{k≥2} (-1)ᵏ (ζ(k)-1) zᵏ⁻¹, for |z| <= 1/2. Abramowitz & Stegun 6.3.14. */
function digammaNearTwo(z: number): number {
  let sum = 0;
  for (let index = ZETA_MINUS_ONE.length - 1; index >= 0; index--) {
    sum = (index % 2 === 0 ? 1 : -1) * (ZETA_MINUS_ONE[index] ?? 0) + z * sum;
  }
  return ONE_MINUS_EULER + z * sum;
}

/** Abramowitz & Stegun 6.3.18. */
function digammaAsymptotic(x: number): number {
  const z = 1 / (x * x);
  const series =
    1 / 12 - z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z * (1 / 132 - z * (691 / 32760 - z * (1 / 12))))));
  return Math.log(x) - 0.5 / x - z * series;
}

/** sin(πx), exact where x is an integer. */
function sinPi(x: number): number {
  const nearest = Math.round(x);
  const sine = Math.sin(Math.PI * (x - nearest));
  return nearest % 2 === 0 ? sine : -sine;
}

function cosPi(x: number): number {
  const nearest = Math.round(x);
  const cosine = Math.cos(Math.PI * (x - nearest));
  return nearest % 2 === 0 ? cosine : -cosine;
}

/** 1 - γ, γ being the Euler–Mascheroni constant. */
const ONE_MINUS_EULER = 0.42278433509846713;

/** ζ(k) - 1 for k = 2, 3, … 30. */
const ZETA_MINUS_ONE: readonly number[] = [
  0.6449340668482264, 0.2020569031595943, 0.08232323371113819, 0.03692775514336993, 0.01734306198444914,
  0.008349277381922827, 0.00407735619794434, 0.0020083928260822143, 0.0009945751278180853, 0.0004941886041194645,
  0.0002460865533080483, 0.00012271334757848915, 6.124813505870483e-5, 3.058823630702049e-5, 1.528225940865187e-5,
  7.637197637899763e-6, 3.81729326499984e-6, 1.908212716553939e-6, 9.539620338727962e-7, 4.769329867878064e-7,
  2.38450502727733e-7, 1.1921992596531106e-7, 5.960818905125948e-8, 2.980350351465228e-8, 1.4901554828365043e-8,
  7.45071178983543e-9, 3.725334024788457e-9, 1.862659723513049e-9, 9.313274324196682e-10,
];
