import {
  block,
  branchIf,
  call,
  choose,
  type F64,
  type FunctionReference,
  f64,
  i32,
  i64,
  type Local,
  local,
  loop,
  type Statement,
  when,
} from "./encode-code.ts";
import type { FunctionBuilder, ModuleBuilder } from "./encode-module.ts";

/**
 * Functions that are rare in models, one number at a time in float64: after rounding to float32 they are exact to the last place. lgamma
 * and digamma have an absolute error of 1e-14 besides, which shows next to their zeros, and left of 0 next to their poles.
 */
export type ScalarFunction = "sin" | "cos" | "lgamma" | "digamma" | "pow" | "mod";

type Function64 = FunctionReference<"f64">;

export function scalarFunction(module: ModuleBuilder, name: ScalarFunction): Function64 {
  return WRITERS[name](module);
}

const WRITERS: Readonly<Record<ScalarFunction, (module: ModuleBuilder) => Function64>> = {
  sin: (module) => circular(module, "sin", 0),
  cos: (module) => circular(module, "cos", 1),
  lgamma,
  digamma,
  pow,
  mod,
};

const number = f64.const;

interface Writer {
  readonly builder: FunctionBuilder<"f64">;
  readonly statements: Statement[];
  param(index: number): F64;
  /** A variable with a first value. */
  set(value: F64): Local<"f64">;
  once(value: F64): F64;
}

function define(module: ModuleBuilder, name: string, params: number, write: (writer: Writer) => F64): Function64 {
  const types = Array.from({ length: params }, () => "f64" as const);
  return module.shared(`f64 ${name}`, types, "f64", (builder) => {
    const statements: Statement[] = [];
    const set = (value: F64): Local<"f64"> => {
      const variable = builder.local("f64");
      statements.push(local.set(variable, value));
      return variable;
    };
    const param = (index: number): F64 => local.get(builder.param(index, "f64"));
    const result = write({ builder, statements, param, set, once: (value) => local.get(set(value)) });
    builder.finish(...statements, result);
  });
}

/** Σ cᵢ xⁱ by Horner, the highest coefficient first. */
function polynomial(x: F64, coefficients: readonly number[]): F64 {
  const [first = 0, ...rest] = coefficients;
  return rest.reduce((sum, coefficient) => f64.add(f64.mul(sum, x), number(coefficient)), number(first));
}

/** eˣ: 2ⁿ e^r with the Taylor series of e^r to degree 13. */
function exp64(module: ModuleBuilder): Function64 {
  return define(module, "exp", 1, ({ builder, statements, param, once }) => {
    const x = once(f64.max(f64.min(param(0), number(720)), number(-760)));
    const n = once(f64.nearest(f64.mul(x, number(Math.LOG2E))));
    const high = f64.sub(x, f64.mul(n, number(6.931471803691238e-1)));
    const r = once(f64.sub(high, f64.mul(n, number(1.9082149292705877e-10))));
    const factorials = Array.from({ length: 14 }, (_, k) => 1 / factorial(13 - k));
    const value = once(polynomial(r, factorials));
    const exponent = builder.local("i32");
    const half = builder.local("i32");
    statements.push(
      local.set(exponent, i32.truncateF64(n)),
      local.set(half, i32.shrSigned(local.get(exponent), i32.const(1))),
    );
    const power = (e: ReturnType<typeof i32.const>): F64 =>
      f64.reinterpret(i64.shl(i64.extend(i32.add(e, i32.const(1023))), i64.const(52n)));
    return f64.mul(f64.mul(value, power(local.get(half))), power(i32.sub(local.get(exponent), local.get(half))));
  });
}

function factorial(n: number): number {
  return n <= 1 ? 1 : n * factorial(n - 1);
}

/** ln x of a number that is normal in float64, as every float32 is: 2 artanh s with s = (m-1)/(m+1), m in [√½, √2). */
function log64(module: ModuleBuilder): Function64 {
  return define(module, "log", 1, ({ builder, statements, param, once }) => {
    const x = param(0);
    const bits = builder.local("i64");
    statements.push(local.set(bits, i64.sub(i64.reinterpret(x), i64.const(HALF_ROOT))));
    const mantissa = f64.reinterpret(
      i64.add(i64.and(local.get(bits), i64.const(0x000fffffffffffffn)), i64.const(HALF_ROOT)),
    );
    const e = once(f64.convertI64(i64.shrSigned(local.get(bits), i64.const(52n))));
    const m = once(mantissa);
    const s = once(f64.div(f64.sub(m, number(1)), f64.add(m, number(1))));
    const square = once(f64.mul(s, s));
    const series = polynomial(
      square,
      Array.from({ length: 11 }, (_, k) => 2 / (2 * (10 - k) + 1)),
    );
    const low = f64.mul(e, number(1.9082149292705877e-10));
    const value = f64.add(f64.add(f64.mul(series, s), low), f64.mul(e, number(6.931471803691238e-1)));
    const finite = choose(f64.lt(x, number(Number.POSITIVE_INFINITY)), value, x);
    const positive = choose(f64.gt(x, number(0)), finite, number(Number.NaN));
    return choose(f64.eq(x, number(0)), number(Number.NEGATIVE_INFINITY), positive);
  });
}

