import fc from "fast-check";
import { expect, test } from "vitest";
import {
  block,
  branchIf,
  type I32,
  i32,
  type Local,
  local,
  loop,
  type Statement,
  when,
} from "../../src/target/wasm/encode-code.ts";
import { createModule } from "../../src/target/wasm/encode-module.ts";

/** Expressions and statements over six variables, of which two are params, and eight numbers in memory. */
type Expression =
  | { readonly get: number }
  | { readonly number: number }
  | { readonly load: Expression }
  | { readonly tee: number; readonly value: Expression }
  | { readonly add: readonly [Expression, Expression] };
type Step =
  | { readonly set: number; readonly value: Expression }
  | { readonly store: Expression; readonly value: Expression }
  | { readonly condition: Expression; readonly yes: readonly Step[]; readonly no: readonly Step[] }
  | { readonly times: readonly Step[] }
  | { readonly leave: Expression; readonly rest: readonly Step[] };

const { steps } = fc.letrec<{ expression: Expression; step: Step; steps: readonly Step[] }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 3 },
    fc.record({ get: fc.nat(5) }),
    fc.record({ number: fc.nat(9) }),
    fc.record({ load: tie("expression") }),
    fc.record({ tee: fc.nat(5), value: tie("expression") }),
    fc.record({ add: fc.tuple(tie("expression"), tie("expression")) }),
  ),
  step: fc.oneof(
    { maxDepth: 3, depthIdentifier: "step" },
    fc.record({ set: fc.nat(5), value: tie("expression") }),
    fc.record({ store: tie("expression"), value: tie("expression") }),
    fc.record({ condition: tie("expression"), yes: tie("steps"), no: tie("steps") }),
    fc.record({ times: tie("steps") }),
    fc.record({ leave: tie("expression"), rest: tie("steps") }),
  ),
  steps: fc.array(tie("step"), { maxLength: 5, depthIdentifier: "step" }),
}));

function moduleOf(body: readonly Step[], compact: boolean): Uint8Array<ArrayBuffer> {
  const module = createModule({ compact });
  const builder = module.function("run", ["i32", "i32"], "i32");
  const variables = [0, 1]
    .map((index) => builder.param(index, "i32"))
    .concat([2, 3, 4, 5].map(() => builder.local("i32")));
  const at = (index: number): Local<"i32"> => variables[index] ?? expect.fail("no such variable");
  const place = (code: I32): I32 => i32.mul(i32.and(code, i32.const(7)), i32.const(4));
  const computed = (expression: Expression): I32 => {
    if ("get" in expression) return local.get(at(expression.get));
    if ("number" in expression) return i32.const(expression.number);
    if ("load" in expression) return i32.load(place(computed(expression.load)));
    if ("tee" in expression) return local.tee(at(expression.tee), computed(expression.value));
    return i32.add(computed(expression.add[0]), computed(expression.add[1]));
  };
  const codeOf = (all: readonly Step[]): readonly Statement[] => all.map(statementOf);
  const statementOf = (step: Step): Statement => {
    if ("set" in step) return local.set(at(step.set), computed(step.value));
    if ("store" in step) return i32.store(place(computed(step.store)), computed(step.value));
    if ("condition" in step)
      return when(i32.and(computed(step.condition), i32.const(1)), codeOf(step.yes), codeOf(step.no));
    if ("leave" in step) return block(branchIf(0, i32.and(computed(step.leave), i32.const(1))), ...codeOf(step.rest));
    const count = builder.local("i32");
    return block(
      local.set(count, i32.const(0)),
      loop(
        ...codeOf(step.times),
        local.set(count, i32.add(local.get(count), i32.const(1))),
        branchIf(0, i32.lt(local.get(count), i32.const(3))),
      ),
    );
  };
  const result = variables
    .map((variable) => local.get(variable))
    .reduce((sum, each) => i32.add(i32.mul(sum, i32.const(31)), each));
  builder.finish(...codeOf(body), result);
  module.export("run", builder.reference);
  return module.finish({ names: false });
}

function outcome(bytes: Uint8Array<ArrayBuffer>): readonly unknown[] {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { run } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports;
  const words = new Int32Array(memory.buffer, 0, 8);
  words.set([3, 1, 4, 1, 5, 9, 2, 6]);
  return [typeof run === "function" && run(7, 11), ...words];
}

test("short code does what long code does", () => {
  fc.assert(
    fc.property(steps, (body) => {
      const [long, short] = [moduleOf(body, false), moduleOf(body, true)];
      expect(outcome(short)).toEqual(outcome(long));
      expect(short.length).toBeLessThanOrEqual(long.length);
    }),
    { numRuns: 200 },
  );
});

test("what is needed once stands where it is needed, and variables are few", () => {
  const lengthOf = (compact: boolean): number => {
    const module = createModule({ compact });
    const builder = module.function("sum", ["i32"], "none");
    const [at, one, two, sum] = [builder.param(0, "i32"), ...[0, 1, 2].map(() => builder.local("i32"))];
    if (!at || !one || !two || !sum) return expect.fail("no variables");
    builder.finish(
      local.set(one, i32.load(local.get(at))),
      local.set(two, i32.load(local.get(at), 4)),
      local.set(sum, i32.add(local.get(one), local.get(two))),
      i32.store(local.get(at), local.get(sum)),
    );
    module.export("sum", builder.reference);
    return module.finish({ names: false }).length;
  };
  // Six times two bytes for setting and reading three variables, and two that declare them.
  expect(lengthOf(false) - lengthOf(true)).toBe(3 * 4 + 2);
});
