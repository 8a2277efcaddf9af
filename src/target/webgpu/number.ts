/** Σ cᵢ xⁱ by Horner, the highest coefficient first. */
export function polynomial(x: string, coefficients: readonly number[]): string {
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
