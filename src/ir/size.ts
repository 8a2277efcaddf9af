/**
 * Symbolic sizes: polynomials over atoms with rational coefficients and integer exponents (`2*H`, `D/N` = D·N⁻¹).
 * Two sizes are equal when their canonical texts are; a number never equals a name.
 */
export interface Size {
  readonly kind: "size";
  readonly terms: readonly Term[];
  /** Canonical text, the identity of the size. */
  readonly text: string;
}

interface Term {
  readonly numerator: number;
  readonly denominator: number;
  /** Sorted by the atom's text; exponents are never 0. */
  readonly factors: readonly { readonly atom: Atom; readonly exponent: number }[];
}

/** What a polynomial cannot see into: a name, a rounded quotient, or a part of an axis whose length varies (a slice `[:t+1]`). */
export type Atom =
  | { readonly kind: "name"; readonly text: string }
  | { readonly kind: "ceil"; readonly of: Size; readonly text: string }
  /** As many positions as `of` are laid out; how many count depends on the position, so it equals no other size. */
  | { readonly kind: "part"; readonly of: Size; readonly label: string; readonly text: string };

/** Values of size names, by name. */
export type SizeBinding = ReadonlyMap<string, number>;

export function constantSize(value: number): Size {
  if (Number.isInteger(value) && value !== 0) {
    return { kind: "size", terms: [{ numerator: value, denominator: 1, factors: [] }], text: String(value) };
  }
  return fromTerms([{ numerator: value, denominator: 1, factors: [] }]);
}

export function namedSize(name: string): Size {
  return atomSize({ kind: "name", text: name });
}

/** The smallest integer not below `of`. */
export function ceilSize(of: Size): Size {
  const value = sizeConstant(of);
  if (value !== undefined) return constantSize(Math.ceil(value));
  if (of.terms.every((term) => term.denominator === 1 && term.factors.every((factor) => factor.exponent > 0)))
    return of;
  return atomSize({ kind: "ceil", of, text: `ceil(${of.text})` });
}

/** A part of `of` that `label` tells from other parts, as `:t+1`. */
export function partSize(of: Size, label: string): Size {
  return atomSize({ kind: "part", of, label, text: `${parenthesized(of)}[${label}]` });
}

/** What a size is a part of; undefined for a size of its own. */
export function wholeOf(size: Size): Size | undefined {
  const [term] = size.terms;
  const [factor] = term?.factors ?? [];
  return size.terms.length === 1 && factor?.atom.kind === "part" ? factor.atom.of : undefined;
}

export function addSizes(a: Size, b: Size): Size {
  if (a.terms.length === 0) return b;
  if (b.terms.length === 0) return a;
  return fromTerms([...a.terms, ...b.terms]);
}

export function subtractSizes(a: Size, b: Size): Size {
  return addSizes(a, multiplySizes(b, constantSize(-1)));
}

export function multiplySizes(a: Size, b: Size): Size {
  if (a.text === "1") return b;
  if (b.text === "1") return a;
  if (isUnit(a)) return b;
  if (isUnit(b)) return a;
  return fromTerms(a.terms.flatMap((left) => b.terms.map((right) => multiplyTerms(left, right))));
}

/** Undefined where the divisor is not a single term, or is zero. */
export function divideSizes(a: Size, b: Size): Size | undefined {
  const divisor = b.terms[0];
  if (b.terms.length !== 1 || divisor === undefined || divisor.numerator === 0) return undefined;
  const inverse: Term = {
    numerator: divisor.denominator,
    denominator: divisor.numerator,
    factors: divisor.factors.map(({ atom, exponent }) => ({ atom, exponent: -exponent })),
  };
  return multiplySizes(a, fromTerms([inverse]));
}

export function equalSizes(a: Size, b: Size): boolean {
  return a.text === b.text;
}

/** The number that a size without atoms is. */
export function sizeConstant(size: Size): number | undefined {
  if (size.terms.length === 0) return 0;
  const term = size.terms[0];
  return size.terms.length === 1 && term !== undefined && term.factors.length === 0
    ? term.numerator / term.denominator
    : undefined;
}

