import type { Report } from "../base/diagnostic.ts";
import type { Modules } from "../check/modules.ts";
import { knownPart, parameterCount } from "../compile/parameter-count.ts";
import { compileForward } from "../compile/program.ts";
import { evaluateSize } from "../ir/size.ts";
import type { Expression } from "../syntax/tree.ts";
import { findSizes } from "./find-sizes.ts";

/** How many numbers training changes in a model; sizes that the data decides are found by reading the data of a `train` block. */
export async function countParameters(
  modules: Modules,
  model: Expression,
  report: Report,
): Promise<number | undefined> {
  const job = { modules, sizes: new Map<string, number>(), dense: false, report };
  const program = compileForward(job, model, { values: [], gradients: false });
  if (program === undefined) return undefined;
  const count = parameterCount(program.weights);
  const known = evaluateSize(count, program.sizes) ?? evaluateSize(count, await findSizes(modules, model, undefined));
  if (known !== undefined) return known;
  const text = knownPart(count, program.sizes).text;
  report.add("unknown-size", model.span, `how many parameters there are depends on the data: ${text}`, {
    hint: "give the sizes, as in params(M(V: 100)), or a train block of this model",
  });
  return undefined;
}
