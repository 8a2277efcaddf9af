import { i32, local, type Procedure, v128, when } from "./encode-code.ts";
import type { ModuleBuilder } from "./encode-module.ts";

/** (at, value, left): stores the first `left` of four numbers, or all where there are more. */
export function someFunction(module: ModuleBuilder): Procedure {
  return module.shared("some of four", ["i32", "v128", "i32"], "none", (builder) => {
    const at = local.get(builder.param(0, "i32"));
    const value = local.get(builder.param(1, "v128"));
    const left = local.get(builder.param(2, "i32"));
    const lanes = [0, 1, 2].map((lane) =>
      when(i32.gt(left, i32.const(lane)), [v128.store32Lane(at, value, lane, 4 * lane)]),
    );
    builder.finish(when(i32.ge(left, i32.const(4)), [v128.store(at, value)], lanes));
  });
}