const HALF_ROOT = 0x3fe6a09e667f3bcdn;

/** sin(x + quarters·π/2): x reduced to |r| ≤ π/4 and the Taylor series of sine and cosine there. */
function circular(module: ModuleBuilder, name: string, quarters: number): Function64 {
  return define(module, name, 1, ({ builder, statements, param, once }) => {
    const x = param(0);
    const r = builder.local("f64");
    const quadrant = builder.local("i32");
    statements.push(...reduceAngle(builder, x, r, quadrant));
    const angle = local.get(r);
    const square = once(f64.mul(angle, angle));
    const sine = f64.mul(angle, polynomial(square, taylor(1, 8)));
    const cosine = polynomial(square, taylor(0, 9));
    const turned = i32.add(local.get(quadrant), i32.const(quarters));
    const odd = i32.and(turned, i32.const(1));
    const value = once(choose(odd, cosine, sine));
    const negative = i32.and(turned, i32.const(2));
    // -0 stays -0 under sine.
    return quarters === 0
      ? choose(f64.eq(x, number(0)), x, choose(negative, f64.neg(value), value))
      : choose(negative, f64.neg(value), value);
  });
}

/** (-1)ᵏ / (2k + first)! for k = terms-1 … 0. */
function taylor(first: 0 | 1, terms: number): readonly number[] {
  return Array.from({ length: terms }, (_, index) => {
    const k = terms - 1 - index;
    return (k % 2 === 0 ? 1 : -1) / factorial(2 * k + first);
  });
}

/** π/2 in parts of 26 bits and the rest, so that small multiples of each are exact. */
const HALF_PI = Math.PI / 2;
const HALF_PI_1 = Math.floor(HALF_PI * 2 ** 25) / 2 ** 25;
const HALF_PI_2 = Math.floor((HALF_PI - HALF_PI_1) * 2 ** 51) / 2 ** 51;
const HALF_PI_3 = HALF_PI - HALF_PI_1 - HALF_PI_2 + 6.123233995736766e-17;

/** Bits of 2/π behind the point, the constants that every module has at address 0. */
export const TWO_OVER_PI: readonly number[] = [
  0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561,
];

/**
 * x = quadrant·π/2 + r, |r| ≤ π/4. Below 2²⁵ by subtracting multiples of π/2 in parts; above, where the digits of x lie left of
 * the point, from the bits of 2/π that matter (Payne & Hanek 1983).
 */
function reduceAngle(builder: FunctionBuilder, x: F64, r: Local<"f64">, quadrant: Local<"i32">): readonly Statement[] {
  const n = builder.local("f64");
  const part = (rest: F64, constant: number): F64 => f64.sub(rest, f64.mul(local.get(n), number(constant)));
  const near = [
    local.set(n, f64.nearest(f64.mul(x, number(2 / Math.PI)))),
    local.set(r, part(part(part(x, HALF_PI_1), HALF_PI_2), HALF_PI_3)),
    local.set(quadrant, i32.truncateF64(local.get(n))),
  ];
  return [when(f64.lt(f64.abs(x), number(2 ** 25)), near, reduceLarge(builder, x, r, quadrant))];
}

