import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { signed, signed64, unsigned } from "../../src/target/wasm/encode-bytes.ts";
import {
  branchIf,
  call,
  choose,
  f32x4,
  i32,
  i64,
  local,
  loop,
  type Procedure,
  v128,
  when,
} from "../../src/target/wasm/encode-code.ts";
import { createModule, type ModuleBuilder } from "../../src/target/wasm/encode-module.ts";

/** An instance with one page of memory. */
function start(module: ModuleBuilder): {
  readonly call: (name: string, ...args: readonly unknown[]) => unknown;
  readonly memory: WebAssembly.Memory;
} {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const bytes = module.finish();
  expect(WebAssembly.validate(bytes)).toBe(true);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  const named = (name: string): ((...args: readonly unknown[]) => unknown) => {
    const found = exports[name];
    if (typeof found !== "function") throw new Error(`no function ${name}`);
    return (...args) => found(...args) as unknown;
  };
  return { memory, call: (name, ...args) => named(name)(...args) };
}

describe("numbers as bytes", () => {
  test("LEB128 of the specification's examples", () => {
    expect(unsigned(624485)).toEqual([0xe5, 0x8e, 0x26]);
    expect(signed(-123456)).toEqual([0xc0, 0xbb, 0x78]);
    expect(signed(64)).toEqual([0xc0, 0x00]);
    expect(signed(-64)).toEqual([0x40]);
  });

  test("the engine reads back what is written", () => {
    fc.assert(
      fc.property(fc.integer(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (small, large) => {
        const module = createModule();
        const first = module.function("small", [], "i32");
        first.finish(i32.const(small));
        const second = module.function("large", [], "i64");
        second.finish(i64.const(large));
        module.export("small", first.reference);
        module.export("large", second.reference);
        const { call: run } = start(module);
        expect(run("small")).toBe(small);
        expect(run("large")).toBe(large);
        expect(signed64(BigInt(small))).toEqual(signed(small));
      }),
      { numRuns: 60 },
    );
  });
});

describe("modules", () => {
  test("functions that differ in the numbers they are given have one body", () => {
    const module = createModule();
    const store = (name: string, at: number, value: number): Procedure => {
      const builder = module.merged(name, ["i32"]);
      const sum = builder.local("i32");
      const given = builder.given(i32.const(value));
      const place = builder.given(i32.const(at));
      const add = i32.add(local.get(given), local.get(builder.param(0, "i32")));
      const { caller } = builder.finish(local.set(sum, add), i32.store(local.get(place), local.get(sum)));
      module.export(name, caller);
      return caller;
    };
    const [first, second, third] = [store("first", 8, 100), store("second", 16, 200), store("third", 8, 100)];
    expect(third.index).toBe(first.index);
    // What is new of the second only calls the body.
    expect(second.index).toBe(first.index + 1);
    const { call: run, memory } = start(module);
    run("first", 1);
    run("second", 2);
    const words = new Int32Array(memory.buffer);
    expect([words[2], words[4]]).toEqual([101, 202]);
  });

  test("loops, branches, calls and locals", () => {
    const module = createModule();
    const square = module.shared("square", ["i32"], "i32", (builder) => {
      const x = local.get(builder.param(0, "i32"));
      builder.finish(i32.mul(x, x));
    });
    expect(module.shared("square", ["i32"], "i32", () => expect.fail("written twice")).index).toBe(square.index);
    const sum = module.function("sum of squares", ["i32"], "i32");
    const [left, total] = [sum.param(0, "i32"), sum.local("i32")];
    sum.finish(
      when(i32.gt(local.get(left), i32.const(0)), [
        loop(
          local.set(total, i32.add(local.get(total), call(square, local.get(left)))),
          local.set(left, i32.sub(local.get(left), i32.const(1))),
          branchIf(0, local.get(left)),
        ),
      ]),
      choose(i32.eqz(local.get(total)), i32.const(-1), local.get(total)),
    );
    module.export("sum", sum.reference);
    const { call: run } = start(module);
    expect(run("sum", 5)).toBe(55);
    expect(run("sum", 0)).toBe(-1);
  });

  test("memory, data and vectors", () => {
    const module = createModule();
    module.data(200, [...new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer)]);
    const double = module.function("double", [], "none");
    const twice = f32x4.add(v128.load(i32.const(200)), v128.load(i32.const(184), 16));
    double.finish(v128.store(i32.const(0), twice, 4096));
    module.export("double", double.reference);
    const { call: run, memory } = start(module);
    run("double");
    expect([...new Float32Array(memory.buffer, 4096, 4)]).toEqual([2, 4, 6, 8]);
  });

  test("a call with other operands is our fault", () => {
    const module = createModule();
    const one = module.function("one", ["i32"], "none");
    expect(() => call(one.reference)).toThrow(/^internal: function 0 takes \(i32\)/);
    expect(() => one.param(0, "f32")).toThrow(/^internal/);
  });
});