export function isUnit(size: Size): boolean {
  return sizeConstant(size) === 1;
}

/** Undefined where a name is not bound. The result of a size that does not divide is not an integer. */
export function evaluateSize(size: Size, binding: SizeBinding): number | undefined {
  // One fraction, divided once: T/3 + 2/3 at T = 4 is exactly 2, so rounding it up is too.
  let numerator = 0;
  let denominator = 1;
  for (const term of size.terms) {
    let product = term.numerator;
    let divisor = term.denominator;
    for (const { atom, exponent } of term.factors) {
      const value = evaluateAtom(atom, binding);
      if (value === undefined) return undefined;
      if (exponent > 0) product *= value ** exponent;
      else divisor *= value ** -exponent;
    }
    numerator = numerator * divisor + product * denominator;
    denominator *= divisor;
    const divisorOfBoth = greatestCommonDivisor(Math.abs(numerator), Math.abs(denominator));
    if (divisorOfBoth > 1) {
      numerator /= divisorOfBoth;
      denominator /= divisorOfBoth;
    }
  }
  return numerator / denominator;
}

/** The names that a size depends on. */
export function sizeNames(size: Size): ReadonlySet<string> {
  const names = new Set<string>();
  for (const term of size.terms)
    for (const { atom } of term.factors) {
      if (atom.kind === "name") names.add(atom.text);
      else for (const name of sizeNames(atom.of)) names.add(name);
    }
  return names;
}

/** Replaces names by sizes. */
export function substituteSize(size: Size, values: ReadonlyMap<string, Size>): Size {
  if (![...sizeNames(size)].some((name) => values.has(name))) return size;
  let sum = constantSize(0);
  for (const term of size.terms) {
    let product: Size = fromTerms([{ numerator: term.numerator, denominator: term.denominator, factors: [] }]);
    for (const { atom, exponent } of term.factors) {
      const value = substituteAtom(atom, values);
      for (let step = 0; step < Math.abs(exponent); step++) {
        product = exponent > 0 ? multiplySizes(product, value) : (divideSizes(product, value) ?? product);
      }
    }
    sum = addSizes(sum, product);
  }
  return sum;
}

/** The size with every part replaced by the whole it is laid out as: `T[:t+1]` becomes `T`. */
export function laidOutSize(size: Size): Size {
  if (!size.terms.some((term) => term.factors.some(({ atom }) => atom.kind === "part"))) return size;
  let sum = constantSize(0);
  for (const term of size.terms) {
    let product = fromTerms([{ numerator: term.numerator, denominator: term.denominator, factors: [] }]);
    for (const { atom, exponent } of term.factors) {
      const value = atom.kind === "part" ? laidOutSize(atom.of) : atomSize(atom);
      for (let step = 0; step < Math.abs(exponent); step++) {
        product = exponent > 0 ? multiplySizes(product, value) : (divideSizes(product, value) ?? product);
      }
    }
    sum = addSizes(sum, product);
  }
  return sum;
}

function substituteAtom(atom: Atom, values: ReadonlyMap<string, Size>): Size {
  if (atom.kind === "name") return values.get(atom.text) ?? namedSize(atom.text);
  if (atom.kind === "ceil") return ceilSize(substituteSize(atom.of, values));
  return partSize(substituteSize(atom.of, values), atom.label);
}

function evaluateAtom(atom: Atom, binding: SizeBinding): number | undefined {
  if (atom.kind === "name") return binding.get(atom.text);
  const value = evaluateSize(atom.of, binding);
  return atom.kind === "ceil" && value !== undefined ? Math.ceil(value) : value;
}

function atomSize(atom: Atom): Size {
  return fromTerms([{ numerator: 1, denominator: 1, factors: [{ atom, exponent: 1 }] }]);
}