function reduceLarge(builder: FunctionBuilder, x: F64, r: Local<"f64">, quadrant: Local<"i32">): readonly Statement[] {
  const bits = builder.local("i64");
  const first = builder.local("i32");
  const word = builder.local("i32");
  const shift = builder.local("i64");
  const mantissa = builder.local("i64");
  const product = builder.local("i64");
  const at = (index: number) => i64.extendUnsigned(i32.load(local.get(word), 4 * index));
  const pair = (high: number, low: number) => i64.or(i64.shl(at(high), i64.const(32n)), at(low));
  // A float has 24 digits: x = mantissa · 2^(first + 2), and bits of 2/π before `first` make whole turns.
  const exponent = i32.wrap(i64.and(i64.shrUnsigned(local.get(bits), i64.const(52n)), i64.const(0x7ffn)));
  const top = i64.or(
    i64.shl(pair(0, 1), local.get(shift)),
    i64.shrUnsigned(at(2), i64.sub(i64.const(32n), local.get(shift))),
  );
  const rest = i64.shrUnsigned(i64.shl(pair(2, 3), local.get(shift)), i64.const(32n));
  const turns = i64.add(
    i64.mul(local.get(mantissa), top),
    i64.shrUnsigned(i64.mul(local.get(mantissa), rest), i64.const(32n)),
  );
  const quarter = i64.shrUnsigned(i64.add(local.get(product), i64.const(1n << 61n)), i64.const(62n));
  const fraction = i64.sub(local.get(product), i64.shl(quarter, i64.const(62n)));
  const angle = f64.mul(f64.convertI64(fraction), number(HALF_PI * 2 ** -62));
  const negative = f64.lt(x, number(0));
  return [
    local.set(bits, i64.reinterpret(f64.abs(x))),
    local.set(first, i32.sub(exponent, i32.const(1023 + 23 + 2))),
    local.set(
      mantissa,
      i64.shrUnsigned(
        i64.or(i64.and(local.get(bits), i64.const(0xfffffffffffffn)), i64.const(1n << 52n)),
        i64.const(29n),
      ),
    ),
    // NaN and infinities have no place in the table.
    local.set(first, choose(i32.gt(local.get(first), i32.const(103)), i32.const(0), local.get(first))),
    local.set(word, i32.shl(i32.shrUnsigned(local.get(first), i32.const(5)), i32.const(2))),
    local.set(shift, i64.extendUnsigned(i32.and(local.get(first), i32.const(31)))),
    local.set(product, turns),
    local.set(r, choose(f64.lt(f64.abs(x), number(Number.POSITIVE_INFINITY)), angle, number(Number.NaN))),
    local.set(quadrant, i32.wrap(quarter)),
    when(negative, [
      local.set(r, f64.neg(local.get(r))),
      local.set(quadrant, i32.sub(i32.const(0), local.get(quadrant))),
    ]),
  ];
}

/** Repeats while a condition holds. */
function repeatWhile(condition: ReturnType<typeof i32.const>, ...body: readonly Statement[]): Statement {
  return block(loop(branchIf(1, i32.eqz(condition)), ...body, branchIf(0, i32.const(1))));
}

/** sin(πx), exact where x is an integer. */
function sinPi(module: ModuleBuilder, x: F64, quarters: 0 | 1): F64 {
  const nearest = f64.nearest(x);
  const half = f64.mul(nearest, number(0.5));
  const value = call(
    circular(module, quarters === 0 ? "sin" : "cos", quarters),
    f64.mul(f64.sub(x, nearest), number(Math.PI)),
  );
  return choose(f64.eq(half, f64.floor(half)), value, f64.neg(value));
}

/** log |Γ(x)|: from x + n ≥ 10 by Stirling's series (Abramowitz & Stegun 6.1.41), reflected below ½. */
function lgamma(module: ModuleBuilder): Function64 {
  const log = log64(module);
  const right = define(module, "lgamma right", 1, ({ statements, param, set, once }) => {
    const x = set(param(0));
    const product = set(number(1));
    statements.push(
      repeatWhile(
        f64.lt(local.get(x), number(10)),
        local.set(product, f64.mul(local.get(product), local.get(x))),
        local.set(x, f64.add(local.get(x), number(1))),
      ),
    );
    const at = local.get(x);
    const z = once(f64.div(number(1), f64.mul(at, at)));
    const series = polynomial(z, [1 / 156, -691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12]);
    const main = f64.sub(f64.mul(f64.sub(at, number(0.5)), call(log, at)), at);
    const sum = f64.add(f64.add(main, number(0.5 * Math.log(2 * Math.PI))), f64.div(series, at));
    const value = f64.sub(sum, call(log, local.get(product)));
    return choose(f64.eq(param(0), number(Number.POSITIVE_INFINITY)), param(0), value);
  });
  return define(module, "lgamma", 1, ({ param, once }) => {
    const x = param(0);
    const sine = once(f64.abs(sinPi(module, x, 0)));
    const low = f64.lt(x, number(0.5));
    const value = once(call(right, choose(low, f64.sub(number(1), x), x)));
    const reflected = f64.sub(call(log, f64.div(number(Math.PI), sine)), value);
    const finite = choose(low, reflected, value);
    return choose(f64.eq(f64.abs(x), number(Number.POSITIVE_INFINITY)), f64.abs(x), finite);
  });
}

