import type { LibraryFunction } from "./math.ts";
import { float, polynomial } from "./number.ts";

const SINE = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1];
const COSINE = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2];

/** Sine and cosine. */
export const CIRCULAR = {
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
} as const satisfies Readonly<Record<string, LibraryFunction>>;