function multiplyTerms(a: Term, b: Term): Term {
  const [numerator, denominator] = [a.numerator * b.numerator, a.denominator * b.denominator];
  if (a.factors.length === 0 || b.factors.length === 0)
    return { numerator, denominator, factors: a.factors.length === 0 ? b.factors : a.factors };
  const exponents = new Map<string, { atom: Atom; exponent: number }>();
  for (const { atom, exponent } of [...a.factors, ...b.factors]) {
    const before = exponents.get(atom.text)?.exponent ?? 0;
    exponents.set(atom.text, { atom, exponent: before + exponent });
  }
  const factors = [...exponents.values()].filter((factor) => factor.exponent !== 0);
  factors.sort((left, right) => (left.atom.text < right.atom.text ? -1 : 1));
  return { numerator, denominator, factors };
}

function fromTerms(terms: readonly Term[]): Size {
  const [only] = terms;
  if (only !== undefined && terms.length === 1) return fromTerm(only);
  const sums = new Map<string, Term>();
  for (const term of terms) {
    const key = factorsText(term);
    const before = sums.get(key) ?? { ...term, numerator: 0, denominator: 1 };
    sums.set(key, reduced(before, term));
  }
  const kept = [...sums.entries()].filter(([, term]) => term.numerator !== 0);
  kept.sort(([a], [b]) => (a === "" ? 1 : b === "" ? -1 : a < b ? -1 : 1));
  const canonical = kept.map(([, term]) => term);
  return { kind: "size", terms: canonical, text: sizeText(canonical) };
}

/** Most sizes are one term, whose order is given. */
function fromTerm(term: Term): Size {
  const whole = term.denominator === 1 && Number.isInteger(term.numerator);
  const own = whole ? term : reduced({ ...term, numerator: 0, denominator: 1 }, term);
  const terms = own.numerator === 0 ? [] : [own];
  return { kind: "size", terms, text: sizeText(terms) };
}

function reduced(a: Term, b: Term): Term {
  const numerator = a.numerator * b.denominator + b.numerator * a.denominator;
  const denominator = a.denominator * b.denominator;
  const sign = denominator < 0 ? -1 : 1;
  const divisor = sign * (greatestCommonDivisor(Math.abs(numerator), Math.abs(denominator)) || 1);
  return { factors: a.factors, numerator: numerator / divisor, denominator: denominator / divisor };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b > 0 ? greatestCommonDivisor(b, a % b) : a;
}

function factorsText(term: Term): string {
  return term.factors.map(({ atom, exponent }) => `${atom.text}^${exponent}`).join("*");
}

function sizeText(terms: readonly Term[]): string {
  const [only] = terms;
  if (only === undefined) return "0";
  if (terms.length === 1) return termText(only);
  return terms
    .map((term, index) => {
      const text = termText(term);
      return index === 0 ? text : text.startsWith("-") ? ` - ${text.slice(1)}` : ` + ${text}`;
    })
    .join("");
}

function termText(term: Term): string {
  const [only] = term.factors;
  if (only === undefined && term.denominator === 1) return String(term.numerator);
  const isAtom = term.factors.length === 1 && term.numerator === 1 && term.denominator === 1;
  if (only !== undefined && isAtom && only.exponent === 1) return only.atom.text;
  const power = ({ atom, exponent }: { atom: Atom; exponent: number }): string =>
    exponent === 1 ? atom.text : `${atom.text}**${exponent}`;
  const above = term.factors.filter((factor) => factor.exponent > 0).map(power);
  const below = term.factors
    .filter((factor) => factor.exponent < 0)
    .map((factor) => power({ atom: factor.atom, exponent: -factor.exponent }));
  if (term.numerator !== 1 || above.length === 0) {
    if (term.numerator === -1 && above.length > 0) above[0] = `-${above[0]}`;
    else above.unshift(String(term.numerator));
  }
  if (term.denominator !== 1) below.unshift(String(term.denominator));
  return [above.join("*"), ...below].join("/");
}

function parenthesized(size: Size): string {
  return /^[\w.]+$/.test(size.text) ? size.text : `(${size.text})`;
}

/** Whether the same names have the same values. */
export function sameSizes(a: SizeBinding, b: SizeBinding): boolean {
  if (a.size !== b.size) return false;
  for (const [name, size] of b) if (a.get(name) !== size) return false;
  return true;
}