/** ψ(x): from x + n ≥ 10 by its asymptotic series (Abramowitz & Stegun 6.3.18), reflected below 0. */
function digamma(module: ModuleBuilder): Function64 {
  const log = log64(module);
  const right = define(module, "digamma right", 1, ({ statements, param, set, once }) => {
    const x = set(param(0));
    const sum = set(number(0));
    statements.push(
      repeatWhile(
        f64.lt(local.get(x), number(10)),
        local.set(sum, f64.sub(local.get(sum), f64.div(number(1), local.get(x)))),
        local.set(x, f64.add(local.get(x), number(1))),
      ),
    );
    const at = local.get(x);
    const z = once(f64.div(number(1), f64.mul(at, at)));
    const series = polynomial(z, [1 / 12, -691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12, 0]);
    const main = f64.sub(call(log, at), f64.div(number(0.5), at));
    return f64.add(f64.sub(main, series), local.get(sum));
  });
  return define(module, "digamma", 1, ({ param, once }) => {
    const x = param(0);
    const low = f64.lt(x, number(0));
    const value = once(call(right, choose(low, f64.sub(number(1), x), x)));
    const sine = once(sinPi(module, x, 0));
    const turned = f64.div(f64.mul(number(Math.PI), sinPi(module, x, 1)), sine);
    const reflected = f64.sub(value, turned);
    const pole = i32.or(f64.eq(sine, number(0)), f64.eq(x, number(Number.NEGATIVE_INFINITY)));
    return choose(
      f64.gt(x, number(0)),
      value,
      choose(i32.or(pole, f64.eq(x, number(0))), number(Number.NaN), reflected),
    );
  });
}

/** xʸ = e^(y ln |x|), with the sign of an odd power. */
function pow(module: ModuleBuilder): Function64 {
  const exp = exp64(module);
  const log = log64(module);
  return define(module, "pow", 2, ({ param, once }) => {
    const x = param(0);
    const y = param(1);
    const value = once(call(exp, f64.mul(y, call(log, f64.abs(x)))));
    const half = once(f64.mul(y, number(0.5)));
    const whole = f64.eq(y, f64.floor(y));
    const odd = i32.and(whole, f64.ne(half, f64.floor(half)));
    const minus = f64.lt(f64.copysign(number(1), x), number(0));
    const signed = choose(i32.and(minus, odd), f64.neg(value), value);
    const undefined_ = i32.and(
      f64.lt(x, number(0)),
      i32.and(i32.eqz(whole), f64.gt(x, number(Number.NEGATIVE_INFINITY))),
    );
    return choose(f64.eq(y, number(0)), number(1), choose(undefined_, number(Number.NaN), signed));
  });
}

/** The remainder with the divisor's sign: |x| less multiples of |y|, each taken away exactly. */
function mod(module: ModuleBuilder): Function64 {
  return define(module, "mod", 2, ({ statements, param, set, once }) => {
    const divisor = once(f64.abs(param(1)));
    const rest = set(f64.abs(param(0)));
    const step = set(divisor);
    const valid = i32.and(f64.lt(local.get(rest), number(Number.POSITIVE_INFINITY)), f64.gt(divisor, number(0)));
    const isLess = i32.and(valid, f64.le(divisor, local.get(rest)));
    // A quotient below 2²⁸ times 24 digits is exact.
    const far = f64.le(f64.mul(local.get(step), number(2 ** 27)), local.get(rest));
    const quotient = f64.floor(f64.div(local.get(rest), local.get(step)));
    statements.push(
      repeatWhile(
        isLess,
        local.set(step, divisor),
        repeatWhile(far, local.set(step, f64.mul(local.get(step), number(2 ** 27)))),
        local.set(rest, f64.sub(local.get(rest), f64.mul(quotient, local.get(step)))),
      ),
    );
    const signed = once(f64.copysign(local.get(rest), param(0)));
    const turn = i32.and(f64.ne(signed, number(0)), i32.ne(f64.lt(signed, number(0)), f64.lt(param(1), number(0))));
    const value = choose(turn, f64.add(signed, param(1)), signed);
    // x of NaN or ∞, and y of 0 or NaN, have none; y of ∞ gives x or itself.
    const nan = i32.or(i32.eqz(valid), f64.ne(param(1), param(1)));
    return choose(nan, number(Number.NaN), value);
  });
}
